"""Offsets and the recipe of section 4.1 on the built-in model, with few steps; contact sheets."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from PIL import Image

from latmix.jobs.workbench import Workbench
from latmix.mixing.live import LiveStatistics
from latmix.models.protocol import Model
from latmix.models.source import find_model
from latmix.sampling.generators import drained
from latmix.sampling.settings import GenerationSettings, InversionSettings
from latmix.session.machine import Machine
from latmix.store.latents import LatentStore
from latmix.study.figures import figure_bytes
from latmix.study.noise import generate_clean, sample_noise
from latmix.study.offset import add_offset, offset_pictures
from latmix.study.recipe import (
    SampleSettings,
    compare_latents,
    invert_samples,
    make_samples,
    perturb,
)
from latmix.study.sheet import Sheet, SheetCell, draw_sheet, enlarged, fitted
from latmix.study.sheet_figure import draw_sheet_figure

GENERATION = GenerationSettings(1.0, 4)
SIZE = (32, 32)
FACE = "an emoji of a face"


@pytest.fixture
def bench(tmp_path: Path, mini: Model) -> Workbench:
    """A workbench with the model that is loaded already."""
    made = Workbench(find_model("mini"), LatentStore(tmp_path / "home"), Machine("cpu"))
    made._model = mini
    return made


def test_noise_of_a_seed_begins_the_same_however_much_is_asked_for() -> None:
    few, many = sample_noise(2, (4, 8, 8), 5), sample_noise(6, (4, 8, 8), 5)
    assert torch.equal(few, many[:2])
    assert not torch.equal(few, sample_noise(2, (4, 8, 8), 6))
    assert float(sample_noise(64, (4, 16, 16), 0).std()) == pytest.approx(1.0, abs=0.02)


def test_the_batch_does_not_change_what_is_generated(bench: Workbench) -> None:
    noise = sample_noise(3, (4, 8, 8), 0)
    found = []
    for bench.batch in (3, 1):
        found.append(drained(generate_clean(bench, noise, FACE, GENERATION)))
    whole, ones = found
    assert torch.allclose(whole, ones, atol=1e-4)


def test_an_offset_moves_the_top_quarter_of_one_channel() -> None:
    moved = add_offset(torch.zeros(4, 8, 6), 2, 0.5)
    assert torch.equal(moved[2, :2], torch.full((2, 6), 0.5))
    moved[2, :2] = 0
    assert not moved.any()


def test_noise_spreads_an_offset_over_the_picture_and_the_decoder_does_not(
    bench: Workbench,
) -> None:
    [noise] = sample_noise(1, bench.source.latent_shape((64, 64)), 0)
    cases = [(channel, offset) for channel in (0, 1) for offset in (-1.0, 0.0, 1.0)]
    made = drained(offset_pictures(bench, noise, cases, FACE, GENERATION))
    assert [(m.time, m.channel, m.offset) for m in made[:4]] == [
        ("T", 0, -1.0),
        ("T", 0, 0.0),
        ("T", 0, 1.0),
        ("T", 1, -1.0),
    ]
    assert len(made) == 12
    assert all(
        (m.change_top, m.change_rest) == pytest.approx((0, 0), abs=1) for m in made if not m.offset
    )

    def share(time: str) -> float:
        moved = [m for m in made if m.time == time and m.offset]
        return sum(m.change_rest for m in moved) / sum(m.change_top for m in moved)

    assert share("T") > share("0")


def test_perturbing_adds_noise_of_that_size() -> None:
    grey = Image.new("RGB", (64, 64), (128, 128, 128))
    noisy = perturb(grey, 0.05, torch.Generator().manual_seed(0))
    values = torch.frombuffer(bytearray(noisy.tobytes()), dtype=torch.uint8).double()
    assert float(values.std()) == pytest.approx(0.05 * 255, rel=0.05)
    assert float(values.mean()) == pytest.approx(128, abs=1)


def test_samples_are_made_once_and_go_on_where_they_stopped(
    bench: Workbench, tmp_path: Path
) -> None:
    settings = SampleSettings(FACE, SIZE, GENERATION, (0.0, 0.1), 3)
    bench.batch = 2
    job = make_samples(bench, tmp_path / "s", settings, 4)
    phases = [next(job) for _ in range(6)]  # the first batch of two is on the disk
    assert phases[-1].done == 2
    job.close()
    samples = drained(make_samples(bench, tmp_path / "s", settings, 4))
    assert [len(paths) for paths in samples.paths.values()] == [4, 4]
    before = {path: path.read_bytes() for paths in samples.paths.values() for path in paths}
    again = make_samples(bench, tmp_path / "s", settings, 4)
    assert {progress.phase for progress in again} == {"perturb"}
    assert {path: path.read_bytes() for path in before} == before
    other = SampleSettings(FACE, SIZE, GENERATION, (0.0,), 4)
    assert drained(make_samples(bench, tmp_path / "s", other, 1)).folder != samples.folder


def test_the_inversion_of_a_sample_points_towards_its_noise(
    bench: Workbench, tmp_path: Path
) -> None:
    settings = SampleSettings(FACE, (64, 64), GENERATION, (0.0,), 0)
    samples = drained(make_samples(bench, tmp_path / "s", settings, 3))
    job = invert_samples(bench, samples, 0.0, FACE, InversionSettings((64, 64), steps=4))
    inversion = drained(job)
    latents = inversion.space.read(inversion.keys)
    found, exact = compare_latents(latents, samples.noise), compare_latents(*[samples.noise] * 2)
    assert exact.cosine == pytest.approx(1)
    assert 0.1 < found.cosine < 1
    statistics = LiveStatistics.of(latents).statistics([1, 0, 0], "fix/0")
    assert statistics.channel_mean == pytest.approx(
        (latents[0] * 32 / latents[0].norm()).mean(dim=(1, 2)).tolist(), abs=1e-5
    )
    twice = invert_samples(bench, samples, 0.0, FACE, InversionSettings((64, 64), steps=4))
    assert drained(twice).cached == 3


@pytest.mark.parametrize("perturbation", [-0.1, 1.5, float("nan")])
def test_a_perturbation_beyond_a_pixels_range_is_refused(perturbation: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        SampleSettings(FACE, SIZE, GENERATION, (perturbation,), 0)


def checkered() -> Sheet:
    small = (Image.new("RGB", (32, 32), colour) for colour in ("red", "blue"))
    red, blue = (SheetCell(enlarged(picture)) for picture in small)
    rows = [("a $label$", [red, blue]), ("b", [blue, SheetCell(None)])]
    return Sheet(["N = 1", "N = 4"], rows)


def test_pictures_are_brought_to_a_size() -> None:
    wide = Image.new("RGB", (40, 20))
    assert (fitted(wide, 120).size, fitted(wide, 10).size) == ((120, 60), (10, 5))
    assert (enlarged(wide).size, enlarged(enlarged(wide)).size) == ((160, 80), (160, 80))


def test_a_caption_that_alarms_is_told_in_another_colour() -> None:
    picture = Image.new("RGB", (128, 128), "white")
    plain, alarming = (
        draw_sheet(Sheet(["N = 1"], [("a", [SheetCell(picture, "! much", alarms)])], "t", "n"))
        for alarms in (False, True)
    )
    colours = [{c for _, c in s.getcolors(1 << 16) or []} for s in (plain, alarming)]
    assert (176, 0, 32) in colours[1] - colours[0]


def test_a_sheet_has_every_picture_enlarged_beside_its_labels() -> None:
    sheet = draw_sheet(checkered())
    colours = {colour: count for count, colour in sheet.getcolors(1 << 16) or []}
    assert (colours[(255, 0, 0)], colours[(0, 0, 255)]) == (128 * 128, 2 * 128 * 128)
    assert colours[(255, 255, 255)] > 128 * 128


def test_a_sheet_is_a_vector_figure_with_the_pictures_inside() -> None:
    text = figure_bytes(lambda: draw_sheet_figure(checkered()), ".svg").decode()
    assert text.count("<image") == 3
    assert b"/FontFile2" in figure_bytes(lambda: draw_sheet_figure(checkered()), ".pdf")
