"""What jobs work with: a model that is loaded when first needed, and the store it fills."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable

from latmix.jobs.batch_size import batch_on_cpu, device_meter, largest_batch, measured_batch
from latmix.jobs.progress import Progress
from latmix.models.loading import load_model, pick_device, pick_dtype
from latmix.models.protocol import Model
from latmix.models.source import ModelSource
from latmix.sampling.batches import BatchLimit
from latmix.sampling.preview import Preview
from latmix.sampling.settings import TOLERANCES, InversionSettings
from latmix.sampling.solvers import check_solver
from latmix.session.machine import ANY_MACHINE, Machine
from latmix.store.companions import AccompaniedSpace
from latmix.store.latents import LatentStore

INVERSION_VERSION = 1
"""Goes up when the same settings would give other latents, so that old ones are not mixed in."""


class Workbench:
    """A model source on a device, with the store of its latents."""

    def __init__(
        self,
        source: ModelSource,
        store: LatentStore,
        machine: Machine = ANY_MACHINE,
        *,
        before_loading: Callable[[Iterable[str]], object] = list,
    ) -> None:
        """Nothing is loaded yet.

        Args:
            before_loading: told the classes of the networks that are about to be loaded.

        Raises:
            UsageError: the device or dtype cannot be used here.
        """
        self.source = source
        self.store = store
        self.preview = Preview()
        self.limit = BatchLimit()
        self.device = pick_device(machine.device)
        self.batch = machine.batch or largest_batch(self.device)
        self._is_given = machine.batch is not None
        self._meter = device_meter(self.device)
        self._limited: tuple[int, int] | None = None
        self.dtype = str(pick_dtype(machine.dtype, self.device)).removeprefix("torch.")
        self._offload = machine.offload
        self.before_loading = before_loading
        self._model: Model | None = None

    @property
    def is_loaded(self) -> bool:
        return self._model is not None

    @property
    def model(self) -> Model:
        """The model, loaded on first use.

        Raises:
            ModelError: it cannot be loaded.
        """
        if self._model is None:
            self.before_loading(self.source.networks.values())
            self._model = load_model(self.source, str(self.device), self.dtype, self._offload)
        return self._model

    def loaded(self, total: int = 0) -> Generator[Progress, None, Model]:
        """The model; that it is being loaded is told first.

        Args:
            total: pictures that it is wanted for.

        Raises:
            ModelError: it cannot be loaded.
        """
        if not self.is_loaded:
            yield Progress("load", 0, total, note=f"loading {self.source.name}")
        return self.model

    def limit_for(self, size: tuple[int, int]) -> BatchLimit:
        """How many pictures of a size (width, height) go together, found by the first that asks:
        measured where nobody said how many, and less where memory ran out since.

        Raises:
            ModelError: the model cannot be loaded.
        """
        if size != self._limited:
            self.limit, self._limited = BatchLimit(self._most(size)), size
        return self.limit

    def _most(self, size: tuple[int, int]) -> int | None:
        if self._is_given:
            return None
        if self._meter is None:
            return batch_on_cpu(self.source.latent_shape(size))
        return measured_batch(self.model, size, self._meter)

    def space(self, settings: InversionSettings) -> AccompaniedSpace:
        """The place in the store of latents inverted with these settings.

        The model's name, path, batch and device are not part of it: they do not change a latent
        beyond rounding.

        Raises:
            ValueError: the model cannot be inverted with these settings.
        """
        solver = check_solver(settings.solver, self.source)
        return self.store.open(
            {
                "version": INVERSION_VERSION,
                "fingerprint": self.source.fingerprint,
                "dtype": self.dtype,
                "inversion": solver.key(settings.as_json(), TOLERANCES[self.dtype]),
            },
            self.source.latent_shape(settings.size),
            solver.companions,
        )
