"""PSNR and SSIM against closed forms and against scipy's Gaussian filter."""

from __future__ import annotations

import math

import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from latmix.measures.likeness import psnr, ssim


def noisy(seed: int, size: tuple[int, int] = (40, 28)) -> Image.Image:
    rows = np.random.default_rng(seed).normal(128, 30, (size[1], size[0], 3))
    smooth = gaussian_filter(rows, (2, 2, 0)) * 4 - 384
    return Image.fromarray(smooth.clip(0, 255).astype(np.uint8))


def scipy_ssim(one: Image.Image, other: Image.Image) -> float:
    """The formula of Wang et al. in pixels of 0 .. 255, blurred by scipy over an 11 x 11 window."""
    x, y = (np.asarray(picture, dtype=np.float64) for picture in (one, other))

    def blurred(rows: np.ndarray) -> np.ndarray:
        return gaussian_filter(rows, (1.5, 1.5, 0), radius=(5, 5, 0))[5:-5, 5:-5]

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    m1, m2 = blurred(x), blurred(y)
    s1, s2 = blurred(x * x) - m1 * m1, blurred(y * y) - m2 * m2
    both = blurred(x * y) - m1 * m2
    top = (2 * m1 * m2 + c1) * (2 * both + c2)
    return float((top / ((m1**2 + m2**2 + c1) * (s1 + s2 + c2))).mean())


@pytest.mark.parametrize("seed", range(3))
def test_ssim_is_that_of_an_independent_filter(seed: int) -> None:
    one = noisy(seed)
    other = Image.blend(one, noisy(seed + 10), 0.3)
    assert ssim(one, other) == pytest.approx(scipy_ssim(one, other), abs=1e-6)
    assert 0.1 < ssim(one, other) < 0.95


def test_ssim_of_two_flat_pictures_is_that_of_their_light() -> None:
    dark, light = (Image.new("RGB", (32, 32), (level,) * 3) for level in (60, 180))
    expected = (2 * 60 * 180 + 6.5025) / (60**2 + 180**2 + 6.5025)
    assert ssim(dark, light) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("size", [(40, 28), (11, 11), (8, 24), (1, 1)])
def test_a_picture_is_like_itself_at_any_size(size: tuple[int, int]) -> None:
    picture = noisy(1, size)
    assert ssim(picture, picture) == pytest.approx(1.0)
    assert psnr(picture, picture) == 100.0


def test_psnr_is_that_of_the_mean_squared_error() -> None:
    grey, lighter = (Image.new("RGB", (8, 8), (level,) * 3) for level in (100, 110))
    assert psnr(grey, lighter) == pytest.approx(20 * math.log10(255 / 10), abs=1e-4)
