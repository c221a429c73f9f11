"""A small denoiser on a processor, recorded once it is called often, so that calls skip Python.

Of a call of the built-in UNet for one or two pictures, Python takes half. Its operations are
recorded by `torch.jit.trace` and run without it: the same operations in the same order, and so the
same bits. Without Python a large batch can be worked on in parts, each on a core of its own.
Recording costs as much as twenty calls save, and so is left until there have been some;
LATMIX_RECORD_AFTER says how many (0: never). Called by the families.

torch 2.13 deprecates tracing and names torch.export and torch.compile instead. Time of a call for
1, 2, 8 and 32 pictures as a share of the direct one, on one thread: traced 0.58, 0.67, 0.79, 0.86
after 0.2 s of recording; exported 0.93, 0.95, 0.88, 0.94 after 4 s; compiled without a C++
compiler, which users need not have, 0.90, 0.83, 0.90, 0.91 after 15 s. Traced and exported are
shares of processor time, compiled of wall time, in which other work of the machine counts too. So
it is tracing where there is any, and the direct call, with the same bits, where there is none.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from latmix.images.hush import HUSH
from latmix.models.side_by_side import side_by_side

Work = Callable[..., Tensor]

SMALL = 50_000_000
"""Parameters of a network below which the time that Python takes is worth saving."""

CALLS = 20
"""Calls before one is recorded: the time they could have saved is about what recording takes.

A call for many pictures, which could have saved more, counts once more for each `EACH` of them.
"""

EACH = 8

UNRECORDABLE = (AttributeError, ImportError, NotImplementedError, RuntimeError, TypeError)
"""What is raised where a torch records no more, or cannot record this."""


def is_worth_recording(network: nn.Module, device: torch.device, offload: str) -> bool:
    """Whether a network that has been loaded spends much of a call in Python."""
    count = sum(parameter.numel() for parameter in network.parameters())
    return device.type == "cpu" and offload == "none" and count <= SMALL


class RecordedUNet:
    """A diffusers UNet, told by one text; recorded for each height and width, for every batch."""

    def __init__(self, network: Any) -> None:
        self._network = network.requires_grad_(False)  # adapters' too, or they are no constants
        self._calls: dict[tuple[int, ...], int] = {}
        self._recorded: dict[tuple[int, ...], Any] = {}
        self._after = calls_before_recording()

    def __call__(self, state: Tensor, time: float, text: Tensor) -> Tensor:
        """The prediction for states (B, C, H, W); no gradient can be asked of it."""
        size = (*state.shape[1:], *text.shape[1:])
        at = torch.tensor(time, dtype=torch.float64)
        before = self._calls.get(size, 0)
        self._calls[size] = before + 1 + len(state) // EACH
        if not self._after or before < self._after:
            return self._direct(state, at, text)
        if size not in self._recorded:
            try:
                self._recorded[size] = recorded(self._direct, (state[:2], at, text[:2]))
            except UNRECORDABLE as error:
                self._after = 0
                logging.getLogger("latmix").warning("networks run unrecorded: %s", error)
                return self._direct(state, at, text)
        network = self._recorded[size]

        def part(rows: slice) -> Tensor:
            # Without a second round of optimising, which takes longer than it saves.
            with torch.no_grad(), torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
                output: Tensor = network(state[rows], at, text[rows])
                return output

        return side_by_side(part, len(state))

    def _direct(self, state: Tensor, time: Tensor, text: Tensor) -> Tensor:
        output: Tensor
        (output,) = self._network(state, time, encoder_hidden_states=text, return_dict=False)
        return output


def calls_before_recording() -> int:
    """LATMIX_RECORD_AFTER, or `CALLS` where it is no whole number; 0 is never."""
    text = os.environ.get("LATMIX_RECORD_AFTER", "")
    return int(text) if text.isdecimal() else CALLS


def recorded(work: Work, example: tuple[Tensor, ...]) -> Any:
    """What some work does with tensors like these, what else it uses built in as constants.

    A function is recorded in a quarter of the time that its network would take, module by module.
    """
    # What is hushed is said of sides that do not halve, the same for all that this is called with.
    with HUSH, torch.no_grad():
        return torch.jit.trace(work, example, check_trace=False)  # type: ignore[no-untyped-call]
