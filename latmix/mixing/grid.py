"""The grid of mixing methods: the one place that lists them. Needs no torch.

A method is a norm target and a mean split, written `norm/mean` as in the paper: `nin/chm`.
The command line, the terminal UI, the documentation and the tests take names, sentences and
formulas from here; `formula.py` holds what they compute.

Source: Landolsi & Kahl, *Addressing degeneracies in latent interpolation for diffusion models*,
arXiv 2505.07481 ("L&K"); Bodin et al., arXiv 2408.08558.
"""

from __future__ import annotations

import difflib
import functools
import math
import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Choice:
    """One row or column of the grid.

    Attributes:
        means: the mean splits that a norm target goes with; none named is every one.
    """

    name: str
    formula: str
    sentence: str
    source: str
    means: tuple[str, ...] = ()


NORMS: tuple[Choice, ...] = (
    Choice("lin", "rho = |m|", "The plain weighted mean: too small a norm.", "L&K eq. 1"),
    Choice("fix", "rho = sqrt(L)", "Scaled to the norm of a typical noise sample.", "L&K eq. 2"),
    Choice("nin", "rho = sum w r", "Scaled to the interpolated norm of the inputs.", "L&K eq. 4"),
    Choice(
        "coh",
        "rho = k^2 sum w r + (1 - k^2) sqrt(L)",
        "Between nin (coherent inputs) and fix (incoherent ones), by the coherence k.",
        "latmix",
    ),
    Choice(
        "lol",
        "rho = |m| / sqrt(sum w^2)",
        "Linear combination of independent latents, back to their distribution.",
        "Bodin et al. 2408.08558",
    ),
    Choice(
        "clol",
        "rho = |m| / sqrt(w' C w), C_ij = <e_i, e_j> / (r_i r_j)",
        "lol, corrected for latents that are alike: a picture listed twice changes nothing.",
        "latmix",
    ),
    Choice(
        "adain",
        "each channel: rho_c = sum w r_c",
        "Each channel scaled by itself to the interpolated standard deviation of the inputs.",
        "Zhang et al. 2312.07409 (DiffMorpher), for N inputs",
        means=("chm",),
    ),
    Choice(
        "slerp",
        "u = spherical mean of e/r, rho = sum w r",
        "The weighted mean on the sphere: SLERP for two, any order for more.",
        "Buss & Fillmore 2001, algorithm A1; L&K eq. 3",
    ),
    Choice(
        "nao",
        "u = spherical median of e/r, rho = the likeliest norm",
        "Shortest likely paths to the inputs: a median, which half the weight pulls to one.",
        "Samuel et al. 2023 (L&K ref. 24)",
    ),
)

MEANS: tuple[Choice, ...] = (
    Choice("0", "d = 0", "Nothing is split off: shared bias is amplified.", "L&K eq. 2-4"),
    Choice("m", "d = mean(z)", "The overall mean is mixed linearly.", "L&K section 5"),
    Choice(
        "chm",
        "d_c = mean(z_c)",
        "The mean of each channel is mixed linearly: the remedy for degeneracy.",
        "L&K section 5",
    ),
    Choice(
        "lp:1",
        "d_c = low-pass(z_c), 1 cycle",
        "The channel means and the slowest waves, of 1 cycle per width, are mixed linearly.",
        "L&K section 5, option 4",
    ),
    Choice(
        "lp:2",
        "d_c = low-pass(z_c), 2 cycles",
        "What is slower than 2 cycles per width is mixed linearly; lp:0 to lp:8 work too.",
        "L&K section 5, option 4",
    ),
    Choice(
        "lp:auto",
        "d_c = low-pass(z_c), cut at the largest ring that the latents share",
        "The shared low frequencies, found from the latents, are mixed linearly.",
        "latmix",
    ),
)

DEFAULT_METHOD = "nin/lp:1"
"""The nearest to real pictures, all in all, in `latmix study quality` on both built-in models: the
README has the table. A picture with all the weight is given back."""

LARGEST_CUTOFF = 8.0
"""Cycles per latent width up to which the low-pass split can cut: spectra are kept so far."""

AUTO = "auto"


@dataclass(frozen=True)
class Method:
    """A point of the grid."""

    norm: str
    mean: str

    @property
    def name(self) -> str:
        return f"{self.norm}/{self.mean}"

    @property
    def sentence(self) -> str:
        """What the method does, in words."""
        return f"{self._find(NORMS, self.norm).sentence} {self._find(MEANS, self.mean).sentence}"

    @property
    def formula(self) -> str:
        """What the method computes: z' = d' + rho m/|m|, with d and rho of the grid."""
        return f"{self._find(NORMS, self.norm).formula}; {self._find(MEANS, self.mean).formula}"

    @staticmethod
    def _find(choices: tuple[Choice, ...], name: str) -> Choice:
        fits = [choice for choice in choices if choice.name == name]
        if fits:
            return fits[0]
        cut = f"{parse_cutoff(name):g} cycles"
        return Choice(
            name,
            f"d_c = low-pass(z_c), {cut}",
            f"What is slower than {cut} per width is mixed linearly.",
            "L&K section 5, option 4",
        )


@functools.cache
def methods() -> tuple[str, ...]:
    """Every name of the grid, in the order it is shown: by mean split, then by norm target."""
    return tuple(
        f"{norm.name}/{mean.name}" for mean in MEANS for norm in NORMS if goes_with(norm, mean.name)
    )


def goes_with(norm: Choice, mean: str) -> bool:
    """Whether the grid has this norm target with this mean split."""
    return not norm.means or mean in norm.means


def parse_method(name: str | Method) -> Method:
    """The method of that name.

    Raises:
        ValueError: no such method; the sentence names the nearest ones, or the mean splits that
            a norm target goes with.
    """
    name = name.name if isinstance(name, Method) else name
    known = methods()
    norm, _, mean = name.partition("/")
    if name in known:
        return Method(norm, mean)
    cutoff = parse_cutoff(mean)
    row = next((choice for choice in NORMS if choice.name == norm), None)
    if row and row.means and (cutoff is not None or mean in {choice.name for choice in MEANS}):
        offered = " or ".join(f"{norm}/{fits}" for fits in row.means)
        raise ValueError(f"method {name!r} is not of the grid: {norm} is {offered} only.")
    if row and isinstance(cutoff, float):
        return Method(norm, f"lp:{cutoff:g}")
    near = difflib.get_close_matches(name.lower(), known, n=3, cutoff=0.5)
    advice = (
        f"did you mean {' or '.join(near)}?" if near else f"it must be one of {', '.join(known)}."
    )
    raise ValueError(f"method {name!r} is not known: {advice}")


def parse_cutoff(mean: str) -> float | str | None:
    """The cut-off of a mean split: cycles for "lp:2", AUTO for "lp:auto", None for another split.

    Raises:
        ValueError: "lp:" with something that is no cut-off.
    """
    if not mean.startswith("lp:"):
        return None
    text = mean.removeprefix("lp:")
    if text == AUTO:
        return AUTO
    cutoff = float(text) if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text) else math.nan
    if not 0 <= cutoff <= LARGEST_CUTOFF:
        raise ValueError(
            f"the cut-off of {mean!r} must be auto or a number from 0 to {LARGEST_CUTOFF:g}."
        )
    return cutoff
