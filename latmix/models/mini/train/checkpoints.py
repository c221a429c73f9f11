"""Checkpoints: weights, their running mean and the optimiser's moments in one safetensors file.

Written beside the old one and renamed over it, so that a run that is killed loses only what came
after. Names are `kind/network/parameter`; the rest is JSON in the file's metadata.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

FILE = "checkpoint.safetensors"

Networks = Mapping[str, nn.Module]


def parameters_of(networks: Networks) -> dict[str, nn.Parameter]:
    """The parameters that are trained, as network/parameter, in a fixed order."""
    return {
        f"{name}/{parameter}": value
        for name, network in networks.items()
        for parameter, value in network.named_parameters()
        if value.requires_grad
    }


def write_checkpoint(folder: Path, tensors: Mapping[str, Tensor], state: Mapping[str, Any]) -> None:
    """Replace the checkpoint of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    partial = folder / f"{FILE}.partial"
    save_file(content, partial, metadata={"state": json.dumps(dict(state))})
    partial.replace(folder / FILE)


def read_checkpoint(folder: Path, kind: str = "") -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors whose names begin with `kind`, and the state.

    Raises:
        FileNotFoundError: there is no checkpoint.
    """
    path = folder / FILE
    if not path.is_file():
        raise FileNotFoundError(f"{folder} has no checkpoint: run its stage first.")
    with safe_open(path, framework="pt") as file:
        state: dict[str, Any] = json.loads(file.metadata()["state"])
        tensors = {name: file.get_tensor(name) for name in file.keys() if name.startswith(kind)}  # noqa: SIM118
    return tensors, state


def load_mean_weights(folder: Path, networks: Networks) -> dict[str, Any]:
    """Put the running mean of the weights into networks; returns the checkpoint's state."""
    tensors, state = read_checkpoint(folder, "mean/")
    with torch.no_grad():
        for name, value in parameters_of(networks).items():
            value.copy_(tensors[f"mean/{name}"])
    return state


def digest_of(path: Path) -> str:
    """16 hex digits of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "blake2b").hexdigest()[:16]
