"""What a session knows of its pictures' latents: which are there, and the mixture's statistics.

Only `session` builds on it. Needs no torch: what computes is handed in by a job.
"""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from latmix.session.saved import Saved

if TYPE_CHECKING:
    from latmix.mixing.influence import Inputs
    from latmix.mixing.live import LiveStatistics
    from latmix.mixing.statistics import Statistics


@dataclass
class Known(Saved):
    """A session, as far as latents go; edits that make them others call `_forget_latents`."""

    _inversion: Any = None
    _live: LiveStatistics | None = None
    _row_of: dict[str, int] = field(default_factory=dict)
    _rows_found: tuple[tuple[str, ...], list[int | None]] | None = None

    @property
    def is_measured(self) -> bool:
        """Whether every picture of the mixture has a latent whose statistics are known."""
        return self.mixture is not None and not self.uninverted

    @property
    def uninverted(self) -> list[str]:
        """Pictures of the mixture that have weight but no latent yet."""
        rows = self._rows()
        if self.mixture is None or None not in rows:
            return []
        mixed = zip(self.mixture.keys, self.mixture.weights, rows, strict=True)
        return [key for key, weight, row in mixed if weight > 0 and row is None]

    def _rows(self) -> list[int | None]:
        """The inversion's row of each picture of the mixture, found anew when pictures change."""
        keys = self.mixture.keys if self.mixture else ()
        if self._rows_found is None or self._rows_found[0] is not keys:
            self._rows_found = keys, [self._row_of.get(key) for key in keys]
        return self._rows_found[1]

    @property
    def live(self) -> LiveStatistics | None:
        """What computes the statistics of any weights, or None."""
        return self._live

    @property
    def inversion(self) -> Any:
        """The pictures whose latents are known, or None."""
        return self._inversion

    def is_inverted(self, key: str) -> bool:
        return key in self._row_of

    def paths(self) -> tuple[Path, ...]:
        """The pictures to invert.

        Those that have a latent but left the mixture are kept, so that bringing one back by undo
        finds its statistics at once.
        """
        keys = dict.fromkeys([*(self.mixture.keys if self.mixture else ()), *self._row_of])
        return tuple(Path(key) for key in keys if key not in self.failures)

    def measured(self, inversion: Any, live: LiveStatistics | None) -> None:
        """Take in a finished inversion with its live statistics (None where it has no rows)."""
        self._inversion, self._live = inversion, live
        self._row_of = {str(row.path): at for at, row in enumerate(inversion.rows)}
        self._rows_found = None
        self.failures.update({str(f.path): f.reason for f in inversion.failures})
        self._leave_out_failed()

    def weights_by_row(self) -> array[float]:
        """The mixture's weights in the order of the inversion's rows.

        Raises:
            ValueError: a picture of the mixture has no latent yet.
        """
        if self.mixture is None or self._inversion is None or self.uninverted:
            raise ValueError("pictures of the mixture are not inverted yet.")
        weights = array("d", bytes(8 * len(self._inversion.rows)))  # tensors share its memory
        for row, weight in zip(self._rows(), self.mixture.weights, strict=True):
            if row is not None:
                weights[row] = weight
        return weights

    def statistics(self, method: str | None = None) -> Statistics | None:
        """The mixture's statistics, or None until its pictures are inverted.

        Args:
            method: another than the chosen one, to compare.
        """
        if self._live is None or not self.is_measured:
            return None
        return self._live.statistics(self.weights_by_row(), method or self.choices.method)

    def inputs(self) -> Inputs | None:
        """What each row of the inversion is to the mixture, or None until all are inverted.

        A pass over the latents unless `live.is_instant`.
        """
        if self._live is None or not self.is_measured:
            return None
        return self._live.inputs(self.weights_by_row(), self.choices.method)

    def influences(self) -> dict[str, float]:
        """How much the mixture changes without each of its pictures (`Inputs.influence`), by key.

        Those that nothing could replace are infinite. Empty where `inputs` are not known; for slerp
        and nao it takes too long to follow a key.
        """
        inputs = self.inputs()
        if inputs is None or self.mixture is None or not inputs.is_known:
            return {}
        found = inputs.influence
        rows = {key: self._row_of[key] for key in self.mixture.keys if key in self._row_of}
        known = {key: found[row] for key, row in rows.items()}
        return {key: math.inf if value is None else value for key, value in known.items()}

    def _leave_out_failed(self) -> None:
        """Pictures that could not be read leave the mixture; the others keep their proportions."""
        if self.mixture is None or not self.failures.keys() & set(self.mixture.keys):
            return
        failed = [key for key in self.mixture.keys if key in self.failures]
        is_all = len(failed) == len(self.mixture)
        mixture = None if is_all else self.mixture.drop(*failed)
        self.choices = replace(self.choices, mixture=mixture)

    def _forget_latents(self) -> None:
        self._inversion, self._live = None, None
        self._row_of = {}
        self._rows_found = None
