"""What a version leaves on a disk, made once and kept: `python -m tests.earlier.make FOLDER`.

Run it with the version whose files they shall be; a later one is to read what is there, so it is
not run again. It asks for nothing that is not built in, takes half a minute, and leaves in FOLDER:

    pictures/       what is mixed: copies of built-in hearts under other names, and one of our own
    home/           a store of latents in many spaces, results of the explorer, samples
    sessions/       what the explorer saved
    results/        a PNG of every command that writes one with a recipe
    studies/        what sweep and the studies go on from
    weights/        CSV files of the explorer and by hand
    config/, tiny/  every setting, a theme, and the tiny autoencoder that they name
    adapters/       a LoRA
    command.txt     the command that the explorer copied
    made.json       each command line with what it said, which the tests hold against the present

The explorer writes absolute paths: where FOLDER was they have `@ROOT@`, to be put back.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import shutil
import sys
from pathlib import Path
from typing import Any

# Before torch is loaded: to the same bits wherever it runs.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["LATMIX_RECORD_AFTER"] = "0"

from PIL import Image, ImageDraw
from PIL.PngImagePlugin import PngInfo
from textual.widgets import Input
from typer.testing import CliRunner

from latmix import demo
from latmix.cli import app
from latmix.config import load_config
from latmix.session.session import Session
from latmix.tui.dialogs.method import MethodDialog
from latmix.tui.dialogs.settings import SettingsDialog
from latmix.tui.dialogs.text_entry import ExportDialog, FileDialog
from latmix.tui.pictures.variants import VariantsScreen
from tests.support.driver import Driver, opened

ROOT = "@ROOT@"

PICTURES = {
    "blue.png": "light-blue-heart-twemoji.png",
    "pink.png": "pink-heart-twemoji.png",
    "purple.png": "purple-heart-twemoji.png",
    "soft green.png": "soft-green-heart-twemoji.png",
    "more/blue.png": "yellow-heart-twemoji.png",
    "more/red.png": "red-heart-twemoji.png",
}

QUICK = ["--steps", "3"]
NULL_TEXT = ["--solver", "null-text", "--inner-steps", "1", *QUICK]
PROMPTED = ["--prompt", "an emoji of a {name} heart in {folder}", *QUICK]
GUIDED = ["--solver", "ddim", "--inversion-guidance", "2", "--negative", "a photograph", *QUICK]
SIZED = ["--size", "48x32", "--fit", "pad", *QUICK]
PRESET = ["--preset", "paper-sd15", *QUICK]
LORA = ["--lora", "adapters/anna.safetensors=0.5", "--solver", "ddim", "--steps", "2"]
JOINED = ["pictures", "--solver", "ddim", "--steps", "4"]

SPACES: dict[str, list[str]] = {
    # Joined from two files by `store compact`.
    "joined": JOINED,
    "alias": ["pictures", "--solver", "euler", "--steps", "4"],
    # In two files.
    "plain": ["pictures", "--recursive", *QUICK],
    "prompted": ["pictures", "-n", "2", *PROMPTED],
    "belm": ["pictures", "-n", "3", "--solver", "belm", *QUICK],
    "null-text": ["pictures", "-n", "2", "--inversion-guidance", "3", *NULL_TEXT],
    "negative-prompt": ["pictures", "-n", "3", "--solver", "negative-prompt", *QUICK],
    "guided": ["pictures", "-n", "2", *GUIDED],
    "preset": ["pictures", "-n", "2", *PRESET],
    "sized": ["pictures", *SIZED],
    "stretched": ["pictures/wide.png", "--fit", "stretch", "--steps", "2"],
    "shared-noise": ["pictures", "-n", "2", "--solver", "shared-noise", *QUICK],
    "renoise": ["pictures", "-n", "2", "--solver", "renoise", "--steps", "2"],
    "bfloat16": ["pictures", "-n", "2", "--dtype", "bfloat16", "--steps", "2"],
    "lora": ["pictures", "-n", "2", *LORA],
    "flow": ["pictures", "-n", "2", "--model", "mini-flow", "--solver", "midpoint", *QUICK],
    "fireflow": ["pictures", "-n", "2", "--model", "mini-flow", "--solver", "fireflow", *QUICK],
    "flow's own": ["pictures", "-n", "2", "--model", "mini-flow", *QUICK],
}
"""Words of `invert`, and of `stats`."""

HALVES = {"joined": [*JOINED, "-n", "2"], "plain": ["pictures", "-n", "2", *QUICK]}
"""What is inverted before the rest of its space, so that it lies in a file of its own."""

METHODS = ("lin/0", "fix/chm", "nin/lp:auto", "coh/lp:1.5", "lol/m", "clol/0", "adain/chm")
METHODS += ("slerp/chm", "nao/lp:2")

RESULTS: dict[str, list[str]] = {
    "plain": ["centroid", "pictures", "-n", "3", *QUICK],
    "draft": ["centroid", "pictures", "-n", "3", "--draft", "2", *QUICK],
    "told": ["centroid", "pictures", "-n", "3", "--result-prompt", "an emoji of a dog", *QUICK],
    "prompted": ["centroid", "pictures", "-n", "2", "--prompt-mix", *PROMPTED],
    "null-text": ["centroid", "pictures", "-n", "2", "--guidance", "3", *NULL_TEXT],
    "belm": ["centroid", "pictures", "-n", "3", "--solver", "belm", *QUICK],
    "negative": ["centroid", "pictures", "-n", "3", "--solver", "negative-prompt", *QUICK],
    "guided": ["centroid", "pictures", "-n", "2", "--guidance", "2.5", *GUIDED],
    "preset": ["centroid", "pictures", "-n", "2", *PRESET],
    "sized": ["centroid", "pictures", "-n", "5", *SIZED],
    "lora": ["centroid", *SPACES["lora"]],
    "flow": ["centroid", *SPACES["flow"]],
    "fireflow": ["centroid", *SPACES["fireflow"]],
    "words": ["mix", "pictures", "-w", "blue.png=0.3", "-w", "soft green=0.7", *QUICK],
    "csv": ["mix", "pictures", "--recursive", "--weights", "weights/by hand.csv", *QUICK],
    "random": ["mix", "pictures", "-n", "3", "--random", "2", "--seed", "5", *QUICK],
    **{
        f"method {name.replace('/', ' ').replace(':', '')}": [
            *("mix", "pictures", "-w", "blue=2", "-w", "pink=1", "-w", "purple=1"),
            *("-m", name, *QUICK),
        ]
        for name in METHODS
    },
}
"""Command lines, but for `-o results/NAME.png`."""

SMALL = ["--solver", "ddim", "--steps", "2", "--size", "32"]

STUDIES: dict[str, list[str]] = {
    "sweep": [
        *("sweep", "pictures", "-n", "1,3", "--methods", "fix/0,nin/lp:1", "--cell", "64", *QUICK),
        *("-o", "studies/sheet.png"),
    ],
    "draws": [
        *("sweep", "pictures", "-n", "2", "--methods", "slerp/0", "--draws", "2", "--seed", "4"),
        *("--draft", "1", *SMALL, "-o", "studies/draws.csv"),
    ],
    "quality": [
        *("study", "quality", "pictures", "-n", "1,2", "--methods", "fix/0,nin/chm"),
        *("--draws", "2", "--seed", "1", *SMALL, "-o", "studies/quality.csv"),
    ],
    "inversion": [
        *("study", "inversion", "pictures", "-n", "2", "--solvers", "ddim,belm", "--steps", "2"),
        *("--guidance", "1,3", "--size", "32", "-o", "studies/inversion.csv"),
    ],
    "recipe": [
        *("study", "recipe", "-n", "1,2", "--perturb", "0,0.02", "--draws", "2", *SMALL),
        *("-o", "studies/recipe.json"),
    ],
}
"""Command lines of studies that keep what they made."""

WEIGHTS = {
    "by hand.csv": "\ufeffName , WEIGHT\r\n\r\n soft green,1\r\npictures/more/blue.png,2.5e0\r\n",
    "no header.csv": 'pictures/more/../pink.png,0.25\n"purple.png", .75\nred,0\n',
}
"""CSV files as people and other programs write them."""

CONFIG = f"""\
model = "mini-flow"
theme = "mine"
home = "{ROOT}/home"
preview_vae = "{ROOT}/tiny"
draft_steps = 3

