"""The grid of mixing methods: every norm target with every mean split. Needs no torch.

A method is the two of them, and its name is theirs, `norm/split` as in the paper: `nin/chm`. A name
is parsed once, where it comes in (the public functions, the command line, a session or a recipe
that is read); below that a `Method` is handed on. `norms` and `splits` list what there is, and hold
what each computes.

Source: Landolsi & Kahl, *Addressing degeneracies in latent interpolation for diffusion models*,
arXiv 2505.07481 ("L&K"); Bodin et al., arXiv 2408.08558.
"""

from __future__ import annotations

import difflib
import functools
from dataclasses import dataclass

from latmix.mixing.norms import NORMS, Norm
from latmix.mixing.splits import LARGEST_CUTOFF, SPLITS, Split, find_split

DEFAULT_METHOD = "nin/lp:1"
"""The nearest to real pictures, all in all, in `latmix study quality` on both built-in models: the
README has the table. A picture with all the weight is given back."""


@dataclass(frozen=True, init=False)
class Method:
    """A norm target and a mean split: of the grid, or of one's own."""

    norm: Norm
    split: Split

    def __init__(self, norm: Norm | str, split: Split | str) -> None:
        """Of two objects or their names in the grid.

        Raises:
            ValueError: no such name, neither object nor name, a split that cuts where no spectrum
                is kept, or a norm target that does not go with the split.
        """
        norm, split = _find_norm(norm), _find_split(split)
        if not goes_with(norm, split):
            fitting = [f"{norm.name}/{each.name}" for each in SPLITS if goes_with(norm, each)]
            raise ValueError(
                f"method '{norm.name}/{split.name}' is not of the grid: "
                f"{norm.name} is {' or '.join(fitting)} only."
            )
        object.__setattr__(self, "norm", norm)
        object.__setattr__(self, "split", split)

    @property
    def name(self) -> str:
        return f"{self.norm.name}/{self.split.name}"

    @property
    def sentence(self) -> str:
        """What the method does, in words."""
        return f"{self.norm.sentence} {self.split.sentence}"

    @property
    def formula(self) -> str:
        """What the method computes: z' = d' + rho m/|m|, with d and rho of the grid."""
        return f"{self.norm.formula}; {self.split.formula}"


def goes_with(norm: Norm, split: Split) -> bool:
    """Whether a norm target goes with a mean split."""
    takes_means_alone = split.takes_overall and split.takes_channels and split.reach is None
    return takes_means_alone or not norm.per_channel


@functools.cache
def methods() -> tuple[str, ...]:
    """Every name of the grid, in the order it is shown: by mean split, then by norm target."""
    return tuple(
        Method(norm, split).name for split in SPLITS for norm in NORMS if goes_with(norm, split)
    )


def parse_method(name: str | Method) -> Method:
    """The method of that name.

    Raises:
        ValueError: no such method; the sentence names the nearest ones, or the mean splits that
            a norm target goes with.
    """
    return name if isinstance(name, Method) else _parse(name)


@functools.cache
def _parse(name: str) -> Method:
    norm_name, _, split_name = name.partition("/")
    split = find_split(split_name)
    if split and norm_name in {norm.name for norm in NORMS}:
        return Method(norm_name, split)
    near = difflib.get_close_matches(name.lower(), methods(), n=3, cutoff=0.5)
    advice = (
        f"did you mean {' or '.join(near)}?"
        if near
        else f"it must be one of {', '.join(methods())}."
    )
    raise ValueError(f"method {name!r} is not known: {advice}")


def _find_norm(norm: Norm | str) -> Norm:
    if isinstance(norm, Norm):
        return norm
    if not isinstance(norm, str):
        raise ValueError(f"norm must be a latmix.Norm or a name, not {norm!r}.")
    for known in NORMS:
        if known.name == norm:
            return known
    raise ValueError(f"norm must be one of {', '.join(n.name for n in NORMS)}, not {norm!r}.")


def _find_split(split: Split | str) -> Split:
    found = find_split(split) if isinstance(split, str) else split
    if found is None and isinstance(split, str):
        known = ", ".join(each.name for each in SPLITS)
        raise ValueError(f"split must be one of {known} or lp:k, not {split!r}.")
    if not isinstance(found, Split):
        raise ValueError(f"split must be a latmix.Split or a name, not {split!r}.")
    if found.reach is not None and not 0 <= found.reach <= LARGEST_CUTOFF:
        raise ValueError(
            f"split {found.name!r} must cut at 0 to {LARGEST_CUTOFF:g} cycles, not {found.reach:g}."
        )
    return found
