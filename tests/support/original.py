"""From diffusers' names of weights to those of the original programs, as in a single file.

latmix only ever goes the other way; the tests need a file to start from.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from diffusers.loaders.single_file_utils import DIFFUSERS_TO_LDM_MAPPING
from safetensors.torch import load_file, save_file
from torch import Tensor

RESNET = (
    ("norm1", "in_layers.0"),
    ("conv1", "in_layers.2"),
    ("norm2", "out_layers.0"),
    ("conv2", "out_layers.3"),
    ("time_emb_proj", "emb_layers.1"),
    ("conv_shortcut", "skip_connection"),
)
ATTENTION = (
    ("group_norm", "norm"),
    ("to_q", "q"),
    ("to_k", "k"),
    ("to_v", "v"),
    ("to_out.0", "proj_out"),
)


def save_as_single_file(folder: Path, target: Path, layers: int = 1) -> None:
    """Write a Stable Diffusion 1.x or XL folder as one file.

    Args:
        layers: resnets in each level of its UNet's way down.
    """
    text = text_model(weights(folder / "text_encoder"))
    parts = {
        "model.diffusion_model.": unet(weights(folder / "unet"), layers),
        "first_stage_model.": autoencoder(weights(folder / "vae")),
    }
    if (folder / "text_encoder_2").is_dir():
        parts["conditioner.embedders.0.transformer."] = text
        parts["conditioner.embedders.1.model."] = open_clip(weights(folder / "text_encoder_2"))
    else:
        parts["cond_stage_model.transformer."] = text
    whole = {prefix + name: v.contiguous() for prefix, p in parts.items() for name, v in p.items()}
    save_file(whole, target)


def text_model(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {"text_model." + n.removeprefix("text_model."): v for n, v in found.items()}


def open_clip(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A projected CLIP encoder as open_clip names it, queries, keys and values in one."""
    ends = DIFFUSERS_TO_LDM_MAPPING["openclip"]["layers"]
    inner = DIFFUSERS_TO_LDM_MAPPING["openclip"]["transformer"]
    made: dict[str, Tensor] = {}
    for name, value in found.items():
        if name in ends:
            made[ends[name]] = value.T if name == "text_projection.weight" else value
            continue
        old = name
        for new_words, old_words in inner.items():
            old = old.replace(new_words, old_words)
        if ".q_proj." in old:
            whole = [found[name.replace(".q_proj.", f".{x}_proj.")] for x in "qkv"]
            made["transformer." + old.replace(".q_proj.", ".in_proj_")] = torch.cat(whole)
        elif ".k_proj." not in old and ".v_proj." not in old:
            made["transformer." + old] = value
    return made


def weights(folder: Path) -> dict[str, Tensor]:
    [path] = folder.glob("*.safetensors")
    return load_file(path)


def renamed(name: str, pairs: Mapping[str, str] | tuple[tuple[str, str], ...]) -> str:
    for new, old in dict(pairs).items():
        name = name.replace(f".{new}.", f".{old}.")
    return name


def unet(found: Mapping[str, Tensor], layers: int) -> dict[str, Tensor]:
    mapped = DIFFUSERS_TO_LDM_MAPPING["unet"]
    ends = mapped["layers"] | mapped["addition_embed_type"]
    attended = {int(n.split(".")[1]) for n in found if re.match(r"up_blocks\.\d+\.attentions", n)}

    def original(name: str) -> str:
        if name in ends:
            return str(ends[name])
        side, *rest = name.split(".")
        if side == "mid_block":
            kind, index, *tail = rest
            place = f"middle_block.{1 if kind == 'attentions' else 2 * int(index)}"
        else:
            level, kind, index, *tail = rest
            if kind == "downsamplers":
                return f"input_blocks.{(layers + 1) * (int(level) + 1)}.0.op.{tail[-1]}"
            if kind == "upsamplers":
                at = (layers + 1) * int(level) + layers
                return f"output_blocks.{at}.{2 if int(level) in attended else 1}.conv.{tail[-1]}"
            at = (layers + 1) * int(level) + int(index)
            which = 1 if kind == "attentions" else 0
            blocks = f"input_blocks.{at + 1}" if side == "down_blocks" else f"output_blocks.{at}"
            place = f"{blocks}.{which}"
        plain = f"{place}." + ".".join(tail)
        return renamed(plain, RESNET) if kind == "resnets" else plain

    return {original(name): value for name, value in found.items()}


def autoencoder(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    ends = DIFFUSERS_TO_LDM_MAPPING["vae"]
    levels = 1 + max(int(n.split(".")[2]) for n in found if "up_blocks" in n)

    def original(name: str) -> str:
        if name in ends:
            return str(ends[name])
        name = re.sub(r"mid_block\.resnets\.(\d)", lambda m: f"mid.block_{int(m[1]) + 1}", name)
        name = name.replace("mid_block.attentions.0", "mid.attn_1")
        if "attn_1" in name:
            return renamed(name, ATTENTION)
        name = re.sub(r"down_blocks\.(\d)\.", r"down.\1.", name)
        name = re.sub(r"up_blocks\.(\d)\.", lambda m: f"up.{levels - 1 - int(m[1])}.", name)
        name = re.sub(r"(down|up)samplers\.0\.conv", r"\1sample.conv", name)
        return name.replace(".resnets.", ".block.").replace("conv_shortcut", "nin_shortcut")

    def shaped(name: str, value: Tensor) -> Tensor:
        # The original's attention is made of 1 x 1 convolutions.
        is_linear = "attn_1" in name and value.ndim == 2
        return value[:, :, None, None] if is_linear else value

    names = {name: original(name) for name in found}
    return {names[name]: shaped(names[name], value) for name, value in found.items()}