[keys]
"job.generate" = "G,f5"
"strip.mark" = "m"
"""

THEME = """\
name = "mine"
dark = false
primary = "#204a87"
luminosity_spread = 0.2

[variables]
block-cursor-text-style = "bold"
"""


def main(folder: Path) -> None:
    """Make everything in a folder, which must be empty or missing."""
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        sys.exit(f"{folder} is not empty.")
    os.chdir(folder)
    root = Path.cwd().resolve()
    os.environ |= {"LATMIX_HOME": str(root / "home"), "LATMIX_CONFIG": str(root / "config.toml")}
    draw_pictures()
    write_texts()
    save_tiny()
    save_lora()
    made = {"spaces": fill_store()}
    asyncio.run(explore(root))
    made["results"] = {}
    for name, words in RESULTS.items():
        for told in say(*words, "-o", f"results/{name}.png"):
            made["results"][told["output"]] = {"words": words} | only(told, "seed", "stats")
    made["studies"] = {}
    for name, words in STUDIES.items():
        [told] = say(*words)
        made["studies"][name] = {"words": words, "told": told}
    [store] = say("store", "size")
    made["store"] = [only(space, "id", "rows", "settings") for space in store["spaces"]]
    Path("made.json").write_text(json.dumps(made), encoding="ascii")
    tidy(root)


def fill_store() -> dict[str, Any]:
    """Latents in every space; the words of each, and the numbers of its pictures."""
    made = {}
    for name, words in SPACES.items():
        if name in HALVES:
            say("invert", *HALVES[name])
        say("invert", *words)
        if name == "joined":
            say("store", "compact")
        [told] = say("stats", *words)
        kept = ("sha256", "angle", "influence", "norm_ratio", "channel_mean")
        images = [only(image, *kept) for image in told["images"]]
        made[name] = {"words": words, "stats": told["stats"], "images": images}
    return made


def only(told: dict[str, Any], *names: str) -> dict[str, Any]:
    """Some of what was said."""
    return {name: told[name] for name in names}


def say(*words: str) -> list[Any]:
    """What a command says, as JSON: a line each."""
    result = CliRunner().invoke(app, [*words, "--json"])
    if result.exit_code:
        sys.exit(f"{' '.join(words)}: {result.output}")
    return [json.loads(line) for line in result.stdout.splitlines()]


def draw_pictures() -> None:
    """Copies of built-in pictures, one with a prompt of its own, and one that is nowhere else."""
    Path("pictures/more").mkdir(parents=True)
    for name, built_in in PICTURES.items():
        shutil.copyfile(demo.folder("hearts") / built_in, Path("pictures") / name)
    Path("pictures/purple.txt").write_text("an emoji of a purple heart\n", encoding="utf-8")
    wide = Image.new("RGB", (96, 64), "white")
    ImageDraw.Draw(wide).ellipse((16, 8, 80, 56), fill="orange", outline="brown", width=4)
    wide.save("pictures/wide.png")


def write_texts() -> None:
    """What people write themselves."""
    for folder in ("results", "studies", "sessions", "weights", "config/themes"):
        Path(folder).mkdir(parents=True)
    for name, text in WEIGHTS.items():
        Path("weights", name).write_bytes(text.encode("utf-8"))
    Path("config/config.toml").write_text(CONFIG, encoding="utf-8")
    Path("config/themes/mine.toml").write_text(THEME, encoding="utf-8")


def save_tiny() -> None:
    """A tiny autoencoder of random weights that fits both built-in models no more than in shape."""
    import torch
    from diffusers import AutoencoderTiny

    torch.manual_seed(0)
    AutoencoderTiny(
        latent_channels=16,
        encoder_block_out_channels=(4, 4, 4, 4),
        decoder_block_out_channels=(4, 4, 4, 4),
        num_encoder_blocks=(1, 1, 1, 1),
        num_decoder_blocks=(1, 1, 1, 1),
    ).save_pretrained("tiny")


def save_lora() -> None:
    """An adapter of the built-in model, of rank 1 on one weight."""
    import torch
    from safetensors.torch import save_file

    generator = torch.Generator().manual_seed(0)
    name = "unet.mid_block.attentions.0.transformer_blocks.0.attn1.to_q"
    found = {
        f"{name}.lora_A.weight": torch.randn(1, 128, generator=generator),
        f"{name}.lora_B.weight": torch.randn(128, 1, generator=generator),
    }
    Path("adapters").mkdir()
    save_file(found, "adapters/anna.safetensors")


# The explorer, by its keys


async def explore(root: Path) -> None:
    """Two sessions and what they made; one more that has no folder."""
    random.seed(7)
    choices = {"steps": 3, "solver": "fixed-point", "size": None}
    pictures = root / "pictures"
    async with opened(pictures, (120, 40), recursive=True, count=4, choices=choices) as driver:
        await mix_and_make(driver)
        await arrange(driver, root)
        await write(driver, root)
        driver.session.save(root / "sessions" / "whole.json")
    choices = {"steps": 3, "solver": "midpoint", "size": None}
    async with opened(pictures, fresh=True, model="mini-flow", count=2, choices=choices) as driver:
        await set_everything(driver)
        driver.session.save(root / "sessions" / "sized.json")
    Session(theme="latmix-paper").save(root / "sessions" / "no folder.json")


async def mix_and_make(driver: Driver) -> None:
    """Weights, pins, bookmarks, and two results."""
    await driver.press("i")
    await driver.until(lambda: driver.session.is_measured)
    await driver.press("L", "j", "asterisk", "j", "l", "B")
    await make(driver)
    Path("command.txt").write_text(driver.session.command() + "\n", encoding="utf-8")
    await driver.press("j", "space", "x", "m")
    await driver.until(lambda: isinstance(driver.app.screen, MethodDialog))
    await driver.press("up", "enter")
    await driver.until(lambda: driver.session.choices.method == "fix/lp:1")
    await driver.press("B")
    await make(driver)
    driver.app.take_settings(guidance=2.0, negative="a photograph", draft_steps=2)
    await driver.press("h", "plus", "less_than_sign")
    await driver.until_idle()


async def make(driver: Driver) -> None:
    """A result."""
    before = len(driver.session.results)
    await driver.press("g")
    await driver.until(lambda: len(driver.session.results) > before)
    await driver.until_idle()


async def arrange(driver: Driver, root: Path) -> None:
    """The list, the methods to compare, drafts, the theme, and where the focus is."""
    await driver.press("home", "a", "j", "a", "O", "T", "Z", "end", "z")
    await driver.press("home", "j", "j")
    await driver.press("c")
    await driver.until(lambda: isinstance(driver.app.screen, VariantsScreen))
    await driver.until(lambda: driver.app.screen.variants)
    await driver.press("m")
    await driver.until(lambda: isinstance(driver.app.screen, MethodDialog))
    await driver.press("space", "down", "down", "space", "enter")
    await driver.until(lambda: len(driver.session.compared) > 1)
    await driver.until(lambda: isinstance(driver.app.screen, VariantsScreen))
    await driver.until(lambda: driver.app.screen.variants)
    await driver.press("escape", "D")
    await driver.until_idle()
    driver.app.take_theme("latmix-ember")
    await driver.press("E")
    await dialog(driver, ExportDialog, root / "exported")
    await driver.until(lambda: driver.finished("export"))
    await driver.press("w")
    await driver.until(lambda: driver.app.history.has_focus)


async def write(driver: Driver, root: Path) -> None:
    """The weights, as X writes them."""
    await driver.press("X")
    await dialog(driver, FileDialog, root / "weights" / "explorer.csv")
    await driver.until(lambda: driver.finished("write"))


async def set_everything(driver: Driver) -> None:
    """A size and all other settings, on the form."""
    written = {
        "steps": "4",
        "guidance": "2.5",
        "inversion_guidance": "1.5",
        "size": "48x32",
        "negative": "a photograph",
    }
    await driver.press("comma")
    await driver.until(lambda: isinstance(driver.app.screen, SettingsDialog))
    for field in driver.app.screen.fields:
        if field.name in written:
            field.value = written[field.name]
        elif field.name == "fit":
            field.value = "pad"
    await driver.press("enter")
    await driver.until(lambda: driver.session.choices.size == (48, 32))
    driver.session.choose(prompt="an emoji of a {name}", method="coh/lp:1.5")
    await driver.press("i")
    await driver.until(lambda: driver.session.is_measured)
    await driver.press("l", "asterisk", "B")
    await make(driver)


async def dialog(driver: Driver, kind: type, path: Path) -> None:
    """Answer a dialog that asks for a path."""
    await driver.until(lambda: isinstance(driver.app.screen, kind))
    driver.app.screen.query_one(Input).value = str(path)
    await driver.press("enter")
    await driver.until(lambda: not isinstance(driver.app.screen, kind))


# Made movable


def tidy(root: Path) -> None:
    """Take away what is not to be kept, and the folder's own name out of what is."""
    shutil.rmtree(root / "exported")
    for path in root.rglob("*.log*"):
        path.unlink()

    def move(text: str) -> str:
        return text.replace(str(root), ROOT)

    for pattern in (
        "home/*.json",
        "sessions/*.json",
        "*.txt",
        "made.json",
        "weights/*.csv",
        "studies/*.*",
    ):
        for path in root.glob(pattern):
            if path.suffix != ".png":
                path.write_bytes(move(path.read_bytes().decode("utf-8")).encode("utf-8"))
    for path in root.glob("home/results/*.png"):
        picture = Image.open(path)
        entries = PngInfo()
        entries.add_itxt("latmix", move(picture.text["latmix"]))
        picture.save(path, pnginfo=entries)
    for path in root.glob("home/latents/v1/*/tmp"):
        path.rmdir()
    for path in root.rglob("*"):
        if path.is_file() and str(root).encode() in path.read_bytes():
            sys.exit(f"{path} still holds the name of the folder.")
    shown = load_config().home.relative_to(root)
    print(f"Made in {root}; the home is {shown}.")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
