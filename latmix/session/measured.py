"""What is known of pictures' latents: which are there, and the statistics of their mixtures.

Needs no torch: what computes is handed in by a job. A value says under which model and choices it
holds, so that nothing has to be forgotten when they change, and an undo finds it again.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from latmix.mixing.mixture import Mixture
from latmix.session.choices import Choices

if TYPE_CHECKING:
    from latmix.mixing.influence import Inputs
    from latmix.mixing.live import LiveStatistics
    from latmix.mixing.statistics import Statistics


@dataclass(frozen=True)
class Measured:
    """Pictures whose latents a job found.

    Attributes:
        model, choices: under which they are these.
        inversion: the job's own value, to be handed back to jobs. Its `rows` are the pictures, each
            with a `path`; None before a job has found any.
        live: what computes the statistics of any weights of the rows; None without rows.
    """

    model: str = ""
    choices: Choices = field(default_factory=Choices)
    inversion: Any = None
    live: LiveStatistics | None = None

    def holds(self, model: str, choices: Choices) -> bool:
        """Whether the same pictures have these latents under a model and choices."""
        return model == self.model and self.choices.same_latents(choices)

    @cached_property
    def row_of(self) -> dict[str, int]:
        """The row of each picture by its key."""
        rows = self.inversion.rows if self.inversion else ()
        return {str(row.path): at for at, row in enumerate(rows)}

    def rows(self, keys: tuple[str, ...]) -> list[int | None]:
        """The row of each of these pictures, found anew when they change."""
        if self._found is None or self._found[0] is not keys:
            found = keys, [self.row_of.get(key) for key in keys]
            object.__setattr__(self, "_found", found)
            return found[1]
        return self._found[1]

    _found: tuple[tuple[str, ...], list[int | None]] | None = field(default=None, compare=False)


@dataclass(frozen=True)
class MixtureLatents:
    """What is known of the latents of one mixture."""

    known: Measured
    mixture: Mixture | None
    method: str

    @property
    def live(self) -> LiveStatistics | None:
        """What computes the statistics of any weights, or None."""
        return self.known.live

    def is_inverted(self, key: str) -> bool:
        return key in self.known.row_of

    @property
    def is_measured(self) -> bool:
        """Whether every picture of the mixture has a latent whose statistics are known."""
        return self.mixture is not None and not self.uninverted

    @property
    def uninverted(self) -> list[str]:
        """Pictures of the mixture that have weight but no latent yet."""
        if self.mixture is None:
            return []
        rows = self.known.rows(self.mixture.keys)
        if None not in rows:
            return []
        mixed = zip(self.mixture.keys, self.mixture.weights, rows, strict=True)
        return [key for key, weight, row in mixed if weight > 0 and row is None]

    def weights_by_row(self) -> array[float]:
        """The mixture's weights in the order of the inversion's rows.

        Raises:
            ValueError: a picture of the mixture has no latent yet.
        """
        if self.mixture is None or self.known.inversion is None or self.uninverted:
            raise ValueError("pictures of the mixture are not inverted yet.")
        weights = array("d", bytes(8 * len(self.known.row_of)))  # tensors share its memory
        rows = self.known.rows(self.mixture.keys)
        for row, weight in zip(rows, self.mixture.weights, strict=True):
            if row is not None:
                weights[row] = weight
        return weights

    def statistics(self, method: str | None = None) -> Statistics | None:
        """The mixture's statistics, or None until its pictures are inverted.

        Args:
            method: another than the chosen one, to compare.
        """
        if self.live is None or not self.is_measured:
            return None
        return self.live.statistics(self.weights_by_row(), method or self.method)

    def inputs(self) -> Inputs | None:
        """What each row of the inversion is to the mixture, or None until all are inverted.

        A pass over the latents unless `live.is_instant`.
        """
        if self.live is None or not self.is_measured:
            return None
        return self.live.inputs(self.weights_by_row(), self.method)

    def influences(self) -> dict[str, float]:
        """How much the mixture changes without each of its pictures (`Inputs.influence`), by key.

        Those that nothing could replace are infinite. Empty where `inputs` are not known; for slerp
        and nao it takes too long to follow a key.
        """
        inputs = self.inputs()
        if inputs is None or self.mixture is None or not inputs.is_known:
            return {}
        found, rows = inputs.influence, self.known.rows(self.mixture.keys)
        known = zip(self.mixture.keys, rows, strict=True)
        by_key = {key: found[row] for key, row in known if row is not None}
        return {key: math.inf if value is None else value for key, value in by_key.items()}
