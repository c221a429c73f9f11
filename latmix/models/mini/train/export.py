"""The stage `export`: a pipeline folder in diffusers format, float16, as latmix loads it.

The weights are the running mean of what was trained so far, so that it may also be called in the
middle of a run. `training.json` beside the parts says how the weights came about.
"""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from latmix.models.mini.train.autoencoder import read_autoencoder, save_part
from latmix.models.mini.train.checkpoints import load_mean_weights, read_checkpoint
from latmix.models.mini.train.dataset import Dataset
from latmix.models.mini.train.denoiser import build_diffusion, build_flow
from latmix.models.mini.train.networks import DIFFUSION, FLOW

KINDS = ("mini", "mini-flow")
STAGES = {"mini": "denoiser", "mini-flow": "flow"}

_INDEX: dict[str, dict[str, Any]] = {
    "mini": {
        "_class_name": "StableDiffusionPipeline",
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "scheduler": ["diffusers", "DDIMScheduler"],
        "safety_checker": [None, None],
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
        "requires_safety_checker": False,
    },
    "mini-flow": {
        "_class_name": "StableDiffusion3Pipeline",
        "transformer": ["diffusers", "SD3Transformer2DModel"],
        "vae": ["diffusers", "AutoencoderKL"],
        "text_encoder": ["transformers", "CLIPTextModelWithProjection"],
        "text_encoder_2": ["transformers", "CLIPTextModelWithProjection"],
        "text_encoder_3": [None, None],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "tokenizer_2": ["transformers", "CLIPTokenizer"],
        "tokenizer_3": [None, None],
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
        "feature_extractor": [None, None],
        "image_encoder": [None, None],
    },
}


def export(kind: str, dataset: Dataset, folder: Path, target: Path) -> int:
    """Write the pipeline folder of a run.

    Args:
        kind: one of `KINDS`.
        folder: the run's.
        target: where to write; parts already there are replaced.

    Returns:
        bytes written.

    Raises:
        FileNotFoundError: a stage has not run.
        ValueError: the denoiser was trained on another autoencoder's latents.
    """
    autoencoder, digest = read_autoencoder(folder, torch.device("cpu"))
    _, state = read_checkpoint(folder / STAGES[kind], "state")
    used = {"autoencoder": digest, "dataset": dataset.digest}
    for what, expected in used.items():
        if state["made_of"][what] != expected:
            raise ValueError(f"{STAGES[kind]} was trained on another {what} than {folder} has.")
    if kind == "mini-flow":
        # The pipeline adds it unasked, so that None would fail; 0 is what the rescaling left.
        autoencoder.register_to_config(shift_factor=0.0)
    networks = _networks(kind, dataset, autoencoder, state["made_of"])
    load_mean_weights(folder / STAGES[kind], networks)
    for name, network in {**networks, "vae": autoencoder}.items():
        save_part(network, target / name, torch.float16)
    if kind == "mini-flow":
        save_part(networks["text_encoder"], target / "text_encoder_2", torch.float16)
        dataset.tokenizer.save_pretrained(target / "tokenizer_2")
    dataset.tokenizer.save_pretrained(target / "tokenizer")
    _write_json(target / "scheduler" / "scheduler_config.json", _marked(_scheduler(kind)))
    _write_json(target / "model_index.json", _marked(_INDEX[kind]))
    _write_json(target / "training.json", _record(kind, folder, dataset.digest, digest))
    return sum(path.stat().st_size for path in target.rglob("*") if path.is_file())


def _networks(
    kind: str, dataset: Dataset, autoencoder: Any, made_of: dict[str, Any]
) -> dict[str, Any]:
    """The networks that a checkpoint's weights fit."""
    levels = len(autoencoder.config.block_out_channels)
    size = autoencoder.config.sample_size // 2 ** (levels - 1)
    like = torch.empty(autoencoder.config.latent_channels, size, size)
    build = build_diffusion if kind == "mini" else build_flow
    return build(dataset, made_of, like, 0)


def _scheduler(kind: str) -> dict[str, Any]:
    return DIFFUSION if kind == "mini" else FLOW


def _marked(content: dict[str, Any]) -> dict[str, Any]:
    return {**content, "_diffusers_version": version("diffusers")}


def _record(kind: str, folder: Path, dataset: str, autoencoder: str) -> dict[str, Any]:
    """How the weights came about: plans, samples and seconds of both stages, and versions."""
    stages = {}
    for stage in ("vae", STAGES[kind]):
        _, stages[stage] = read_checkpoint(folder / stage, "state")
    versions = {name: version(name) for name in ("torch", "diffusers", "transformers")}
    return {
        "model": kind,
        "dataset": dataset,
        "autoencoder": autoencoder,
        "stages": stages,
        "versions": versions,
    }


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")
