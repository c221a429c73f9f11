"""`latmix study` from the command line, on the built-in model with few steps."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from tests.support.command import QUICK, answer, cli, refused, spoil

BIAS = ["study", "bias"]

pytestmark = pytest.mark.usefixtures("shared_home")


def test_bias_is_measured_drawn_and_tabled(folder: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("bias.pdf", "bias.png", "bias.json", "bias.csv")]
    named = [word for path in files for word in ("-o", path)]
    result = answer(
        cli(
            *BIAS,
            folder,
            "--demo",
            "hearts",
            "-n",
            "1,2,4",
            "--pool",
            6,
            "--draws",
            5,
            "--json",
            *named,
            *QUICK,
        )
    )
    assert [series["name"] for series in result["series"]] == ["pictures", "hearts"]
    assert result["outputs"] == [str(path) for path in files]
    for series in result["series"]:
        assert [point["n"] for point in series["points"]] == [1, 2, 4]
        assert [point["draws"] for point in series["points"]] == [5, 5, 5]
        assert set(series["law"]) == {"bias", "spread", "r_squared", "residual"}
        assert 0 < series["law"]["bias"] < 1
        assert len(series["points"][0]["channel_mean"]) == 4
    assert all(path.stat().st_size > 1000 for path in files)
    rows = list(csv.DictReader(files[-1].open()))
    assert len(rows) == 2 * 3 * (2 + 4)
    [row] = [
        r for r in rows if (r["series"], r["n"], r["quantity"]) == ("hearts", "4", "amplification")
    ]
    point = result["series"][1]["points"][2]
    assert float(row["mean"]) == point["amplification"]["mean"]
    assert float(row["law"]) == point["law"]
    assert json.loads(files[-2].read_text())["series"] == result["series"]
    assert result["interval"] == "95 % of the draws"


def test_bias_is_a_chart_and_tables_and_inverts_nothing_twice(folder: Path) -> None:
    words = [*BIAS, folder, "--draws", 3, *QUICK]
    shown = cli(*words)
    assert shown.exit_code == 0
    for word in ("mean of channel", "o pictures", "alpha", "R²", "the law"):
        assert word in shown.stdout
    assert answer(cli(*words, "--json"))["cached"] == 6


def test_folders_of_one_name_are_told_apart(folder: Path, tmp_path: Path, cold_home: Path) -> None:
    twin = tmp_path / "twin" / "pictures"
    twin.mkdir(parents=True)
    for path in list(folder.iterdir())[:2]:
        (twin / path.name).write_bytes(path.read_bytes())
    result = answer(cli(*BIAS, folder, twin, "-n", "1,2", "--json", *QUICK))
    assert [series["name"] for series in result["series"]] == [str(folder), str(twin)]
    assert result["cached"] == 2


def test_pictures_left_out_of_a_study_are_named(folder: Path) -> None:
    spoil(folder)
    result = cli(*BIAS, folder, "-n", "1,6", "--draws", 2, "--json", *QUICK)
    assert result.exit_code == 3
    assert len(answer(result)["failures"]) == 4


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-n", "1,many"], "not a list of whole numbers"),
        (["-n", "0,2"], "not a list of whole numbers"),
        (["-n", "1,7"], "Leave the values above 6 out"),
        (["-n", "4", "--pool", "3"], "has 3"),
        (["--channels", "x"], "not a list"),
        (["--channels", "0,4"], "have 4"),
        (["--law", "moore"], "paper or spread"),
        (["-m", "fix/1"], "not known"),
        (["-o", "bias.jpg"], ".png, .svg, .pdf, .csv or .json"),
        (["-o", "bias"], ".png, .svg, .pdf, .csv or .json"),
        (["-o", "a.png", "-o", "./a.png"], "named twice"),
    ],
)
def test_words_that_cannot_be_meant(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(cli(*BIAS, folder, *QUICK, *words), 2, said)


def test_a_study_of_nothing(tmp_path: Path, folder: Path) -> None:
    refused(cli(*BIAS, *QUICK), 2, "No folders are named")
    refused(cli(*BIAS, tmp_path / "nowhere", *QUICK), 1, "nowhere")
    (tmp_path / "empty").mkdir()
    refused(cli(*BIAS, tmp_path / "empty", *QUICK), 1, "picture")
    refused(cli(*BIAS, folder, "-o", tmp_path / "none" / "a.png", *QUICK), 1, "no folder")
    refused(cli(*BIAS, folder, "-o", folder / "face-0.png", *QUICK), 2, "one of the pictures")


def test_without_matplotlib_the_chart_and_the_table_still_come(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    figure, table = tmp_path / "bias.pdf", tmp_path / "bias.csv"
    words = [*BIAS, folder, "-n", "1,2", "--draws", "2", *QUICK]
    result = cli(*words, "-o", figure, "-o", table)
    assert result.exit_code == 1
    assert "pip install 'latmix[figures]'" in result.stderr
    assert "bias.pdf was not drawn" in result.stderr
    assert "mean of channel" in result.stdout
    assert table.exists()
    assert not figure.exists()


def test_paths_are_drawn_moved_and_tabled(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("p.pdf", "p.gif", "p.csv")]
    named = [word for path in files for word in ("-o", path)]
    words = ["--frames", 3, "--steps", 10, "-m", "lin/0,nin/0"]
    result = answer(cli("study", "paths", *words, *named, "--json"))
    assert [each["method"] for each in result["methods"]] == ["lin/0", "nin/0"]
    assert result["radius"] == pytest.approx(2**0.5)
    assert result["outputs"] == [str(path) for path in files]
    assert Image.open(files[1]).n_frames == 4  # type: ignore[attr-defined]
    assert len(list(csv.DictReader(files[2].open()))) == 2 * 11
    shown = cli("study", "paths", "-p", "1,0", "-p", "-1,0.5", "--point=0,-1").stdout
    for word in ("norm along the path", "fix/0", "1.414"):
        assert word in shown


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-p", "1,0"], "two ends"),
        (["-p", "1", "-p", "0,1"], "not X,Y"),
        (["-p", "0,0", "-p", "0,1"], "origin"),
        (["-p", "a,b", "-p", "0,1"], "not a list of numbers"),
        (["-m", "nin/chm"], "plane"),
        (["-o", "p.mp4"], ".gif, .webp, .csv or .json"),
    ],
)
def test_words_that_are_no_path(words: list[str], said: str) -> None:
    refused(cli("study", "paths", *words), 2, said)


def test_an_offset_is_a_labelled_sheet_with_numbers(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("o.png", "o.pdf", "o.csv")]
    named = [word for path in files for word in ("-o", path)]
    words = ["--demo", "faces", "-b", "0.5", "--channels", "2,3", "--json", *QUICK]
    result = answer(cli("study", "offset", *words, *named))
    assert [p["offset"] for p in result["pictures"][:3]] == [-0.5, 0, 0.5]
    assert {(p["time"], p["channel"]) for p in result["pictures"]} == {
        (time, channel) for time in ("T", "0") for channel in (2, 3)
    }
    assert result["prompt"] == "an emoji of a face"
    assert all(path.stat().st_size > 100 for path in files)
    again = answer(cli("study", "offset", *words, "-o", tmp_path / "again.png"))
    assert again["pictures"] == result["pictures"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-b", "0.2,x"], "not a list of numbers"),
        (["-b", "0.2,0"], "not above 0"),
        (["-b", "nan"], "not a list of numbers"),
        (["--channels", "4"], "have 4"),
        (["--channels", "-1"], "not a list"),
        (["-o", "o.gif"], ".png, .svg, .pdf, .csv or .json"),
    ],
)
def test_words_that_are_no_offset(words: list[str], said: str) -> None:
    refused(cli("study", "offset", *QUICK, *words), 2, said)


def test_the_recipe_compares_noise_with_its_inversion(tmp_path: Path) -> None:
    table, sheet = tmp_path / "r.csv", tmp_path / "sheet.png"
    words = ["--demo", "faces", "-n", "1,3", "--perturb", "0,0.05", "--draws", 3, *QUICK]
    result = answer(cli("study", "recipe", *words, "-o", table, "--sheet", sheet, "--json"))
    assert [s["name"] for s in result["series"]] == ["true noise", "inverted", "inverted 0.05"]
    assert result["series"][0]["cosine"] == pytest.approx(1)
    assert len(list(Path(result["samples"]).glob("*.png"))) == 6
    assert result["outputs"] == [str(table), str(sheet)]
    assert Image.open(sheet).width > 2 * 128
    shown = cli("study", "recipe", *words)
    assert "cosine to the noise" in shown.stdout
    assert answer(cli("study", "recipe", *words, "--json"))["series"] == result["series"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--perturb", "2"], "range of a pixel"),
        (["--perturb=-0.1"], "range of a pixel"),
        (["--perturb", "much"], "not a list of numbers"),
        (["-n", "0"], "not a list"),
        (["--sheet", "s.csv"], ".png, .svg or .pdf"),
        (["--sheet", "s.png", "-o", "./s.png"], "named twice"),
    ],
)
def test_words_that_are_no_recipe(words: list[str], said: str) -> None:
    refused(cli("study", "recipe", *QUICK, *words), 2, said)
