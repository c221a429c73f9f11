"""The parts of a model folder, loaded one by one by the classes that latmix knows.

Pipeline classes, their `__call__` and safety checkers are not used: importing one takes as long as
all its parts together. Only safetensors, never code that comes with a model.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import torch

from latmix.errors import ModelError
from latmix.models.families import DIFFUSERS, PREFIXES
from latmix.models.files import first_line, place
from latmix.models.model_source import ModelSource
from latmix.models.single_file import SingleFile
from latmix.names import display_name, plural


@cache
def import_class(name: str) -> Any:
    """The class of a network or a tokenizer; the first import takes seconds."""
    where = DIFFUSERS.get(name)
    with without_unfit("torchvision"):
        module = importlib.import_module(f"diffusers.models.{where}" if where else "transformers")
        return getattr(module, name)


def load_network(source: ModelSource, part: str, dtype: torch.dtype) -> Any:
    """A part that has weights, on the CPU."""
    name = source.networks[part]
    network = import_class(name)
    if source.single and source.single.has(part):
        return _converted(source, source.single, part, network, dtype)
    typed = {"torch_dtype" if name in DIFFUSERS else "dtype": dtype}
    loaded, found = network.from_pretrained(
        place(source.folder, part),
        use_safetensors=True,
        local_files_only=True,
        variant=source.variant(part),
        output_loading_info=True,
        **typed,
    )
    # What is missing is filled with random numbers otherwise, other ones each time.
    if missing := sorted(found["missing_keys"]):
        raise ModelError(
            f"The {part} of {display_name(source.name)} is incomplete: "
            f"{plural(len(missing), 'tensor')} of it are missing, the first being "
            f"{display_name(missing[0])}.",
            "Fetch the model again.",
        )
    return loaded


def _converted(
    source: ModelSource, single: SingleFile, part: str, network: Any, dtype: torch.dtype
) -> Any:
    """A part of a source's single file, its weights renamed by diffusers, on the CPU.

    Args:
        network: the class of the part.
    """
    from diffusers.loaders import single_file_utils

    options = {
        "config": str(source.folder),
        "subfolder": part,
        "torch_dtype": dtype,
        "local_files_only": True,
    }
    weights = _weights(single, part)
    if hasattr(network, "from_single_file"):
        return network.from_single_file(weights, **options)
    if network.__name__.startswith("T5"):
        convert = single_file_utils.create_diffusers_t5_model_from_checkpoint
    else:
        convert = single_file_utils.create_diffusers_clip_model_from_ldm
    return convert(network, checkpoint=weights, **options)


def _weights(single: SingleFile, part: str) -> dict[str, Any]:
    """The tensors that a part needs, and no others: a file is gigabytes."""
    from safetensors import safe_open

    others = tuple(p for name, known in PREFIXES.items() if name != part for p in known)
    is_denoiser = part in ("unet", "transformer")
    with safe_open(single.path, "pt") as file:
        return {
            name: file.get_tensor(name)
            for name in single.names
            if name.startswith(PREFIXES[part]) or (is_denoiser and not name.startswith(others))
        }


def load_tokenizer(source: ModelSource, part: str) -> Any:
    """A part that has none."""
    name = "T5Tokenizer" if "T5" in str(source.index.get(part)) else "CLIPTokenizer"
    tokenizer = import_class(name)
    return tokenizer.from_pretrained(source.folder / part, local_files_only=True)


@contextmanager
def explained(source: ModelSource, device: torch.device) -> Iterator[None]:
    """What goes wrong while a model is loaded, as a sentence.

    Raises:
        ModelError: the files are damaged, do not fit together, or exceed the memory.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise ModelError(
            f"The model {source.name} does not fit the memory of {device}.",
            "Use --offload model, --dtype float16, --device cpu, or a smaller model.",
        ) from error
    except ModelError:
        raise
    except Exception as error:
        raise ModelError(
            f"The model {source.name} cannot be loaded: {first_line(error)}",
            "Its files are damaged or do not fit together; fetch it again.",
        ) from error


@contextmanager
def without_unfit(name: str) -> Iterator[None]:
    """Let an optional package that is here but cannot be imported pass for one that is not here.

    torchvision must be built for the very torch that is installed; where it is not, transformers
    imports it all the same, and fails.
    """
    if not _is_unfit(name):
        yield
        return
    sys.modules[name] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        sys.modules.pop(name, None)


@cache
def _is_unfit(name: str) -> bool:
    if importlib.util.find_spec(name) is None:
        return False
    try:
        importlib.import_module(name)
    except (ImportError, OSError, RuntimeError, AttributeError):
        return True
    return False
