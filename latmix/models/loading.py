"""From a model's name to a model on a device: the public `latmix.load_model`."""

from __future__ import annotations

import torch

from latmix.errors import UsageError
from latmix.models.offload import OFFLOADS
from latmix.models.protocol import Model
from latmix.models.source import ModelSource, find_model

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}


def load_model(
    name: str | ModelSource = "auto",
    device: str = "auto",
    dtype: str = "auto",
    offload: str = "none",
) -> Model:
    """Load a model.

    Args:
        name: a catalogue name ("mini"), a hub id that is on this machine, a folder in diffusers
            format, a single file with its base ("x.safetensors@sd15"), or "auto": the built-in
            model. LoRA files may follow: "sd15+y.safetensors=0.8".
        device: "auto" (cuda, mps or cpu, the first there is) or a torch device such as "cuda:1".
        dtype: what the network computes in: "float32", "float16", "bfloat16", or "auto": float16 on
            CUDA, else float32. States and mixing are float32 or better in any case.
        offload: what is kept off the device for want of memory: "none", "model" (a part comes when
            it is needed) or "sequential" (a layer does; slow).

    Raises:
        ModelError: unknown, not on this machine, incomplete, refused, or too large.
        UsageError: an unknown device, dtype or offload.
    """
    if offload not in OFFLOADS:
        raise UsageError(
            f"The offload {offload!r} is not known.", f"Use one of {', '.join(OFFLOADS)}."
        )
    source = name if isinstance(name, ModelSource) else find_model(name)
    place = pick_device(device)
    model: Model = source.family.loader()(source, place, pick_dtype(dtype, place), offload)
    return model


def pick_device(name: str) -> torch.device:
    """The torch device of a name; "auto" takes the first of cuda, mps and cpu that is there.

    Raises:
        UsageError: no such device here.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise UsageError(
            f"The device {name!r} cannot be used here.",
            "Use --device auto, or see `latmix doctor`.",
        ) from error
    return device


def pick_dtype(name: str, device: torch.device) -> torch.dtype:
    """The network's type of a name; see `load_model`.

    Raises:
        UsageError: an unknown name.
    """
    if name == "auto":
        return torch.float16 if device.type == "cuda" else torch.float32
    if name not in DTYPES:
        raise UsageError(f"The dtype {name!r} is not known.", f"Use one of {', '.join(DTYPES)}.")
    return DTYPES[name]
