"""Mean splits: what of each latent is mixed linearly and not scaled. Needs no torch to be imported.

A latent is a sum of orthogonal bands: its overall mean; what its channels' means differ by from
that; rings of low frequencies, in cycles per latent width; and the rest. A split names the bands
that it takes off. A new one is a class here and its place in `SPLITS`; one of a researcher's own is
a subclass of `Split` anywhere, handed over as `latmix.Method("nin", MySplit())`.

Source: Landolsi & Kahl, arXiv 2505.07481 ("L&K"), section 5.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from latmix.mixing.half import Half

if TYPE_CHECKING:
    from torch import Tensor

LARGEST_CUTOFF = 8.0
"""Cycles per latent width up to which a split can cut: spectra are kept so far."""

SLACK = 1e-4
"""Cycles: radii are square roots, and a ring on the cut-off is inside."""


class Split(Half):
    """A mean split z = d + e.

    Attributes:
        takes_overall: the overall mean is taken off.
        takes_channels: so is what the channels' means differ by from it.
        cutoff: cycles up to which all frequencies are taken off; None where none are, or where the
            latents decide.
        largest: cycles up to which it may take any off where the latents decide.
    """

    takes_overall: bool = False
    takes_channels: bool = False
    cutoff: float | None = None
    largest: float | None = None

    @property
    def reach(self) -> float | None:
        """Cycles up to which it may take any frequency off; None where it never does."""
        return self.largest if self.cutoff is None else self.cutoff

    def edges(self, last: int) -> tuple[float, ...]:
        """Where its rings end, rising: the first begins above 0 cycles, each other where the one
        before it ends.

        Args:
            last: whole cycles up to which the latents are wide enough for a ring of their own.
        """
        return () if self.cutoff is None else (self.cutoff,)

    def rings(self, common: Tensor, own: Tensor, beta: Tensor) -> Tensor:
        """How many of its rings it takes off each mixture, the slowest first, (B,) of any type.

        Args:
            common: energy of sum w z within each ring, (B, K).
            own: sum w |z|^2 within it, (B, K).
            beta: sum w^2, (B, 1).
        """
        return own.new_full(own.shape[:1], own.shape[1])

    def constant(self, channel_mean: Tensor) -> Tensor:
        """The part of d that is constant over space, per channel, (..., C)."""
        if self.takes_overall and self.takes_channels:
            return channel_mean
        if not (self.takes_overall or self.takes_channels):
            return channel_mean.new_zeros(channel_mean.shape)
        overall = channel_mean.mean(dim=-1, keepdim=True).expand_as(channel_mean)
        return overall if self.takes_overall else channel_mean - overall


class Nothing(Split):
    """Source: L&K eq. 2-4."""

    name = "0"
    formula = "d = 0"
    sentence = "Nothing is split off: shared bias is amplified."


class OverallMean(Split):
    """Source: L&K section 5."""

    name = "m"
    formula = "d = mean(z)"
    sentence = "The overall mean is mixed linearly."
    takes_overall = True


class ChannelMeans(Split):
    """Source: L&K section 5."""

    name = "chm"
    formula = "d_c = mean(z_c)"
    sentence = "The mean of each channel is mixed linearly: the remedy for degeneracy."
    takes_overall = takes_channels = True


class LowPass(ChannelMeans):
    """Option 4 of L&K section 5, which the paper leaves to future work; lp:0 is chm."""

    _SENTENCES = {
        1.0: "The channel means and the slowest waves, of 1 cycle per width, are mixed linearly.",
        2.0: "What is slower than 2 cycles per width is mixed linearly; lp:0 to lp:8 work too.",
    }

    def __init__(self, cutoff: float) -> None:
        """Of a cut-off in cycles per latent width.

        Raises:
            ValueError: a cut-off that spectra are not kept for.
        """
        if not 0 <= cutoff <= LARGEST_CUTOFF:
            raise ValueError(f"cutoff must be from 0 to {LARGEST_CUTOFF:g}, not {cutoff}.")
        self.cutoff = cutoff
        self.name = f"lp:{cutoff:g}"
        cycles = f"{cutoff:g} cycle{'' if cutoff == 1 else 's'}"
        self.formula = f"d_c = low-pass(z_c), {cycles}"
        self.sentence = self._SENTENCES.get(
            cutoff, f"What is slower than {cycles} per width is mixed linearly."
        )


class SharedRings(ChannelMeans):
    """The cut-off at the largest ring that the latents share.

    A ring of whole radii (k-1, k] is shared where N_eff s > 1, with s = (Q - beta S) / ((1 - beta)
    S) the share of its power that is common: Q = mean |sum w Z|^2, S = mean sum w |Z|^2. For
    independent latents E[Q] = beta S, so that s is 0; for equal ones Q = S and s is 1.
    """

    name = "lp:auto"
    formula = "d_c = low-pass(z_c), cut at the largest ring that the latents share"
    sentence = "The shared low frequencies, found from the latents, are mixed linearly."
    largest = LARGEST_CUTOFF

    def edges(self, last: int) -> tuple[float, ...]:
        return tuple(float(ring) for ring in range(1, last + 1))

    def rings(self, common: Tensor, own: Tensor, beta: Tensor) -> Tensor:
        import torch

        share = (common - beta * own) / ((1 - beta) * own).clamp_min(torch.finfo(own.dtype).tiny)
        # One picture alone shares nothing with others; its share would be rounding.
        shared = (share > beta) & (beta < 1 - SLACK)
        return (shared * torch.arange(1, own.shape[1] + 1, device=own.device)).amax(dim=1)


_MEANS = (Nothing(), OverallMean(), ChannelMeans())
SPLITS: tuple[Split, ...] = (*_MEANS, LowPass(1), LowPass(2), SharedRings())
"""The columns of the grid, in the order they are shown."""


def find_split(name: str) -> Split | None:
    """The split of that name: of the grid, or a low-pass with any cut-off, such as "lp:1.5".

    Raises:
        ValueError: "lp:" with something that is no cut-off.
    """
    for split in SPLITS:
        if split.name == name:
            return split
    if not name.startswith("lp:"):
        return None
    text = name.removeprefix("lp:")
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) and float(text) <= LARGEST_CUTOFF:
        return LowPass(float(text))
    raise ValueError(
        f"the cut-off of {name!r} must be auto or a number from 0 to {LARGEST_CUTOFF:g}."
    )
