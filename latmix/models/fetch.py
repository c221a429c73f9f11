"""Fetch a model from the hub: the one place that uses the network, and only when asked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from latmix.disk import FULL
from latmix.errors import ModelError
from latmix.models import catalogue
from latmix.models.families import FAMILIES
from latmix.models.source import find_model
from latmix.models.tiny_autoencoder import tiny_folder
from latmix.names import display_name, size_text

_NETWORKS = {part for family in FAMILIES for part in family.networks}
_TOKENIZERS = {part for family in FAMILIES for part in family.tokenizers}

PATTERNS = (
    "model_index.json",
    "scheduler/*.json",
    # Old models of one network, and autoencoders, have it beside their index.
    "config.json",
    "scheduler_config.json",
    "diffusion_pytorch_model.safetensors",
    *(f"{part}/*" for part in sorted(_TOKENIZERS)),
    *(f"{part}/{kind}" for part in sorted(_NETWORKS) for kind in ("*.json", "*.safetensors")),
)
"""Never pickles, never Python."""

DUPLICATES = (
    "*.fp16.safetensors",
    "*.fp16-*.safetensors",
    "*.non_ema.safetensors",
    "*.fp16.safetensors.index.json",
    "*.safetensors.index.fp16.json",
)
"""Further copies of the same weights."""


def pull_model(name: str) -> Path:
    """Fetch a catalogue name or hub id into the hub's cache, going on where it was left: files
    that are there in full are not fetched again.

    Returns:
        the folder.

    Raises:
        ModelError: no such repository, no network, no room, not enough rights, or what arrived is
            not a model that latmix can use.
    """
    entry = catalogue.find_entry(name, (*catalogue.TINY, *catalogue.CATALOGUE))
    repository = entry.repository if entry else name
    shown = display_name(repository or name)
    if not repository:
        raise ModelError(f"{shown} is built in.", "There is nothing to fetch.")
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise ModelError(
            "The hub is switched off by HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE.", "Unset it."
        )
    with _explained(repository):
        _check_room(repository, Path(constants.HF_HUB_CACHE))
        _fetch(repository)
    return tiny_folder(name) if entry in catalogue.TINY else find_model(name).folder


def _fetch(repository: str, **more: Any) -> Any:
    from huggingface_hub import snapshot_download

    patterns, duplicates = list(PATTERNS), list(DUPLICATES)
    return snapshot_download(
        repository, allow_patterns=patterns, ignore_patterns=duplicates, **more
    )


def _check_room(repository: str, cache: Path) -> None:
    """Raises: ModelError: the disk has less room than what is still to come needs."""
    try:
        files = _fetch(repository, dry_run=True)
    except OSError as error:
        # Before the first file the hub wraps its own error, which says more.
        raise error.__cause__ or error from None
    need = sum(file.file_size or 0 for file in files if file.will_download)
    place = next(folder for folder in (cache, *cache.absolute().parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if need > free:
        raise _full(
            f"{display_name(repository)} needs {size_text(need)} more, and the disk of "
            f"{display_name(cache)} has {size_text(free)} free"
        )


def _full(what: str) -> ModelError:
    return ModelError(
        f"{what}.",
        "Make room, for instance with `latmix models remove`, or set HF_HOME to a folder on a "
        "larger disk, and run it again: what is there in full is kept.",
    )


@contextmanager
def _explained(repository: str) -> Iterator[None]:
    """What goes wrong while a repository is fetched, as a sentence.

    Raises:
        ModelError: it went wrong.
    """
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    shown = display_name(repository)
    try:
        yield
    except GatedRepoError as error:
        raise ModelError(
            f"{shown} asks you to accept its terms first.",
            f"Accept them on {constants.ENDPOINT}/{repository}, then log in with `hf auth login`.",
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise ModelError(
            f"There is no model {shown} on the hub.",
            "Check owner/name; a private one needs `hf auth login`.",
        ) from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        status = getattr(getattr(error, "response", None), "status_code", None)
        if status in (401, 403):
            raise ModelError(
                f"The hub refuses {shown} (error {status}).",
                f"Log in with `hf auth login`, and see {constants.ENDPOINT}/{repository} for terms "
                "to accept.",
            ) from error
        if isinstance(error, OSError) and error.errno in FULL:
            raise _full(
                f"The disk of {display_name(constants.HF_HUB_CACHE)} is full: {shown} is not whole"
            ) from error
        raise ModelError(
            f"{shown} could not be fetched ({type(error).__name__}).",
            "Check the network, and run it again: it goes on from there.",
        ) from error
