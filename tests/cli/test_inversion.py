"""`latmix study inversion` from the command line, on the built-in model with few steps."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from latmix.sampling.solvers import SOLVERS
from latmix.study.inversion import Trial, Tried
from tests.support.command import answer, cli, refused, spoil

STUDY = ["study", "inversion"]

FEW = ["-n", "2", "--steps", "2", "--device", "cpu", "--model", "mini"]

pytestmark = pytest.mark.usefixtures("shared_home")


def test_solvers_are_compared_tabled_drawn_and_kept(folder: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("trial.png", "trial.pdf", "trial.csv", "trial.json")]
    named = [word for path in files[:2] for word in ("-o", path)]
    words = [*STUDY, folder, *FEW, "--guidance", "1,3", *named]
    first = answer(cli(*words, "--solvers", "ddim,fixed-point", "--json"))
    assert [(trial["solver"], trial["guidance"]) for trial in first["trials"]] == [
        *(("ddim", 1.0), ("ddim", 3.0)),
        *(("fixed-point", 1.0), ("fixed-point", 3.0)),
    ]
    assert first["kept"] == 0
    assert all(path.stat().st_size > 500 for path in files)
    plain, guided, exact, _ = first["trials"]
    assert (plain["inverting"], plain["generating"]) == (2, 2)
    assert (guided["inverting"], guided["generating"]) == (4, 4)
    assert exact["inverting"] > 4
    assert exact["psnr_reconstruction"] > plain["psnr_reconstruction"] + 5
    assert plain["psnr_vae"] == exact["psnr_vae"]
    rows = list(csv.DictReader(files[2].open()))
    assert [float(row["psnr_picture"]) for row in rows] == [
        trial["psnr_picture"] for trial in first["trials"]
    ]
    assert json.loads(files[3].read_text())["trials"] == first["trials"]

    more = [*words, "--solvers", "ddim,fixed-point,negative-prompt"]
    cost = answer(cli(*more, "--dry-run", "--json"))
    assert (cost["trials"], cost["left"]) == (6, 2)
    again = answer(cli(*more, "--json"))
    assert again["kept"] == 4
    assert again["trials"][:4] == first["trials"]
    at_one, at_three = again["trials"][4:]
    assert at_one["inverting"] == at_three["inverting"] == exact["inverting"]
    assert at_one["psnr_picture"] == pytest.approx(at_three["psnr_picture"], abs=1e-6)
    shown = cli(*more)
    assert "to try: 0 of 6 trials" in shown.stderr
    for word in ("guidance 3, 2 pictures; the VAE alone", "negative-prompt", "dB against the VAE"):
        assert word in shown.stdout


def test_a_trial_is_what_invert_reports(folder: Path, tmp_path: Path) -> None:
    words = ["--prompt", "an emoji", *FEW]
    out = ["-o", tmp_path / "one.csv"]
    study = answer(
        cli(*STUDY, folder, "--solvers", "ddim", "--guidance", "3", *words, *out, "--json")
    )
    report = answer(
        cli(
            *("invert", folder, "--report", "--json", "--solver", "ddim"),
            *("--inversion-guidance", "3", *words),
        )
    )
    [trial] = study["trials"]
    assert trial["psnr_picture"] == pytest.approx(report["psnr"]["picture"], abs=1e-6)
    assert trial["ssim_reconstruction"] == pytest.approx(report["ssim"]["reconstruction"])
    assert trial["excess_kurtosis"] == pytest.approx(report["health"]["excess_kurtosis"])


def test_without_names_every_solver_that_suits_is_tried(folder: Path, tmp_path: Path) -> None:
    from latmix.models.source import find_model

    source = find_model("mini")
    suits = sum(solver.suits(source) for solver in SOLVERS.values())
    out = ["-o", tmp_path / "all.csv"]
    cost = answer(cli(*STUDY, folder, *FEW, *out, "--dry-run", "--json"))
    assert cost["trials"] == cost["left"] == 3 * suits
    assert cost["seconds"] > 0


def test_what_another_run_kept_is_not_taken_for_this_ones(folder: Path, tmp_path: Path) -> None:
    words = [*STUDY, folder, "--solvers", "ddim", "--guidance", "1", *FEW]
    out = ["-o", tmp_path / "a.csv"]
    cli(*words, *out)
    kept = tmp_path / "a-cells" / "ddim-2-g1.json"
    assert answer(cli(*words, *out, "--prompt", "another", "--json"))["kept"] == 0
    kept.write_text(kept.read_text()[:100])
    assert answer(cli(*words, *out, "--prompt", "another", "--json"))["kept"] == 0
    assert answer(cli(*words, *out, "--prompt", "another", "--json"))["kept"] == 1


def test_pictures_that_cannot_be_read_are_named(folder: Path, tmp_path: Path) -> None:
    spoil(folder)
    words = [*STUDY, folder, "--solvers", "ddim", "--guidance", "1", *FEW, "-n", "20"]
    result = cli(*words, "-o", tmp_path / "b.csv", "--json")
    assert result.exit_code == 3
    assert len(answer(result)["failures"]) == 4
    assert len(answer(result)["images"]) == answer(result)["trials"][0]["pictures"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--solvers", "midpoint"], "not for mini"),
        (["--solvers", "magic"], "olver must be one of"),
        (["--solvers", ","], "names no solver"),
        (["--steps", "0,2"], "not a list of whole numbers"),
        (["--steps", "100000"], "Steps must be between"),
        (["--guidance", "-1"], "below 0"),
        (["--guidance", "much"], "not a list of numbers"),
        (["-o", "trials.jpg"], ".png, .svg, .pdf, .csv or .json"),
    ],
)
def test_words_that_cannot_be_meant(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(cli(*STUDY, folder, *FEW, *words), 2, said)


def test_a_solver_that_diverged_is_drawn_as_missing() -> None:
    from latmix.study.figures import figure_bytes
    from latmix.study.inversion_figure import draw_inversion

    nothing = Tried(Trial("fixed-point", 4, 7.5), 20.0, 4.0, (), None, 3)
    assert nothing.decibels("picture") is None
    assert nothing.evaluations == 24
    assert len(figure_bytes(lambda: draw_inversion([nothing]), ".svg")) > 500


def test_a_trial_fits_null_text_to_the_guidance_it_generates_at() -> None:
    from latmix.sampling.settings import InversionSettings

    like = InversionSettings((64, 64))
    scales = {name: Trial(name, 2, 3.0).inversion(like).guidance for name in SOLVERS}
    assert scales.pop("negative-prompt") == 1.0
    assert set(scales.values()) == {3.0}
