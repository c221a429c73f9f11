"""`latmix doctor` and `themes`: what this machine has, and what the terminal UI can look like."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Annotated, Any

from latmix.cli import console
from latmix.cli.command import command
from latmix.cli.driving import drive
from latmix.cli.options import ModelOptions, SayOptions, option
from latmix.cli.run import make_workbench
from latmix.errors import LatmixError
from latmix.names import display_name, size_text
from latmix.sampling.settings import STEPS
from latmix.sampling.solvers import SOLVERS

DRAFT = 10
"""Steps of the draft that `doctor --bench` tells the time of, beside a whole one of `STEPS`."""

Bench = Annotated[bool, option("Measure how quick a model is here: half a minute.", "--bench")]


@command
def doctor(model: ModelOptions, output: SayOptions, bench: Bench = False) -> int:
    """What this machine has: devices, versions, models, folders, terminal; problems come last."""
    content, problems = _examine()
    speed = _measured(model, output.quiet) if bench else None
    if output.json:
        console.print_json(content | ({"speed": speed} if speed else {}) | {"problems": problems})
        return 1 if problems else 0
    console.print_table(("", ""), (content | (_told(speed) if speed else {})).items())
    for problem in problems:
        console.say(f"problem: {problem}")
    if not problems:
        console.say("No problems found.", output.quiet)
    return 1 if problems else 0


def _measured(options: ModelOptions, quiet: bool) -> dict[str, Any]:
    """The figures of `measure_speed`, and what follows from them for 50 steps."""
    from latmix.jobs.speed import measure_speed

    bench = make_workbench(options, quiet)
    speed = drive(measure_speed(bench), quiet)
    guided = bench.source.guided_calls
    return {
        "model": bench.source.name,
        "device": str(bench.device),
        "dtype": bench.dtype,
        **vars(speed),
        "share": speed.share,
        "inversion": {
            name: speed.seconds(STEPS, solver.calls)
            for name, solver in SOLVERS.items()
            if solver.suits(bench.source)
        },
        "generation": speed.seconds(STEPS, guided),
        "one": STEPS * guided * speed.alone + speed.decode,
        "draft": DRAFT * guided * speed.alone + speed.decode,
    }


def _told(speed: dict[str, Any]) -> dict[str, str]:
    """The figures as a person reads them."""
    batch, rate = speed["batch"], speed["product"]
    share = f", {speed['share']:.0%} of it in the network" if speed["operations"] else ""
    solvers = [f"{name} {seconds:.3g} s" for name, seconds in speed["inversion"].items()]
    return {
        "measured": f"{speed['model']} on {speed['device']}, {speed['dtype']}, batch {batch}",
        "matrix product": f"{rate / 1e12:.3g} TFLOP/s{share}",
        "network call": f"{speed['alone'] * 1e3:.3g} ms a picture, "
        f"{speed['together'] / batch * 1e3:.3g} ms in batches of {batch}",
        f"invert, {STEPS} steps": f"a picture: {', '.join(solvers)}",
        f"generate, {STEPS} steps": f"a picture: {speed['generation']:.3g} s with guidance",
        "one mixture": f"{speed['one']:.3g} s, a draft of {DRAFT} steps {speed['draft']:.3g} s",
        "change of a weight": f"{speed['change'] * 1e3:.2g} ms to the statistics of 96 latents",
    }


@command
def themes(output: SayOptions) -> int:
    """The terminal UI's themes: those that come with latmix and your own."""
    from latmix.tui.terminal.themes import load_themes

    found = load_themes()
    names = [theme.name for theme in found.loaded]
    if output.json:
        console.print_json({"themes": names, "failed": list(found.failed)})
        return 0
    for name in names:
        console.screen().print(display_name(name))
    for reason in found.failed:
        console.say(reason)
    return 0


@command
def keys(output: SayOptions) -> int:
    """The terminal UI's keys by binding id, your own included, and what is wrong with those."""
    from latmix.config import load_config
    from latmix.tui.keys.keymap import check_keymap, key_rows
    from latmix.tui.keys.scopes import SCOPES

    keymap = check_keymap(load_config().keys, SCOPES)
    rows = key_rows(keymap, SCOPES)
    if output.json:
        console.print_json({"keys": [vars(row) for row in rows], "failed": list(keymap.faults)})
        return 0
    console.print_table(("id", "keys", "what"), ((row.id, row.keys, row.what) for row in rows))
    for reason in keymap.faults:
        console.say(reason)
    return 0


def _examine() -> tuple[dict[str, Any], list[str]]:
    """What there is, and what is wrong with it."""
    from latmix.config import config_file, load_config
    from latmix.results.recipes import current_versions
    from latmix.viewer import viewer_command

    problems: list[str] = []
    content: dict[str, Any] = {**current_versions(), "devices": ", ".join(_devices())}
    content["configuration"] = display_name(config_file())
    try:
        config = load_config()
    except LatmixError as error:
        problems.append(str(error))
    else:
        content |= _folders(config.home, problems)
        content["log"] = display_name(config.log_file)
        content["model"] = _auto_model(config.model, problems)
    viewer = viewer_command() or ["none (results are named, not opened)"]
    content["viewer"] = display_name(viewer[0])
    content["terminal"] = f"{os.environ.get('TERM', 'none')}, colours {_colours()}"
    return content, problems


def _devices() -> list[str]:
    import torch

    found = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        memory = properties.total_memory / 2**30
        found.append(f"cuda:{index} ({properties.name}, {memory:.0f} GiB)")
    if torch.backends.mps.is_available():
        found.append("mps")
    return [*found, f"cpu ({torch.get_num_threads()} threads)"]


def _folders(home: Any, problems: list[str]) -> dict[str, str]:
    """The folder of latents and results, its room, and whether it can be written."""
    there = home
    while not there.exists() and there != there.parent:
        there = there.parent
    free = shutil.disk_usage(there).free
    if not there.is_dir():
        problems.append(f"{display_name(there)} is not a folder; set LATMIX_HOME to one.")
    elif not os.access(there, os.W_OK):
        problems.append(
            f"{display_name(there)} cannot be written; set LATMIX_HOME to a folder that can."
        )
    if free < 2**30:
        problems.append(f"Only {size_text(free)} are free at {display_name(there)}.")
    return {"home": display_name(home), "free": size_text(free)}


def _auto_model(configured: str, problems: list[str]) -> str:
    from latmix.models.source import find_model

    if configured:
        try:
            find_model(configured)
        except LatmixError as error:
            problems.append(f"configured model: {error}")
    return find_model("auto", configured).name


def _colours() -> str:
    if "NO_COLOR" in os.environ:
        return "off (NO_COLOR)"
    if os.environ.get("COLORTERM") in ("truecolor", "24bit"):
        return "24 bit"
    return "256" if "256" in os.environ.get("TERM", "") or sys.platform == "win32" else "16"
