"""A small denoiser on a processor, recorded once it is called often, so that calls skip Python.

Of a call of the built-in UNet for one or two pictures, Python takes half. Its operations are
recorded by `torch.jit.trace` and run without it: the same operations in the same order, and so the
same bits. Recording costs as much as a hundred calls save, and so is left until there have been
some; LATMIX_RECORD_AFTER says how many (0: never). Called by the families.
"""

from __future__ import annotations

import os
import warnings
from typing import Any

import torch
from torch import Tensor, nn

SMALL = 50_000_000
"""Parameters of a network below which the time that Python takes is worth saving."""

CALLS = 64
"""Calls before one is recorded: the time they could have saved is about what recording takes."""


def is_worth_recording(network: nn.Module, device: torch.device, offload: str) -> bool:
    """Whether a network that has been loaded spends much of a call in Python."""
    count = sum(parameter.numel() for parameter in network.parameters())
    return device.type == "cpu" and offload == "none" and count <= SMALL


class RecordedUNet:
    """A diffusers UNet, told by one text; recorded for each height and width, for every batch."""

    def __init__(self, network: Any) -> None:
        self._network = _Told(network)
        self._calls: dict[tuple[int, ...], int] = {}
        self._recorded: dict[tuple[int, ...], Any] = {}
        self._after = calls_before_recording()

    def __call__(self, state: Tensor, time: float, text: Tensor) -> Tensor:
        """The prediction for states (B, C, H, W); no gradient can be asked of it."""
        size = (*state.shape[1:], *text.shape[1:])
        at = torch.tensor(time, dtype=torch.float64)
        count = self._calls[size] = self._calls.get(size, 0) + 1
        if self._after and count > self._after:
            if size not in self._recorded:
                self._recorded[size] = recorded(self._network, (state, at, text))
            # Without a second round of optimising, which takes longer than it saves.
            with torch.jit.optimized_execution(False):  # type: ignore[attr-defined]
                output: Tensor = self._recorded[size](state, at, text)
                return output
        direct: Tensor = self._network(state, at, text)
        return direct


def calls_before_recording() -> int:
    """LATMIX_RECORD_AFTER, or `CALLS` where it is no whole number; 0 is never."""
    text = os.environ.get("LATMIX_RECORD_AFTER", "")
    return int(text) if text.isdecimal() else CALLS


def recorded(network: nn.Module, example: tuple[Tensor, ...]) -> Any:
    """What a network does with tensors like these, its weights built in."""
    with warnings.catch_warnings():
        # Said of sides that do not halve, which are the same for all that this is called with.
        warnings.simplefilter("ignore")
        traced = torch.jit.trace(network.eval(), example, check_trace=False)  # type: ignore[no-untyped-call]
        return torch.jit.freeze(traced)


class _Told(nn.Module):
    """A diffusers UNet as a function of tensors alone."""

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network

    def forward(self, state: Tensor, time: Tensor, text: Tensor) -> Tensor:
        told = self.network(state, time, encoder_hidden_states=text, return_dict=False)
        output: Tensor = told[0]
        return output
