"""From any pixels to plain RGB, and to the size a model wants. Reads and writes no files."""

from __future__ import annotations

import io
import math

from PIL import Image, ImageCms

from latmix.images.fits import FITS

WHITE = (255, 255, 255)

Colour = tuple[int, int, int]

_LANCZOS = Image.Resampling.LANCZOS
_ORIENTATION = 274  # the EXIF tag
_TURN = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_TIFF_BITS, _TIFF_PHOTOMETRIC, _TIFF_WHITE_IS_ZERO = 258, 262, 0


class NotFiniteError(ValueError):
    """The pixels of a float picture are infinite or not numbers."""


def to_rgb(image: Image.Image, background: Colour = WHITE) -> Image.Image:
    """Any picture as 8-bit RGB in sRGB, transparency over `background`, without metadata, turned
    upright as its EXIF data says.

    This is the one road for pixels, whether they come from a file or from a caller.

    Grey of 16 bits is scaled from its declared range. Grey of 32 bits, whose files declare none,
    is scaled from the first of 0..1 (floats only), 0..255 and 0..65535 that holds its values,
    else from its own darkest and brightest. An embedded colour profile is applied, and a broken
    one ignored.

    Raises: NotFiniteError for floats that are infinite or not numbers.
    """
    _mend_transparency(image)
    image.load()
    orientation = image.getexif().get(_ORIENTATION)
    turn = _TURN.get(orientation) if isinstance(orientation, int) else None
    profile = image.info.get("icc_profile")
    alpha: Image.Image | None = None
    if image.mode.startswith("I;16"):
        image, alpha = _from_16_bits(image)
    elif image.mode in ("I", "F"):
        image = _from_32_bits(image)
    elif image.has_transparency_data:
        image, alpha = _split_alpha(image)
    elif image.mode not in ("RGB", "L", "CMYK", "LAB"):
        image = image.convert("L" if image.mode == "1" else "RGB")
    picture = _to_srgb(image, profile)
    if alpha is not None:
        picture = Image.composite(picture, Image.new("RGB", picture.size, background), alpha)
    picture.info = {}  # a profile left here would be written into the next file
    return picture if turn is None else picture.transpose(turn)


def fit_picture(
    image: Image.Image, size: tuple[int, int], fit: str = "crop", *, background: Colour = WHITE
) -> Image.Image:
    """The picture at `size` (width, height in pixels), resampled with Lanczos' filter.

    `crop` scales it to cover the frame and keeps the centre, `pad` scales it to lie inside and
    fills up with `background`, `stretch` gives up its proportions. A picture that is not RGB
    goes through `to_rgb`; one that has the size already is returned as it is.

    Raises: ValueError for an unknown `fit`, and for a size or picture without pixels.
    """
    width, height = size
    if fit not in FITS:
        raise ValueError(f"fit is {fit!r}, must be one of {', '.join(FITS)}")
    if width < 1 or height < 1:
        raise ValueError(f"size is {width} x {height}, must be at least 1 x 1")
    if image.width < 1 or image.height < 1:
        raise ValueError(f"image is {image.width} x {image.height}, must be at least 1 x 1")
    if image.mode != "RGB":
        image = to_rgb(image, background)
    if image.size == (width, height):
        return image
    if fit == "stretch":
        return image.resize((width, height), _LANCZOS)
    across, down = width / image.width, height / image.height
    if fit == "crop":
        scale = max(across, down)
        seen = min(width / scale, image.width), min(height / scale, image.height)
        left, top = (image.width - seen[0]) / 2, (image.height - seen[1]) / 2
        box = (left, top, left + seen[0], top + seen[1])
        return image.resize((width, height), _LANCZOS, box=box)
    scale = min(across, down)
    inside = max(1, round(image.width * scale)), max(1, round(image.height * scale))
    canvas = Image.new("RGB", (width, height), background)
    canvas.paste(
        image.resize(inside, _LANCZOS), ((width - inside[0]) // 2, (height - inside[1]) // 2)
    )
    return canvas


def _mend_transparency(image: Image.Image) -> None:
    """Put the transparent level of a PNG on the scale of its pixels.

    Pillow widens grey of 2 and 4 bits to 8, and narrows colours of 16, but leaves the level as
    the file has it, so that it matches nothing.
    """
    tile = getattr(image, "tile", None)  # of a file that is not decoded yet
    clear = image.info.get("transparency")
    raw = tile[0].args if tile else None
    if isinstance(clear, int) and raw in ("L;2", "L;4"):
        image.info["transparency"] = (clear * (85 if raw == "L;2" else 17)) & 0xFF
    elif isinstance(clear, tuple) and raw == "RGB;16B":
        image.info["transparency"] = tuple(level >> 8 for level in clear)


def _from_16_bits(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Grey of 8 bits, and its alpha when one level is declared transparent."""
    tags = getattr(image, "tag_v2", {})
    top = 2 ** int(tags.get(_TIFF_BITS, (16,))[0]) - 1
    levels = [min(255, (255 * value + top // 2) // top) for value in range(1 << 16)]
    if tags.get(_TIFF_PHOTOMETRIC) == _TIFF_WHITE_IS_ZERO:
        levels = [255 - level for level in levels]
    wide = image.convert("I")
    clear = image.info.get("transparency")
    if clear is None:
        return wide.point(levels, "L"), None
    return wide.point(levels, "L"), wide.point([255 * (v != clear) for v in range(1 << 16)], "L")


def _from_32_bits(image: Image.Image) -> Image.Image:
    """Grey of 8 bits. `point` takes only a straight line here, and `convert` drops fractions."""
    low, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type]
    if not (math.isfinite(low) and math.isfinite(high)):
        raise NotFiniteError(f"image has values from {low} to {high}, must be finite")
    tops = (1.0, 255.0, 65535.0) if image.mode == "F" else (255.0, 65535.0)
    black, white = next(((0.0, top) for top in tops if low >= 0 and high <= top), (low, high))
    scale = 255 / ((white - black) or 1)
    return image.point(lambda value: value * scale + (0.5 - black * scale)).convert("L")


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image]:
    """The colours (grey ones as grey, so that a grey profile fits them), and the alpha."""
    layers = (image.convert("LA") if image.mode == "La" else image).convert("RGBA")
    colours = layers.convert("RGB")
    grey = image.mode in ("1", "L", "LA", "La")
    return colours.getchannel(0) if grey else colours, layers.getchannel("A")


def _to_srgb(image: Image.Image, profile: object) -> Image.Image:
    if isinstance(profile, bytes):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            target = ImageCms.createProfile("sRGB")
            converted = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
            if converted is not None:
                return converted
        except (ImageCms.PyCMSError, OSError, TypeError, ValueError):
            pass  # broken, or made for other colours: what the pixels say plainly is better
    return image.convert("RGB")
