"""Remove a fetched model from the hub's cache on this machine; a folder of the user's own stays."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from latmix.errors import ModelError
from latmix.models import catalogue
from latmix.names import display_name

if TYPE_CHECKING:
    from huggingface_hub import CachedRepoInfo, HFCacheInfo


def find_cached(name: str) -> CachedRepoInfo:
    """A catalogue name or hub id in the cache, every version of it.

    Raises:
        ModelError: it is built in, a folder, or not there.
    """
    entry = catalogue.find_entry(name, (*catalogue.TINY, *catalogue.CATALOGUE))
    shown = display_name(name)
    if entry and not entry.repository:
        raise ModelError(f"{shown} is built in.", "There is nothing to remove.")
    repository = entry.repository if entry else name
    for found in _scan().repos:
        if found.repo_type == "model" and found.repo_id == repository:
            return found
    if Path(name).expanduser().exists():
        raise ModelError(f"{shown} is a folder of your own.", "latmix removes fetched models only.")
    raise ModelError(
        f"{shown} is not in the hub's cache on this machine.", "`latmix models list` says what is."
    )


def remove_cached(cached: CachedRepoInfo) -> None:
    """Remove it.

    Raises:
        ModelError: the system refused.
    """
    try:
        _scan().delete_revisions(*(each.commit_hash for each in cached.revisions)).execute()
    except OSError as error:
        raise ModelError(
            f"{display_name(cached.repo_path)} could not be removed: {error.strerror}."
        ) from error
    if cached.repo_path.exists():
        raise ModelError(
            f"{display_name(cached.repo_path)} could not be removed.", "Remove it by hand."
        )


def _scan() -> HFCacheInfo:
    from huggingface_hub import constants, scan_cache_dir
    from huggingface_hub.errors import CacheNotFound

    try:
        return scan_cache_dir(constants.HF_HUB_CACHE)
    except CacheNotFound as error:
        raise ModelError("Nothing has been fetched on this machine.") from error
