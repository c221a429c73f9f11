"""Whether a mixture's picture will be any good: the one place that decides. Needs no torch.

L&K section 4.2: what normalising multiplies a mixture by, it multiplies the latents' common bias
by too, and the picture degenerates. What is too much is told here, in numbers and in words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

from latmix.mixing.grid import DEFAULT_METHOD, Method

OFFSET_VISIBLE = 0.2
"""Offset of a channel mean from which a picture shows damage: L&K figure 6."""

OFFSET_DAMAGING = 0.4
"""Offset of a channel mean from which the damage is severe: L&K figure 6."""

NORM_TOO_SMALL = 0.8
"""Share of the inputs' own norm below which a picture is washed out: L&K figure 1, row LIN.

A plain mean of N independent latents keeps 1/sqrt(N): 0.71 for two of them.
"""

SOUND = "Fine: no degeneracy in sight."


class Verdict(StrEnum):
    """What will become of a mixture's picture."""

    FINE = "fine"
    DRIFTING = "drifting"
    DEGENERATE = "will degenerate"
    WASHED_OUT = "washed out"


def offset_verdict(offset: float) -> Verdict:
    """The verdict on a channel mean that amplification moved by this much."""
    if abs(offset) >= OFFSET_DAMAGING:
        return Verdict.DEGENERATE
    return Verdict.DRIFTING if abs(offset) >= OFFSET_VISIBLE else Verdict.FINE


def judge(
    method: Method, offsets: Sequence[float], norm_share: float
) -> tuple[Verdict, str | None]:
    """The verdict on a mixture, and where something is wrong the sentence that gives its reason.

    Args:
        offsets: of each channel's mean from the weighted mean of the inputs' own.
        norm_share: the mixture's norm over the weighted mean of the inputs' own.
    """
    worst = max(range(len(offsets)), key=lambda channel: abs(offsets[channel]))
    offset = abs(offsets[worst])
    verdict = offset_verdict(offset)
    if verdict is not Verdict.FINE:
        how = "will degenerate" if verdict is Verdict.DEGENERATE else "is drifting"
        sentence = (
            f"The picture {how}: amplified bias moves channel {worst} by {offset:.2f} "
            f"(damage shows from {OFFSET_VISIBLE:g}). Use {DEFAULT_METHOD}."
        )
        return verdict, sentence
    if norm_share < NORM_TOO_SMALL:
        why = "What is split off cancels at these weights."
        if method.norm.is_plain:
            why = f"Use {DEFAULT_METHOD} or nin/chm."
        share = f"the norm is {norm_share:.2f} of the inputs' own"
        return Verdict.WASHED_OUT, f"The picture will be washed out: {share}. {why}"
    return Verdict.FINE, None


def law(channel_mean: Sequence[float], effective_count: float) -> float:
    """alpha = 1/sqrt(b^2 + 1/N_eff): sqrt(N_eff) without a bias, at most 1/b with one.

    What a mean of N_eff independent N(0, I) latents that share a bias, whose channels' means have
    the root mean square b, must be multiplied by to have the norm sqrt(L) again. Source: L&K
    section 4.2.
    """
    square = math.fsum(mean * mean for mean in channel_mean) / len(channel_mean)
    return 1.0 / math.hypot(math.sqrt(square), 1.0 / math.sqrt(effective_count))
