"""A space whose latents have companions: tensors that belong to a latent and are kept with it.

The companions of one name lie in a space of their own, under the same keys and settings, so that
all that holds for latents, from checksums to pruning, holds for them. A latent without all of its
companions counts as missing. Opened through `LatentStore.open`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from torch import Tensor

from latmix.store.folders import SpaceFolder, space_id
from latmix.store.shards import Shape
from latmix.store.space import LatentSpace


class AccompaniedSpace(LatentSpace):
    """Latents by key, each with the companions of these names."""

    def __init__(
        self,
        home: Path,
        settings: Mapping[str, object],
        shape: Shape,
        companions: Sequence[str] = (),
    ) -> None:
        """
        Args:
            home: the folder of all spaces.
            companions: their names.
        """
        self.companions = tuple(companions)
        self._home, self._settings = home, dict(settings)
        self._opened: dict[str, AccompaniedSpace] = {}
        super().__init__(SpaceFolder(home / space_id(settings)), self._settings, shape)

    def companion(self, name: str, shape: Shape | None = None) -> AccompaniedSpace:
        """The space of the companions of that name.

        Args:
            shape: what it is begun with where there is none.

        Raises:
            KeyError: none is stored, and no shape is given.
            StoreError: the folder is there but cannot be read.
        """
        with self._lock:  # of two opened at once, what one buffers would be lost with it
            if name not in self._opened:
                settings = {**self._settings, "companion": name}
                known = SpaceFolder(self._home / space_id(settings)).description()
                shape = known.shape if known else shape
                if shape is None:
                    raise KeyError(name)
                self._opened[name] = AccompaniedSpace(self._home, settings, shape)
            return self._opened[name]

    def missing(self, keys: Sequence[str]) -> list[int]:
        """As of any space; a latent that lacks a companion is among them."""
        lost = set(super().missing(keys))
        for name in self.companions:
            try:
                lost.update(self.companion(name).missing(keys))
            except KeyError:
                return list(range(len(keys)))
        return sorted(lost)

    def add(self, key: str, latent: Tensor, companions: Mapping[str, Tensor] | None = None) -> None:
        """Takes a latent with its companions, which have three axes each.

        Raises:
            ValueError, StoreError: as of any space, for each of them; or a companion is lacking.
        """
        given = companions or {}
        if set(given) != set(self.companions):
            raise ValueError(f"companions must be {self.companions}, not {tuple(given)}")
        for name, value in given.items():
            self.companion(name, (value.shape[0], value.shape[1], value.shape[2])).add(key, value)
        super().add(key, latent)

    def flush(self) -> None:
        """Writes the companions first, so that a stored latent has them."""
        for name in self.companions:
            if name in self._opened:
                self._opened[name].flush()
        super().flush()

    def refresh(self) -> None:
        super().refresh()
        for space in tuple(self._opened.values()):
            space.refresh()
