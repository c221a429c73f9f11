"""What the round trips of several pictures come to."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from latmix.jobs.roundtrip import Likeness, likeness, mean_trip


def noisy(seed: int) -> Image.Image:
    rows = np.random.default_rng(seed).integers(0, 256, (28, 40, 3), dtype=np.uint8)
    return Image.fromarray(rows)


def test_the_mean_of_round_trips_is_that_of_each_figure() -> None:
    picture = noisy(2)
    trips = [
        likeness(picture, Image.blend(picture, noisy(3), share), noisy(4)) for share in (0.1, 0.6)
    ]
    mean = mean_trip(trips)
    for measure in ("psnr", "ssim"):
        for figure in Likeness.__dataclass_fields__:
            values = [getattr(trip[measure], figure) for trip in trips]
            assert getattr(mean[measure], figure) == pytest.approx(sum(values) / 2)
