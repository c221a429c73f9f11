"""`latmix study` from the command line, on the built-in model with few steps."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from test_mixing import QUICK, answer, cli, refused, spoil

BIAS = ["study", "bias"]


def test_bias_is_measured_drawn_and_tabled(folder: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("bias.pdf", "bias.svg", "bias.png", "bias.csv")]
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


def test_bias_is_a_chart_and_tables_and_inverts_nothing_twice(folder: Path) -> None:
    words = [*BIAS, folder, "--draws", 3, *QUICK]
    shown = cli(*words)
    assert shown.exit_code == 0
    for word in ("mean of channel", "o pictures", "alpha", "R²", "the law"):
        assert word in shown.stdout
    assert answer(cli(*words, "--json"))["cached"] == 6


def test_folders_of_one_name_are_told_apart(folder: Path, tmp_path: Path) -> None:
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
        (["-o", "bias.jpg"], ".png, .svg, .pdf or .csv"),
        (["-o", "bias"], ".png, .svg, .pdf or .csv"),
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
    folder: Path, tmp_path: Path
) -> None:
    """In a process of its own in which matplotlib cannot be found."""
    code = "import sys; sys.modules['matplotlib'] = None\nfrom latmix.cli import main; main()"
    words = [*BIAS, folder, "-n", "1,2", "--draws", "2", *QUICK]
    figure, table = tmp_path / "bias.pdf", tmp_path / "bias.csv"
    call = [sys.executable, "-c", code, *map(str, words), "-o", str(figure), "-o", str(table)]
    result = subprocess.run(call, capture_output=True, text=True)
    assert result.returncode == 1
    assert "pip install 'latmix[figures]'" in result.stderr
    assert "bias.pdf was not drawn" in result.stderr
    assert "mean of channel" in result.stdout
    assert table.exists()
    assert not figure.exists()
    told = subprocess.run([*call[:-4], "--json"], capture_output=True, text=True)
    assert told.returncode == 0
    assert json.loads(told.stdout)["series"]
