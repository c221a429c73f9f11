"""The sheet of methods by numbers of pictures, from the command line."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import Result

from latmix.results.recipes import read_recipe
from tests.support.command import QUICK, answer, cli, refused, spoil

pytestmark = pytest.mark.usefixtures("shared_home")


def sweep(*words: object) -> Result:
    return cli("sweep", *words, *QUICK)


GRID = ["--methods", "fix/0, nin/chm", "-n", "4,2"]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.png"


def cells(out: Path) -> dict[str, bytes]:
    return {p.name: p.read_bytes() for p in sorted(out.with_name("out-cells").iterdir())}


def test_a_sweep_is_a_sheet_a_table_and_pictures_with_recipes(
    folder: Path, out: Path, cold_home: Path
) -> None:
    result = answer(sweep(folder, *GRID, "-o", out, "--json"))
    assert [(row["method"], row["count"]) for row in result["cells"]] == [
        ("fix/0", 2),
        ("fix/0", 4),
        ("nin/chm", 2),
        ("nin/chm", 4),
    ]
    assert (result["inverted"], result["kept"], result["seed"]) == (4, 0, None)
    assert [Path(path).name for path in result["draws"][0]] == [f"face-{i}.png" for i in range(4)]
    assert set(cells(out)) == {row["picture"] for row in result["cells"]}
    recipe = read_recipe(out.with_name("out-cells") / "nin-chm-n4.png")
    assert (recipe.method, [image.weight for image in recipe.images]) == ("nin/chm", [0.25] * 4)
    with out.with_suffix(".csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [float(row["norm_ratio"]) for row in table] == [
        row["norm_ratio"] for row in result["cells"]
    ]
    written = json.loads(out.with_suffix(".json").read_text())
    assert written["cells"] == result["cells"]
    assert "kept" not in written


def test_the_sheet_has_every_picture_in_its_row_and_column(folder: Path, out: Path) -> None:
    sweep(folder, *GRID, "-o", out, "--cell", "96")
    sheet = Image.open(out)
    places = {}
    for path in out.with_name("out-cells").iterdir():
        large = Image.open(path).resize((96, 96), Image.Resampling.NEAREST).tobytes()
        [places[path.stem]] = [
            (left, top)
            for left in range(sheet.width - 95)
            for top in range(sheet.height - 95)
            if sheet.crop((left, top, left + 96, top + 96)).tobytes() == large
        ]
    columns = {name: left for name, (left, _) in places.items()}
    rows = {name: top for name, (_, top) in places.items()}
    assert columns["fix-0-n2"] == columns["nin-chm-n2"] < columns["nin-chm-n4"] - 96
    assert rows["fix-0-n2"] == rows["fix-0-n4"] < rows["nin-chm-n4"] - 96


def test_a_cell_is_the_centroid_that_latmix_centroid_makes(folder: Path, tmp_path: Path) -> None:
    one = tmp_path / "one.png"
    words = ["-n", "4", "-m", "nin/lp:1", "--json", *QUICK]
    alone = answer(cli("centroid", folder, *words, "-o", one))
    out = tmp_path / "out.png"
    result = answer(cli("sweep", folder, *words, "-o", out))
    [row] = result["cells"]
    for name in ("norm_ratio", "amplification", "coherence", "warning"):
        assert row[name] == alone["stats"][name]
    made = Image.open(tmp_path / "out-cells" / row["picture"])
    assert made.tobytes() == Image.open(one).tobytes()


def test_what_was_made_is_kept_and_more_is_added(folder: Path, out: Path, cold_home: Path) -> None:
    sweep(folder, *GRID, "-o", out)
    before = cells(out)
    again = answer(sweep(folder, *GRID, "-o", out, "--json"))
    assert (again["cached"], again["kept"]) == (4, 4)
    more = answer(
        sweep(folder, "--methods", "coh/0,fix/0,nin/chm", "-n", "2,3,4", "-o", out, "--json")
    )
    assert more["kept"] == 4
    assert before.items() <= cells(out).items()
    other = answer(sweep(folder, *GRID, "-o", out, "--json", "--guidance", "1"))
    assert other["kept"] == 0


@pytest.mark.parametrize("lost", [["nin-chm-n4.png"], ["fix-0-n4.png", "nin-chm-n2.png"]])
def test_a_sweep_that_was_stopped_ends_as_one_that_was_not(
    folder: Path, out: Path, lost: list[str]
) -> None:
    words = [folder, *GRID, "-o", out, "--batch", "3"]
    sweep(*words)
    files = [out, out.with_suffix(".csv"), out.with_suffix(".json")]
    whole, figures = cells(out), [path.read_bytes() for path in files]
    for name in lost:
        (out.with_name("out-cells") / name).unlink()
    (out.with_name("out-cells") / "nin-chm-n4.png").write_bytes(whole["nin-chm-n4.png"][:300])
    sweep(*words)
    assert cells(out) == whole
    assert [path.read_bytes() for path in files] == figures


def test_an_interrupt_keeps_the_cells_and_the_next_run_goes_on(
    tmp_path: Path, cold_home: Path
) -> None:
    words = ["sweep", "--demo", "faces", "-n", "2,3", "--methods", "fix/0,nin/0,nin/chm"]
    words += ["--batch", "1", "--steps", "3", "--size", "32", "--solver", "ddim"]
    words += ["-o", str(tmp_path / "out.png")]
    process = subprocess.Popen(
        [sys.executable, "-m", "latmix", *words],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    while not (line := process.stderr.readline()).startswith("generate"):
        assert line, "it ended before it was interrupted"
    made = tmp_path / "out-cells"
    while not list(made.glob("*.png")):
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert not (tmp_path / "out.png").exists()
    before = {path.name: path.read_bytes() for path in made.glob("*.png")}
    resumed = answer(cli(*words, "--json"))
    assert resumed["kept"] == len(before) < 6
    assert before.items() <= cells(tmp_path / "out.png").items()
    # In a home that knows none of it, without an interrupt: the same to the last bit.
    names = ("out.png", "out.csv", "out.json")
    files = [(tmp_path / name).read_bytes() for name in names]
    (tmp_path / "whole").mkdir()
    cli(*words[:-1], tmp_path / "whole" / "out.png")
    assert [(tmp_path / "whole" / name).read_bytes() for name in names] == files
    assert cells(tmp_path / "whole" / "out.png") == cells(tmp_path / "out.png")


def test_random_draws_are_seeded_and_nested(folder: Path, out: Path) -> None:
    words = [folder, "--methods", "nin/chm", "-n", "1,3", "--draws", "2", "-o", out, "--json"]
    one = answer(sweep(*words, "--seed", "4"))
    assert [(row["count"], row["draw"]) for row in one["cells"]] == [(1, 1), (1, 2), (3, 1), (3, 2)]
    assert (one["seed"], len(one["draws"])) == (4, 2)
    first = read_recipe(out.with_name("out-cells") / "nin-chm-n1-2.png").images
    assert first[0] in [
        type(first[0])(i.path, i.sha256, 1.0, i.prompt)
        for i in read_recipe(out.with_name("out-cells") / "nin-chm-n3-2.png").images
    ]
    assert answer(sweep(*words, "--seed", "4"))["cells"] == one["cells"]
    assert answer(sweep(*words, "--seed", "5"))["draws"] != one["draws"]


def test_only_drawn_pictures_are_inverted(out: Path, cold_home: Path) -> None:
    words = ["--demo", "faces", "--methods", "nin/0", "-n", "2", "--draws", "2"]
    assert answer(sweep(*words, "-o", out, "--json"))["inverted"] <= 4


def test_unreadable_pictures_give_way_to_the_next(folder: Path, out: Path) -> None:
    reasons = spoil(folder)
    result = sweep(folder, "--methods", "nin/0", "-n", "2,6", "-o", out, "--json")
    assert result.exit_code == 3
    content = answer(result)
    assert [Path(path).name for path in content["draws"][0]] == [f"face-{i}.png" for i in range(6)]
    assert {Path(failure["path"]).name for failure in content["failures"]} == set(reasons)
    short = sweep(folder, "--methods", "nin/0", "-n", "2,8", "-o", out, "--json")
    assert "N = 8: only 6 pictures can be read" in short.stderr
    assert answer(short)["counts"] == [2]
    refused(sweep(folder, "-n", "8", "-o", out), 1, "Only 6 pictures")


def test_the_numbers_that_there_are_pictures_for_are_the_default(folder: Path, out: Path) -> None:
    assert answer(sweep(folder, "-m", "nin/0", "-o", out, "--json"))["counts"] == [2]
    alone = sweep(folder / "face-0.png", "-m", "nin/0", "-o", out, "--json")
    assert answer(alone)["counts"] == [1]


def test_without_an_output_the_folder_names_it(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = sweep(folder, "-m", "nin/0", "-n", "2", "--quiet")
    names = [f"pictures-sweep.{suffix}" for suffix in ("png", "csv", "json")]
    assert shown.stdout.splitlines()[-3:] == names
    assert shown.stderr == ""
    told = sweep(folder, "-m", "lin/0", "-n", "6").stdout
    assert "lin/0" in told
    assert "1 of 1" in told
    assert "saturation" in told


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--methods", "nin/cmh"], "did you mean nin/chm"),
        (["--methods", " , "], "no method"),
        (["-n", "two"], "not a list of whole numbers"),
        (["-n", "0"], "not a list of whole numbers"),
        (["-n", "2,,3"], "not a list of whole numbers"),
        (["-n", "-2"], "not a list of whole numbers"),
        (["-n", "2,64"], "there are 6"),
        (["-o", "sheet.jpg"], ".png, .svg, .pdf, .csv or .json"),
        (["--draws", "0"], "draws"),
        (["--cell", "9"], "cell"),
    ],
)
def test_words_that_cannot_be_meant(folder: Path, words: list[str], said: str) -> None:
    refused(sweep(folder, *words), 2, said)


def test_an_empty_folder_and_one_of_nothing_readable(tmp_path: Path) -> None:
    refused(sweep(tmp_path), 1, "no pictures")
    spoil(tmp_path)
    refused(sweep(tmp_path, "-o", tmp_path / "out.png"), 1, "None of the pictures can be read")


def test_what_a_sweep_leaves_in_the_folder_is_no_picture_of_it(folder: Path) -> None:
    words = [folder, "--recursive", *GRID, "-o", folder / "out.png", "-o", folder / "fig.pdf"]
    first = answer(sweep(*words, "--json"))
    again = answer(sweep(*words, "--json"))
    assert (again["draws"], again["kept"]) == (first["draws"], 4)
    assert [Path(name).name for name in first["outputs"]] == [
        "out.png",
        "fig.pdf",
        "out.csv",
        "out.json",
    ]
    # Where there is nothing else, results are pictures like any; the sheet never is.
    results = answer(
        sweep(folder / "out-cells", "-n", "4", "-m", "nin/0", "--json", "-o", folder / "b.png")
    )
    assert results["counts"] == [4]


def test_a_sheet_never_overwrites_one_of_the_pictures(folder: Path) -> None:
    refused(sweep(folder, "-n", "2", "-o", folder / "face-0.png"), 2, "one of the pictures")
