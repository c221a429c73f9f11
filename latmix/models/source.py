"""Where a model's files are, and whether they can be used. Needs no torch.

A source is a folder in diffusers format: inside the package, named by the user, or in the hub's
cache on this machine; or a checkpoint in one file, with such a folder for what it does not say.
Nothing is downloaded here, and only safetensors and JSON are ever read, so a model can carry no
code.
"""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from latmix.errors import ModelError
from latmix.models import catalogue, files
from latmix.models.adapters import Adapter, check_adapter, split_adapters
from latmix.models.families import find_family
from latmix.models.files import named_class
from latmix.models.model_source import ModelSource
from latmix.models.single_file import ENDING, SingleFile
from latmix.names import display_name

__all__ = ["ModelSource", "find_model"]


def find_model(name: str, configured: str = "") -> ModelSource:
    """The checked source of a model's name.

    Args:
        name: a catalogue name, a hub id, a folder in diffusers format, a single file
            (`x.safetensors`, or `x.safetensors@BASE` with another model as its base), or `auto`;
            each may be followed by LoRA files, `+y.safetensors=0.8`.
        configured: what `auto` stands for when it is on this machine; else the built-in model.

    Raises:
        ModelError: unknown, not on this machine, incomplete, or refused; the sentence says which.
    """
    if name == "auto":
        try:
            return find_model(configured or catalogue.BUILT_IN)
        except ModelError:
            return find_model(catalogue.BUILT_IN)
    name, adapters = split_adapters(name)
    if adapters:
        return _adapted(find_model(name, configured), adapters)
    file, separator, base = name.partition(f"{ENDING}@")
    if separator or name.endswith(ENDING):
        return _single(name, Path(file + separator.removesuffix("@")).expanduser(), base)
    return _checked(*_located(name))


def _adapted(source: ModelSource, adapters: tuple[Adapter, ...]) -> ModelSource:
    name = source.name
    for adapter in adapters:
        check_adapter(adapter, source.family)
        name += f"+{display_name(adapter.path)}={adapter.scale:g}"
    return replace(source, name=name, adapters=adapters)


def _located(name: str) -> tuple[str, Path, float | None]:
    """A model's name as it is shown, its folder, and the guidance that suits it, if known."""
    entry = catalogue.find_entry(name)
    guidance = entry.guidance if entry else None
    if entry and not entry.repository:
        return entry.name, catalogue.built_in_folder(entry.name), guidance
    folder = Path(name).expanduser()
    if entry is None and (folder.exists() or _looks_like_path(name)):
        return display_name(name), folder, guidance
    repository = entry.repository if entry else name
    cached = files.cached_folder(repository, "model_index.json")
    if cached is not None:
        return name, cached, guidance
    if entry is None and repository.count("/") != 1:
        near = catalogue.nearest(name)
        raise ModelError(
            f"No model is called {display_name(name)}.",
            (f"Did you mean {' or '.join(near)}? " if near else "")
            + "Name one of `latmix models list`, a hub id (owner/name), or a folder.",
        )
    raise ModelError(
        f"The model {display_name(name)} is not on this machine.",
        f"Download it with `latmix models pull {display_name(name)}`, or use the model mini.",
    )


def _looks_like_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or (os.sep in name and name.count("/") != 1)


def _single(name: str, path: Path, base: str) -> ModelSource:
    """The source of a checkpoint in one file.

    Args:
        base: a model of the same architecture, for its configuration and tokenizers; "" is the one
            that the file looks made of.
    """
    single = SingleFile.read(path)
    shown = display_name(path)
    explained = f"{shown} is a single file, which holds no configuration and no tokenizer."
    hint = f"Name a model or folder of the same architecture after it: {shown}@BASE."
    base = base or single.base
    if not base:
        raise ModelError(explained, hint)
    try:
        _, folder, guidance = _located(base)
    except ModelError as error:
        raise ModelError(f"{explained} {error}", hint) from error
    return _checked(display_name(name), folder, guidance, single)


def _checked(
    name: str, folder: Path, guidance: float | None, single: SingleFile | None = None
) -> ModelSource:
    """The source of a folder, after everything that can be checked without loading it."""
    shown = display_name(folder)
    if folder.is_file() and any(folder.match(kind) for kind in files.PICKLES):
        raise files.pickled(f"{shown} is a pickle")
    if not folder.is_dir():
        raise ModelError(f"There is no model folder {shown}.", "Check the path.")
    index_file = folder / "model_index.json"
    if not index_file.is_file():
        raise ModelError(
            f"{shown} is not a model folder: it has no model_index.json.",
            "latmix reads folders in diffusers format.",
        )
    index = files.read_json(index_file)
    family = find_family(str(index.get("_class_name")), shown)
    for part, known in family.networks.items():
        if part not in family.optional or named_class(index.get(part)):
            files.check_part(
                folder, part, known, index.get(part), bool(single and single.has(part))
            )
    for part in family.tokenizers:
        if part not in family.optional or named_class(index.get(part)):
            files.check_tokenizer(folder, part)
    guidance = family.guidance if guidance is None else guidance
    source = ModelSource(name, folder, family, guidance, single)
    if single and not single.has(family.denoiser):
        raise ModelError(
            f"{display_name(single.path)} is not a model of the kind of {shown} ({family.title}).",
            "Name a base of the same architecture after it: FILE@BASE.",
        )
    files.check_channels(source.config(family.denoiser), source.channels * family.packing, shown)
    return source
