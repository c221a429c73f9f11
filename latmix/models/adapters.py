"""LoRA adapters: low-rank changes to a model's weights, added to them when it is loaded.

`MODEL+FILE.safetensors=SCALE` names a model with an adapter, so that wherever a model's name goes,
into recipes too, its adapters go along. Reading names and files needs no torch.

Source: Hu et al. 2106.09685, W' = W + scale (alpha/r) B A. Diffusers and peft find which W is
meant.
"""

from __future__ import annotations

import importlib.util
import inspect
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from latmix.errors import ModelError
from latmix.models.families import Family
from latmix.models.files import first_line
from latmix.models.single_file import read_names
from latmix.names import display_name

_NAMED = re.compile(r"(.*\.safetensors)(?:=([^=/]*))?")


@dataclass(frozen=True)
class Adapter:
    """A LoRA file and how strongly it is added."""

    path: Path
    scale: float = 1.0


def split_adapters(name: str) -> tuple[str, tuple[Adapter, ...]]:
    """A model's name without its adapters, and these.

    Raises:
        ModelError: a scale is no number.
    """
    found: list[Adapter] = []
    while not Path(name).expanduser().exists():
        candidates = _candidates(name)
        if not candidates:
            break
        # A file's own name may have a plus in it.
        there = [pair for pair in candidates if pair[1].path.is_file()]
        name, adapter = (there or candidates)[0]
        found.insert(0, adapter)
    return name, tuple(found)


def _candidates(name: str) -> list[tuple[str, Adapter]]:
    """The ways to split a name into a model's and a last adapter, the shortest adapter first."""
    found = []
    for at in reversed([index for index, letter in enumerate(name) if letter == "+" and index]):
        match = _NAMED.fullmatch(name[at + 1 :])
        if match:
            scale = _number(match[2]) if match[2] is not None else 1.0
            found.append((name[:at], Adapter(Path(match[1]).expanduser(), scale)))
    return found


def check_adapter(adapter: Adapter, family: Family) -> None:
    """Check what can be checked of an adapter without loading it.

    Raises:
        ModelError: it is not there, damaged, no LoRA, or the family or this machine takes none.
    """
    shown = display_name(adapter.path)
    if not family.is_prompted:
        raise ModelError(f"{family.title} models take no LoRA.", "Leave --lora out.")
    if not any("lora" in name for name in read_names(adapter.path)):
        raise ModelError(f"{shown} is not a LoRA.", "Give a model by --model.")
    if importlib.util.find_spec("peft") is None:
        raise ModelError(
            "LoRA adapters need the package peft.", "Install it: pip install 'latmix[lora]'."
        )


def add_adapters(adapters: tuple[Adapter, ...], family: Family, parts: Mapping[str, Any]) -> None:
    """Add adapters to the weights of a model's parts, where they are.

    Args:
        parts: the denoiser and the text encoders, by name.

    Raises:
        ModelError: an adapter fits no weight, or was made for another architecture.
    """
    import diffusers

    # The pipeline knows how the many kinds of LoRA files name weights. It is not run.
    kind = getattr(diffusers, family.pipeline)
    wanted = inspect.signature(kind.__init__).parameters
    absent = {name: None for name, one in wanted.items() if one.default in (one.empty, None)}
    options = {name: False for name in ("requires_safety_checker",) if name in wanted}
    pipeline = kind(**{k: v for k, v in absent.items() if k != "self"} | dict(parts) | options)
    for adapter in adapters:
        try:
            _add(pipeline, adapter)
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(
                f"The LoRA {display_name(adapter.path)} cannot be added: {first_line(error)}",
                f"Use one that was made for {family.title}.",
            ) from error


def _add(pipeline: Any, adapter: Adapter) -> None:
    folder, name = adapter.path.parent, adapter.path.name
    pipeline.load_lora_weights(
        str(folder), weight_name=name, use_safetensors=True, local_files_only=True
    )
    if not pipeline.get_list_adapters():
        raise ModelError(
            f"The LoRA {display_name(adapter.path)} changes no weight of this model.",
            "Use one that was made for its architecture.",
        )
    pipeline.fuse_lora(lora_scale=adapter.scale)
    pipeline.unload_lora_weights()


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ModelError(
            f"The scale {display_name(text)} of a LoRA is no number.", "Write FILE.safetensors=0.8."
        )
    return value
