"""The commands that report: invert, stats, models, store, themes, doctor; and the documentation."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops
from typer.main import get_command

import latmix
from latmix.cli import app
from tests.support.command import QUICK, answer, cli, refused

README = Path(__file__).parents[2] / "README.md"


def test_invert_fills_the_store_and_does_it_once(folder: Path) -> None:
    first = answer(cli("invert", folder, "--json", *QUICK))
    again = answer(cli("invert", folder, "--resume", "--json", *QUICK))
    anew = answer(cli("invert", folder, "--no-resume", "--json", *QUICK))
    assert [run["cached"] for run in (first, again, anew)] == [0, 6, 0]
    assert first["calls"] > 0 == again["calls"]


def test_the_round_trip_is_reported_against_the_vae(folder: Path) -> None:
    words = ["--steps", "20", "--prompt", "an emoji of a face", "-n", "3", "--device", "cpu"]
    result = answer(cli("invert", folder, "--report", "--json", *words))
    assert set(result["psnr"]) == {"vae", "picture", "reconstruction"}
    assert result["psnr"]["reconstruction"] > 40
    assert abs(result["psnr"]["picture"] - result["psnr"]["vae"]) < 0.5
    rows = [image["psnr"]["picture"] for image in result["images"]]
    assert math.isclose(sum(rows) / 3, result["psnr"]["picture"])
    assert 0.9 < result["ssim"]["reconstruction"] <= 1
    assert abs(result["ssim"]["picture"] - result["ssim"]["vae"]) < 0.05
    latents = [image["health"] for image in result["images"]]
    assert all(0.5 < latent["norm_ratio"] < 2 for latent in latents)
    assert math.isclose(
        sum(latent["excess_kurtosis"] for latent in latents) / 3,
        result["health"]["excess_kurtosis"],
    )
    shown = cli("invert", folder, "--report", *words)
    assert shown.stdout.count("SSIM") == 3
    assert "kurtosis" in shown.stdout
    assert "3 cached" in shown.stdout


def test_stats_are_the_numbers_that_the_centroid_has(folder: Path, tmp_path: Path) -> None:
    words = [folder, "-n", "3", "--method", "fix/0", "--json", *QUICK]
    before = answer(cli("stats", *words))
    after = answer(cli("centroid", *words, "-o", tmp_path / "out.png"))
    assert before["stats"] == after["stats"]
    assert [image["weight"] for image in before["images"]] == pytest.approx([1 / 3] * 3)
    assert len(before["images"][0]["channel_mean"]) == 4
    assert all(0 < image["angle"] < 90 for image in before["images"])
    alone = answer(cli("stats", folder / "face-0.png", "--json", *QUICK))
    assert alone["images"][0]["angle"] < 0.1


def test_stats_are_tables(folder: Path) -> None:
    shown = cli("stats", folder, "-w", "face-0=1", "-w", "face-1=3", *QUICK).stdout
    for word in ("amplification", "coherence", "effective N", "face-0.png", "0.7500"):
        assert word in shown
    for word in ("verdict", "predicted", "influence", "drives the mixture", "noise", "kurtosis"):
        assert word in shown


def test_stats_say_what_each_picture_does_to_the_mixture(folder: Path) -> None:
    words = [folder, "-n", "3", "--method", "nin/0", "--json", *QUICK]
    whole = answer(cli("stats", *words))
    first, *rest = whole["images"]
    weights = [word for image in rest for word in ("-w", f"{Path(image['path']).stem}=1")]
    without = answer(cli("stats", folder, *weights, *words[3:]))["stats"]
    assert first["without"]["amplification"] == pytest.approx(without["amplification"], rel=1e-6)
    assert first["without"]["norm_ratio"] == pytest.approx(without["norm_ratio"], rel=1e-6)
    largest = max(abs(mean) for mean in without["channel_mean"])
    assert first["without"]["largest_mean"] == pytest.approx(largest, rel=1e-6)
    by_influence = max(whole["images"], key=lambda image: image["influence"])
    by_angle = min(whole["images"], key=lambda image: image["angle"])
    assert (whole["driver"], whole["nearest"]) == (by_influence["path"], by_angle["path"])
    alone = answer(cli("stats", folder / "face-0.png", "--json", *QUICK))
    assert alone["images"][0]["influence"] is None
    assert alone["stats"]["verdict"] == "fine"
    assert alone["stats"]["norm_ratio"] == pytest.approx(alone["images"][0]["norm_ratio"])


def test_models_are_listed_and_shown() -> None:
    listed = answer(cli("models", "list", "--json"))
    here = {model["name"]: model["is_here"] for model in listed}
    assert [here[name] for name in ("mini", "sd15", "sd35")] == [True, False, False]
    assert here.get("mini-flow", True)
    assert "mini" in cli("models").stdout
    shown = answer(cli("models", "show", "mini", "--json"))
    assert (shown["size"], shown["latents"]) == ([64, 64], [4, 16, 16])
    assert "fingerprint" in cli("models", "show", "mini").stdout
    refused(cli("models", "show", "mimi"), 1, "mini")
    refused(cli("models", "pull", "mini"), 1, "built in")


def test_a_model_that_is_not_a_folder_is_refused_by_every_command(
    folder: Path, tmp_path: Path
) -> None:
    for command in ("centroid", "mix", "invert", "stats"):
        refused(cli(command, folder, "--model", tmp_path / "nothing", *QUICK), 1, "model folder")


def test_the_store_is_measured_checked_and_emptied(folder: Path, own_home: Path) -> None:
    cli("invert", folder, *QUICK)
    [space] = answer(cli("store", "size", "--json"))["spaces"]
    assert space["rows"] == 6
    shown = cli("store").stdout
    assert space["id"] in shown
    assert "mini" in shown
    assert answer(cli("store", "verify", "--json"))["rows"] == 6
    freed = answer(cli("store", "prune", "--space", space["id"], "--dry-run", "--json"))
    assert freed == {"bytes": freed["bytes"], "is_dry_run": True}
    assert freed["bytes"] > 6 * 4 * 64 * 4
    assert answer(cli("store", "compact", "--json")) == {
        "bytes": 0, "files": 0, "is_dry_run": False
    }  # fmt: skip
    cli("store", "prune", "--space", space["id"])
    assert answer(cli("store", "size", "--json"))["spaces"] == []


def test_a_damaged_latent_is_found_and_made_again(
    folder: Path, own_home: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.png"
    cli("centroid", folder, "-n", "3", "-o", out, *QUICK)
    good = Image.open(out).copy()
    [shard] = own_home.glob("latents/v1/*/shards/*.safetensors")
    content = bytearray(shard.read_bytes())
    content[-600] ^= 4
    shard.write_bytes(content)
    assert cli("store", "verify").exit_code == 1
    result = answer(cli("centroid", folder, "-n", "3", "-o", out, "--json", *QUICK))
    assert result["cached"] == 2
    # Alone in its batch it differs from the first time by rounding.
    difference = ImageChops.difference(Image.open(out), good).getextrema()
    assert max(high for _, high in difference) <= 2
    cli("store", "prune")
    assert cli("store", "verify").exit_code == 0


def test_themes_are_listed() -> None:
    assert len(answer(cli("themes", "--json"))["themes"]) >= 4
    assert cli("themes").stdout.strip()


def test_the_doctor_says_what_there_is_and_what_is_wrong(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    healthy = answer(cli("doctor", "--json"))
    assert healthy["problems"] == []
    assert healthy["model"] == "mini"
    assert "torch" in cli("doctor").stdout
    (own_home / "config.toml").write_text('modle = "mini"')
    ill = cli("doctor", "--json")
    assert ill.exit_code == 1
    assert "Did you mean model?" in json.loads(ill.stdout)["problems"][0]
    (own_home / "config.toml").write_text('model = "somebody/absent"')
    assert "not on this machine" in json.loads(cli("doctor", "--json").stdout)["problems"][0]


def test_the_doctor_measures_a_model(own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("latmix.jobs.speed.SECONDS", 0.0)
    told = cli("doctor", "--bench", "--batch", "2")
    assert told.exit_code == 0
    assert "network call" in told.stdout and "fixed-point" in told.stdout
    speed = answer(cli("doctor", "--bench", "--batch", "2", "--json"))["speed"]
    assert speed["model"] == "mini" and speed["batch"] == 2
    assert 0 < speed["share"] < 1.5 and speed["operations"] > 1e6
    assert speed["inversion"]["ddim"] == pytest.approx(25 * speed["together"])
    assert speed["draft"] < speed["one"]


def test_a_broken_configuration_is_a_sentence(folder: Path, own_home: Path) -> None:
    (own_home / "config.toml").write_text("model = ")
    refused(cli("centroid", folder, *QUICK), 1, "config.toml")


def test_the_version_is_the_packages() -> None:
    assert cli("--version").stdout.strip() == f"latmix {latmix.__version__}"


def commands() -> list[str]:
    """Every command, "models pull" and the like included."""
    found = []
    for name, command in get_command(app).commands.items():  # type: ignore[attr-defined]
        inner = getattr(command.loaded, "commands", {})
        found += [f"{name} {word}" for word in inner] or [name]
    return found


def found(command: str) -> Any:
    """The command itself, which a group imports when it is asked for."""
    one: Any = get_command(app)
    for word in command.split():
        one = one.commands[word]
        one = getattr(one, "loaded", one)
    return one


@pytest.mark.parametrize("command", commands())
def test_every_command_helps_and_is_documented(command: str) -> None:
    result = cli(*command.split(), "--help")
    assert result.exit_code == 0
    assert f"latmix {command}" in README.read_text()


@pytest.mark.parametrize("command", commands())
def test_every_option_says_what_it_does(command: str) -> None:
    for parameter in found(command).params:
        assert getattr(parameter, "help", None), f"{command} {parameter.name}"


@pytest.mark.parametrize("command", [*commands(), "models", "store", "study"])
def test_help_says_of_a_command_what_its_own_help_says_first(command: str) -> None:
    group, _, name = command.rpartition(" ")
    listed = found(group).commands[name] if group else get_command(app).commands[name]
    assert listed.get_short_help_str(200) == found(command).get_short_help_str(200)


def test_every_method_is_in_the_readme() -> None:
    text = README.read_text()
    for name in {name for method in latmix.methods() for name in method.split("/")}:
        assert re.search(rf"`{name}`", text), name
