"""Where jobs run, and how much at a time: settings of this machine, kept by no session."""

from __future__ import annotations

from dataclasses import dataclass

from latmix.errors import UsageError
from latmix.names import display_name
from latmix.session.fields import TEXT, Kind, setting


class Batch(Kind):
    """A number of pictures, or auto, which is None."""

    def parse(self, text: str) -> int | None:
        if text == "auto":
            return None
        if not (text.isdecimal() and int(text) > 0):
            raise UsageError(
                f"--batch {display_name(text)} is not a number of pictures.",
                "Write a whole number of at least 1, or auto.",
            )
        return int(text)


@dataclass(frozen=True)
class Machine:
    """What a model is loaded on. Each is as `latmix explore --help` says it."""

    device: str = setting("auto", TEXT, "auto, cpu, cuda, cuda:1, mps.")
    dtype: str = setting("auto", TEXT, "Of the network: auto, float32, float16, bfloat16.")
    offload: str = setting(
        "none",
        TEXT,
        "What is kept off the device for want of memory: none, model (a part comes when "
        "needed) or sequential (a layer does; slow).",
    )
    batch: int | None = setting(
        None,
        Batch(),
        "Pictures at a time, or auto: 8, on a GPU what its memory has room for; halved where "
        "memory runs out.",
        default_words="auto",
    )


ANY_MACHINE = Machine()
"""Whatever is here."""
