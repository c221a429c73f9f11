"""The main job from the command line, and everything that can be wrong with what it is given."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from typer.testing import Result

from latmix.images.png import read_text, write_png
from latmix.mixing.grid import DEFAULT_METHOD
from latmix.results.recipes import read_recipe
from tests.support.command import QUICK, answer, cli, refused, spoil


def centroid(*words: object) -> Result:
    return cli("centroid", *words, *QUICK)


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out.png"


def test_a_centroid_is_a_picture_with_its_numbers(folder: Path, out: Path) -> None:
    result = answer(centroid(folder, "-n", "4", "-o", out, "--json"))
    assert Image.open(out).size == (32, 32)
    assert [Path(image["path"]).name for image in result["images"]] == [
        f"face-{index}.png" for index in range(4)
    ]
    assert {image["weight"] for image in result["images"]} == {0.25}
    assert (result["output"], result["method"], result["model"]) == (
        str(out),
        DEFAULT_METHOD,
        "mini",
    )
    assert set(result["stats"]) == {
        "norm",
        "norm_ratio",
        "amplification",
        "coherence",
        "effective_count",
        "channel_mean",
        "channel_std",
        "input_channel_mean",
        "amplified_channel_mean",
        "predicted_amplification",
        "low_share",
        "excess_kurtosis",
        "verdict",
        "warning",
    }
    assert set(result["seconds"]) == {"invert", "mix", "generate"}
    assert result["cached"] == 0


def test_nothing_is_inverted_twice(folder: Path, out: Path) -> None:
    first = answer(centroid(folder, "-n", "3", "-o", out, "--json"))
    again = answer(centroid(folder, "-n", "3", "-o", out, "--json"))
    more = answer(centroid(folder, "-n", "5", "--method", "fix/0", "-o", out, "--json"))
    assert (first["cached"], again["cached"], more["cached"]) == (0, 3, 3)


def test_a_moved_and_renamed_picture_is_not_inverted_again(
    folder: Path, out: Path, tmp_path: Path
) -> None:
    centroid(folder, "-n", "2", "-o", out)
    moved = tmp_path / "moved"
    shutil.move(folder / "face-0.png", tmp_path / "other name.png")
    shutil.move(folder, moved)
    result = answer(centroid(tmp_path / "other name.png", moved, "-n", "2", "-o", out, "--json"))
    assert result["cached"] == 2


def test_without_an_output_a_free_name_is_taken(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names = [centroid(folder, "-n", "2", "--quiet").stdout.strip() for _ in range(2)]
    assert names == ["pictures-nin-lp1-n2.png", "pictures-nin-lp1-n2-2.png"]
    assert all(Path(name).exists() for name in names)


def test_quiet_prints_the_file_alone(folder: Path, out: Path) -> None:
    result = centroid(folder, "-n", "2", "-o", out, "--quiet")
    assert result.stdout.splitlines() == [str(out)]
    assert result.stderr == ""


def test_the_model_that_auto_took_is_said_in_a_line(folder: Path, out: Path) -> None:
    assert "it knows emoji only" in centroid(folder, "-n", "2", "-o", out).stderr


def test_built_in_pictures_need_no_folder(out: Path) -> None:
    result = answer(centroid("--demo", "hearts", "-n", "2", "-o", out, "--json"))
    assert result["prompt"] == "an emoji of a heart"


def test_a_degenerate_method_is_warned_of(out: Path) -> None:
    result = answer(centroid("--demo", "faces", "-n", "10", "-m", "lin/0", "-o", out, "--json"))
    assert "washed out" in result["stats"]["warning"]


def test_weights_by_name_and_by_file_make_the_same_picture(
    folder: Path, out: Path, tmp_path: Path
) -> None:
    table = tmp_path / "weights.csv"
    table.write_text("name,weight\nface-1.png,0.3\nface-3,0.7\n")
    by_name = answer(
        cli("mix", folder, "-w", "face-1.png=3", "-w", "face-3=7", "-o", out, "--json", *QUICK)
    )
    first = out.read_bytes()
    by_file = answer(cli("mix", folder, "--weights", table, "-o", out, "--json", *QUICK))
    assert out.read_bytes() == first
    assert by_name["images"] == by_file["images"]
    assert [image["weight"] for image in by_name["images"]] == pytest.approx([0.3, 0.7])


def test_random_mixtures_are_numbered_and_seeded(folder: Path, tmp_path: Path) -> None:
    words = ("mix", folder, "--random", 3, "--seed", 5, "-o", tmp_path / "r.png", "--json")
    lines = [json.loads(line) for line in cli(*words, *QUICK).stdout.splitlines()]
    assert [Path(line["output"]).name for line in lines] == ["r-1.png", "r-2.png", "r-3.png"]
    assert [line["seed"] for line in lines] == [5, 6, 7]
    again = [json.loads(line) for line in cli(*words, *QUICK).stdout.splitlines()]
    assert [line["images"] for line in again] == [line["images"] for line in lines]


def test_each_pictures_prompt_comes_from_its_sidecar_or_the_template(
    folder: Path, out: Path
) -> None:
    (folder / "face-1.txt").write_text("an emoji of a red heart\n")
    centroid(folder, "-n", "2", "--prompt", "{name} in {folder}", "-o", out)
    prompts = [image.prompt for image in read_recipe(out).images]
    assert prompts == ["face-0 in pictures", "an emoji of a red heart"]


def test_a_result_is_made_again_to_the_last_bit(folder: Path, out: Path, tmp_path: Path) -> None:
    cli("mix", folder, "-w", "face-0=1", "-w", "face-2=2", "-m", "fix/m", "-o", out, *QUICK)
    copy = tmp_path / "copy.png"
    result = cli("replay", out, "-o", copy)
    assert "to the last bit" in result.stderr
    assert Image.open(copy).tobytes() == Image.open(out).tobytes()
    assert read_recipe(copy) == read_recipe(out)


def test_a_replay_finds_its_pictures_by_content(
    folder: Path, out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    centroid(folder, "-n", "2", "-o", out)
    moved = tmp_path / "moved"
    shutil.move(folder, moved)
    (moved / "face-0.png").rename(moved / "renamed.png")
    monkeypatch.setenv("LATMIX_HOME", str(tmp_path / "another"))
    lost = cli("replay", out, "-o", tmp_path / "copy.png")
    assert lost.exit_code == 1
    assert "2 pictures of the recipe cannot be found" in lost.stderr
    assert "to the last bit" in cli("replay", out, moved, "-o", tmp_path / "copy.png").stderr


def test_a_picture_without_a_recipe_cannot_be_replayed(folder: Path) -> None:
    result = cli("replay", folder / "face-0.png")
    assert result.exit_code == 1
    assert "carries no recipe" in result.stderr


# -- what is wrong with the pictures --------------------------------------------------------------


def test_no_such_path(tmp_path: Path) -> None:
    refused(centroid(tmp_path / "nowhere"), 1, "nowhere")


def test_no_path_at_all() -> None:
    refused(centroid(), 2, "No pictures are named", "--demo faces")


def test_a_folder_with_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no picture")
    refused(centroid(tmp_path), 1, "picture")


def test_one_picture_only_is_its_own_centroid(folder: Path, out: Path) -> None:
    result = answer(centroid(folder / "face-0.png", "-o", out, "--json"))
    assert result["stats"]["effective_count"] == 1
    assert result["stats"]["amplification"] == pytest.approx(1)


def test_more_pictures_asked_for_than_there_are_is_said(folder: Path, out: Path) -> None:
    result = centroid(folder, "-n", "64", "-o", out)
    assert result.exit_code == 0
    assert "Asked for 64 pictures, found 6" in result.stderr


def test_pictures_that_cannot_be_read_are_named_and_passed_over(folder: Path, out: Path) -> None:
    reasons = spoil(folder)
    result = centroid(folder, "-n", "4", "-o", out, "--json")
    assert result.exit_code == 3
    content = answer(result)
    assert [Path(image["path"]).name for image in content["images"]] == [
        f"face-{index}.png" for index in range(4)
    ]
    assert {Path(failure["path"]).name for failure in content["failures"]} == set(reasons)
    for name, word in reasons.items():
        lines = [line for line in result.stderr.splitlines() if name in line]
        assert len(lines) == 1
        assert word in lines[0].replace(",", "")


def test_strict_stops_at_the_first_picture_that_cannot_be_read(folder: Path, out: Path) -> None:
    spoil(folder)
    refused(centroid(folder, "--strict", "-o", out), 1, "a-truncated.jpg")
    assert not out.exists()


def test_a_folder_of_nothing_readable(tmp_path: Path) -> None:
    spoil(tmp_path)
    refused(centroid(tmp_path), 1, "None of the pictures can be read", "c-text.png")


def test_every_kind_of_picture_is_mixed(tmp_path: Path, out: Path) -> None:
    place = tmp_path / "kinds"
    place.mkdir()
    plain = Image.linear_gradient("L").resize((40, 30))
    plain.convert("CMYK").save(place / "cmyk.jpg")
    Image.new("I;16", (40, 30), 30000).save(place / "sixteen.png")
    palette = plain.convert("P")
    palette.save(place / "palette.png", transparency=3)
    rotated = Image.Exif()
    rotated[0x0112] = 6
    plain.save(place / "rotated.jpg", exif=rotated)
    plain.convert("RGB").save(
        place / "animated.gif", save_all=True, append_images=[Image.new("RGB", (40, 30))]
    )
    Image.new("RGBA", (40, 30), (255, 0, 0, 100)).save(place / "clear.png")
    result = answer(centroid(place, "-n", "6", "-o", out, "--json"))
    assert len(result["images"]) == 6
    assert result["failures"] == []


ODD_NAMES = [
    b"with space.png",
    b"new\nline.png",
    b"esc\x1b[2J\x1b]0;owned\x07.png",
    b"[red]markup.png",
    b"[b.png",
    b"-w.png",
    b"not-utf8-\xff\xfe.png",
    "right-to-left-\u202e.png".encode(),
    "emoji-\U0001f600.png".encode(),
]


def test_any_file_name_is_shown_safely(folder: Path, tmp_path: Path, out: Path) -> None:
    odd = tmp_path / "odd"
    odd.mkdir()
    for index, name in enumerate(ODD_NAMES):
        source = folder / f"face-{index % 6}.png"
        shutil.copyfile(source, os.fsencode(odd) + b"/" + name)
    (odd / "z-[bold]broken\x1b[31m.png").write_text("no")
    for words in (["--json"], []):
        result = centroid(odd, "-n", "99", "-o", out, *words)
        assert result.exit_code == 3, result.output
        assert "\x1b" not in result.output
        assert "\u202e" not in result.output
        assert "z-[bold]broken" in result.stderr
    assert "[red]markup.png" in cli("stats", odd, *QUICK).stdout
    assert cli("replay", out, "-o", tmp_path / "copy.png").exit_code == 0


def test_two_files_with_the_same_content_are_inverted_once(folder: Path, out: Path) -> None:
    shutil.copyfile(folder / "face-0.png", folder / "face-0-copy.png")
    result = answer(cli("invert", folder, "--json", *QUICK))
    assert len(result["images"]) == 7
    hashes = {image["sha256"] for image in result["images"]}
    assert len(hashes) == 6
    assert answer(cli("store", "size", "--json"))["spaces"][0]["rows"] == 6


# -- what is wrong with the words -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["-w", "face-0=-1"], "cannot be used"),
        (["-w", "face-0=nan"], "cannot be used"),
        (["-w", "face-0=inf"], "cannot be used"),
        (["-w", "face-0=half"], "cannot be used"),
        (["-w", "face-0=0", "-w", "face-1=0"], "all zero"),
        (["-w", "face-9=1"], "no picture face-9"),
        (["-w", "face-0"], "NAME=WEIGHT"),
        (["-w", "face-0=1", "-w", "face-0.png=2"], "two weights"),
        (["-w", "face-0=1", "--random", "2"], "--random"),
        (["--method", "nin/cmh"], "did you mean nin/chm"),
        (["--preset", "paper"], "paper-sd15"),
        (["--size", "big"], "Size must be 512 or 768x512"),
        (["--size", "33"], "multiples of 4"),
        (["--solver", "magic"], "fixed-point"),
        (["--fit", "squash"], "crop"),
        (["--guidance", "nan"], "guidance"),
        (["--device", "abacus"], "abacus"),
        (["--dtype", "int8"], "float16"),
        (["--steps", "5000"], "between 1 and 999"),
        (["-o", "out.jpg"], "not a PNG"),
        (["--demo", "faces"], "exclude each other"),
    ],
)
def test_words_that_cannot_be_meant_are_usage_errors(
    folder: Path, words: list[str], said: str
) -> None:
    given = ["--steps", "2", "--size", "32", "--device", "cpu", "-o", str(folder / "out.png")]
    result = cli("mix", folder, *given, *words)
    refused(result, 2, said)
    assert not (folder / "out.png").exists()


def test_an_unknown_demo_names_the_nearest() -> None:
    refused(centroid("--demo", "face"), 2, "faces")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        ("name,weight\n", "empty"),
        ("face-0.png\n", "name,weight"),
        ("face-0.png,heavy\n", "heavy"),
    ],
)
def test_a_weights_file_that_cannot_be_used(
    folder: Path, tmp_path: Path, text: str, said: str
) -> None:
    table = tmp_path / "weights.csv"
    table.write_text(text)
    refused(cli("mix", folder, "--weights", table, *QUICK), 2, said)


def test_a_weights_file_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    refused(cli("mix", folder, "--weights", tmp_path / "none.csv", *QUICK), 1, "none.csv")


def test_a_result_never_overwrites_one_of_its_pictures(folder: Path) -> None:
    picture = folder / "face-0.png"
    before = picture.read_bytes()
    refused(centroid(folder, "-n", "2", "-o", picture), 2, "is one of the pictures")
    assert picture.read_bytes() == before


def tampered(source: Path, target: Path, change: dict[str, Any]) -> Path:
    """A copy of a result with other values in its recipe."""
    recipe = json.loads(read_text(source)["latmix"])
    write_png(Image.open(source), target, {"latmix": json.dumps({**recipe, **change})})
    return target


@pytest.mark.parametrize(
    "change",
    [
        {"model": {}},
        {"model": {"name": "mini", "fingerprint": "0", "dtype": "int8"}},
        {"images": []},
        {"images": [{"path": "a", "sha256": "b", "weight": -1, "prompt": ""}]},
        {"images": [{"path": "a", "sha256": "b", "weight": float("nan"), "prompt": ""}]},
        {"inversion": {"size": "64"}},
        {"inversion": {"size": [64, 64, 64]}},
        {"inversion": {"size": [64.5, 64]}},
        {"generation": {"steps": 2.5, "guidance": 1, "negative": ""}},
        {"generation": {"steps": 2, "guidance": 1, "negative": 5}},
        {"seed": 1e999},
        {"method": "nin/xyz"},
        {"prompt": "\ud800"},
        {"latmix": 99},
    ],
)
def test_a_recipe_that_was_tampered_with_is_a_sentence(
    folder: Path, out: Path, tmp_path: Path, change: dict[str, Any]
) -> None:
    centroid(folder, "-n", "2", "-o", out)
    spoilt = tampered(out, tmp_path / "spoilt.png", change)
    result = cli("replay", spoilt, "-o", tmp_path / "again.png")
    assert result.exit_code in (1, 2)
    assert result.stderr.startswith("latmix: ") or "\nlatmix: " in result.stderr
    assert "Traceback" not in result.output
    assert not (tmp_path / "again.png").exists()


def test_a_replay_compares_with_the_result_as_it_was(folder: Path, out: Path) -> None:
    centroid(folder, "-n", "2", "-o", out)
    recipe = json.loads(read_text(out)["latmix"])
    other = {**recipe["generation"], "steps": 9}
    versions = {"torch": "\x1b[2Jother"}
    tampered(out, out, {"generation": other, "versions": versions})
    result = cli("replay", out, "-o", out)
    assert "a different picture" in result.stderr
    assert "\x1b" not in result.output


def test_steps_that_do_not_reach_noise_are_said(folder: Path, out: Path) -> None:
    assert "latents are not noise" in centroid(folder, "-n", "2", "-o", out).stderr


def test_an_ascii_terminal_gets_escapes_instead_of_an_error(folder: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"}
    words = ["centroid", str(folder), "-n", "2", *QUICK, "-o", str(tmp_path / "\u00e9.png")]
    result = subprocess.run([*LATMIX, *words], capture_output=True, env=environment)
    assert result.returncode == 0, result.stderr
    assert rb"\xc3\xa9.png" in result.stdout


# -- what is wrong with the machine ---------------------------------------------------------------


def test_an_output_folder_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    result = centroid(folder, "-n", "2", "-o", tmp_path / "no" / "out.png")
    refused(result, 1, "out.png")


@contextmanager
def not_root() -> Iterator[None]:
    """Nobody while it lasts, so that permissions mean something."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_read_only_output_folder_is_refused_before_any_work(own_home: Path) -> None:
    with not_root():
        result = centroid("--demo", "faces", "-o", "/latmix-test.png")
    refused(result, 1, "permission")
    assert not list(own_home.glob("latents"))


