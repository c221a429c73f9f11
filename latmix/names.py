"""How a file name, and a count of things, is shown. Every room may call this.

A file name is bytes that somebody else chose: it may hold the escape that clears a screen, the
mark that turns text around, or bytes that are no text at all. Nothing shows one except through
`display_name`: not the terminal, not rich, not Textual, not an error message, not JSON.
"""

from __future__ import annotations

import os
import unicodedata

_ELLIPSIS = "…"

# Characters with no `C` category that still leave no mark: two names that differ only in these
# would look the same. (Code points, first and last.)
_INVISIBLE = (
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer inherent vowels
    (0x180B, 0x180F),  # Mongolian variation selectors
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFFA0, 0xFFA0),  # halfwidth Hangul filler
    (0xE0100, 0xE01EF),  # variation selectors supplement
)
_SHORT_ESCAPES = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def display_name(
    path: str | bytes | os.PathLike[str] | os.PathLike[bytes], width: int | None = None
) -> str:
    """The whole of `path` as text that is safe to show anywhere and can be encoded as UTF-8.

    What has no visible mark (controls, bidirectional marks, zero-width characters, line
    separators, tags, unassigned and private characters) becomes an escape: `\\x1b`, `\\u202e`,
    `\\n`. Bytes that are not UTF-8 become `\\xNN`. All else is kept, so the text is for eyes: it
    cannot be turned back into the path. Markup such as `[red]` is kept too: wrap the result in
    `rich.text.Text`, or pass `markup=False`, wherever markup is read.

    Args:
        path: as given by the user or the system, not only its last part.
        width: most terminal cells to take; the middle of a longer name gives way to an ellipsis.
            East Asian wide characters take two cells, combining marks none. None is no limit.

    Returns: the name; empty when `width` is less than 1.
    """
    shown = [_visible(character) for character in os.fsdecode(path)]
    return "".join(shown) if width is None else _shorten(shown, width)


def plural(count: int, noun: str) -> str:
    """A count with its noun: `1 picture`, `8 pictures`, `10,000 pictures`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def _visible(character: str) -> str:
    """The character itself, or an escape where it would not be seen for what it is."""
    code = ord(character)
    if 0x20 <= code < 0x7F:
        return character
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is not UTF-8, as os.fsdecode carries it
        return f"\\x{code - 0xDC00:02x}"
    category = unicodedata.category(character)
    hidden = category[0] == "C" or category in ("Zl", "Zp")
    if not hidden and not any(first <= code <= last for first, last in _INVISIBLE):
        return character
    if character in _SHORT_ESCAPES:
        return _SHORT_ESCAPES[character]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _shorten(shown: list[str], width: int) -> str:
    """Join the pieces in at most `width` cells, whole pieces at both ends, marks on their bases."""
    from rich.cells import get_character_cell_size  # as what is drawn is measured

    pieces: list[tuple[str, int]] = []
    for text in shown:
        cells = sum(map(get_character_cell_size, text))
        if cells == 0 and pieces:
            base, base_cells = pieces.pop()
            text, cells = base + text, base_cells
        pieces.append((text, cells))
    if sum(cells for _, cells in pieces) <= width:
        return "".join(text for text, _ in pieces)
    if width < 1:
        return ""
    room = width - 1  # the ellipsis takes one
    end = _fitting(pieces[::-1], room // 2)
    start = _fitting(pieces, room - sum(cells for _, cells in end))
    kept = [text for text, _ in start] + [_ELLIPSIS] + [text for text, _ in reversed(end)]
    return "".join(kept)


def _fitting(pieces: list[tuple[str, int]], room: int) -> list[tuple[str, int]]:
    """The longest beginning of `pieces` that takes at most `room` cells."""
    taken = 0
    for count, (_, cells) in enumerate(pieces):
        taken += cells
        if taken > room:
            return pieces[:count]
    return pieces


def size_text(size: int) -> str:
    """A number of bytes in the unit that suits it: "512 B", "1.4 MiB"."""
    value, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB", "TiB"):
        if value < 1024:
            break
        value, unit = value / 1024, larger
    return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
