"""Fetch a model from the hub: the one place that uses the network, and only when asked."""

from __future__ import annotations

from pathlib import Path

from latmix.errors import ModelError
from latmix.models import catalogue
from latmix.models.families import FAMILIES
from latmix.models.source import find_model
from latmix.names import display_name

_NETWORKS = {part for family in FAMILIES for part in family.networks}
_TOKENIZERS = {part for family in FAMILIES for part in family.tokenizers}

PATTERNS = (
    "model_index.json",
    "scheduler/*.json",
    # Old models of one network have it beside their index.
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
    """Fetch a catalogue name or hub id into the hub's cache, going on where it was left.

    Returns:
        the folder.

    Raises:
        ModelError: no such repository, no network, no room, not enough rights, or what arrived is
            not a model that latmix can use.
    """
    entry = catalogue.find_entry(name)
    repository = entry.repository if entry else name
    shown = display_name(repository or name)
    if not repository:
        raise ModelError(f"{shown} is built in.", "There is nothing to fetch.")
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    if constants.HF_HUB_OFFLINE:
        raise ModelError("The hub is switched off by HF_HUB_OFFLINE.", "Unset it.")
    try:
        snapshot_download(
            repository, allow_patterns=list(PATTERNS), ignore_patterns=list(DUPLICATES)
        )
    except GatedRepoError as error:
        raise ModelError(
            f"{shown} asks you to accept its terms first.",
            f"Accept them on {constants.ENDPOINT}/{repository}, then log in with `hf auth login`.",
        ) from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise ModelError(f"There is no model {shown} on the hub.", "Check owner/name.") from error
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise ModelError(
            f"{shown} could not be fetched ({type(error).__name__}).",
            "Check the network and the room on the disk, and run it again: it goes on from there.",
        ) from error
    return find_model(name).folder