def test_a_full_disk_is_explained_and_nothing_half_written(folder: Path, tmp_path: Path) -> None:
    """In a process of its own, that may write no file of more than 600 bytes."""
    script = (
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (600, 600))\n"
        "from latmix.cli import main; main()\n"
    )
    words = ["centroid", str(folder), "-n", "2", *QUICK, "-o", str(tmp_path / "out.png")]
    result = subprocess.run([sys.executable, "-c", script, *words], capture_output=True, text=True)
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    assert "latent" in result.stderr
    assert not (tmp_path / "out.png").exists()


LATMIX = [sys.executable, "-m", "latmix"]


def test_an_interrupt_keeps_what_was_finished_and_the_next_run_goes_on(
    tmp_path: Path, own_home: Path
) -> None:
    words = ["invert", "--demo", "faces", "-n", "8", "--batch", "2", "--steps", "4", *QUICK[2:]]
    process = subprocess.Popen(
        [*LATMIX, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A shell starts what runs in its background deaf to interrupts, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    while not (line := process.stderr.readline()).startswith("invert 2/8"):
        assert line, "it ended before it was interrupted"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "run it again" in said
    result = answer(cli(*words, "--json"))
    assert len(result["images"]) == 8
    assert 0 < result["cached"] < 8


def test_a_draft_is_made_and_made_again(folder: Path, tmp_path: Path) -> None:
    out, again = tmp_path / "draft.png", tmp_path / "again.png"
    words = [folder, "-n", "2", "--solver", "ddim", "--steps", "6", "--device", "cpu"]
    cli("centroid", *words, "--draft", "3", "-o", out)
    recipe = json.loads(Image.open(out).text["latmix"])
    assert recipe["generation"]["draft"] == 3
    assert cli("replay", out, "-o", again).exit_code == 0
    assert ImageChops.difference(Image.open(out), Image.open(again)).getbbox() is None
    refused(cli("centroid", *words, "--draft", "7", "-o", out), 2, "from 1 to the 6 steps")


def test_a_result_is_told_the_mixture_of_prompts_or_one_of_its_own(
    folder: Path, tmp_path: Path
) -> None:
    for index, words in enumerate(("an emoji of a face", "an emoji of a red heart")):
        (folder / f"face-{index}.txt").write_text(words)
    out = [tmp_path / f"{name}.png" for name in ("plain", "mixed", "one", "again")]
    words = [folder, "-n", "2", *QUICK]
    for file, more in zip(
        out, ([], ["--prompt-mix"], ["--result-prompt", "an emoji of a cat"]), strict=False
    ):
        assert cli("centroid", *words, *more, "-o", file).exit_code == 0
    plain, mixed, one = (Image.open(file).convert("RGB").tobytes() for file in out[:3])
    assert plain == mixed != one
    assert read_recipe(out[2]).generation["prompt"] == "an emoji of a cat"
    assert "prompt" not in read_recipe(out[0]).generation
    assert cli("replay", out[2], "-o", out[3]).exit_code == 0
    assert Image.open(out[3]).convert("RGB").tobytes() == one
    both = cli("mix", *words, "--prompt-mix", "--result-prompt", "a cat", "-o", out[3])
    refused(both, 2, "Leave --prompt-mix out")
