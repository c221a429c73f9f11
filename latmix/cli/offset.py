"""`latmix study offset`: what an offset of one channel does to a picture (L&K figure 6)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from latmix.cli import console
from latmix.cli.command import command
from latmix.cli.lists import PromptOfDemo, check_channels, numbers, whole_numbers
from latmix.cli.options import Guidance, Inverting, ModelOptions, option
from latmix.cli.outputs import VECTORS, Findings, Outputs, Seed, StudyOptions, sheet_writers
from latmix.cli.run import Run
from latmix.errors import UsageError
from latmix.names import display_name

if TYPE_CHECKING:
    from latmix.study.offset import OffsetPicture
    from latmix.study.sheet import Sheet


@command
def offset(
    model: ModelOptions,
    inverting: Inverting,
    output: StudyOptions,
    *,
    channels: Annotated[str, option("Channels to move, one after the other.")] = "0,1",
    offsets: Annotated[
        str, option("Sizes b; each is taken as -b and +b.", "-b", "--offsets")
    ] = "0.2,0.4,0.8",
    demo: PromptOfDemo = None,
    guidance: Guidance,
    seed: Seed = 0,
) -> int:
    """Offset the top quarter of a latent, as noise and as picture, and look what changes."""
    from latmix.results.names import free_name
    from latmix.study.noise import sample_noise
    from latmix.study.offset import offset_pictures

    sizes = _sizes(offsets)
    named = whole_numbers(channels, "--channels", least=0)
    outputs = Outputs.of(output.output or [free_name(Path("offset.png"))], drawn=VECTORS)
    run = Run.of(model, inverting | guidance, output.quiet, demo)
    bench, prompt = run.bench, run.choices.prompt
    check_channels(named, bench.source.channels)
    signed = [-size for size in reversed(sizes)] + [0.0] + sizes
    [noise] = sample_noise(1, bench.source.latent_shape(run.inverting.size), seed)
    cases = [(channel, offset) for channel in named for offset in signed]
    made = run.drive(offset_pictures(bench, noise, cases, prompt, run.generating))
    rows = [
        {name: value for name, value in vars(each).items() if name != "picture"} for each in made
    ]
    content = {"model": bench.source.name, "prompt": prompt, "seed": seed, "pictures": rows}
    drawn = sheet_writers(lambda: _sheet(made, len(signed)))
    return outputs.finish(output, Findings(content, rows, drawn, lambda: _print(made)))


def _sizes(text: str) -> list[float]:
    """The sizes of offsets, ascending.

    Raises:
        UsageError: one is no number above 0.
    """
    sizes = sorted(set(numbers(text, "-b")))
    if sizes[0] <= 0:
        raise UsageError(
            f"-b {display_name(text)} holds a size that is not above 0.",
            "Name sizes: each is taken with both signs, and 0 is always shown.",
        )
    return sizes


def _sheet(made: Sequence[OffsetPicture], offsets: int) -> Sheet:
    """A row a time and channel, a column an offset."""
    from latmix.sampling.batches import split
    from latmix.study.sheet import plain_sheet

    rows = split(made, offsets)
    names = [f"t = {row[0].time}, channel {row[0].channel}" for row in rows]
    columns = [f"b = {each.offset:+g}" if each.offset else "b = 0" for each in rows[0]]
    return plain_sheet(columns, names, [[each.picture for each in row] for row in rows])


def _print(made: Sequence[OffsetPicture]) -> None:
    console.screen().print("Root mean square change of pixels, of 255 levels:")
    rows = (
        (e.time, e.channel, f"{e.offset:+g}", f"{e.change_top:.1f}", f"{e.change_rest:.1f}")
        for e in made
        if e.offset
    )
    console.print_table(["t", "#channel", "#b", "#top quarter", "#rest"], rows)
