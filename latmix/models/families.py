"""The families of models that latmix loads, by the pipeline class of their `model_index.json`.

One file a family does the work; here stands what can be told of it from its files. Needs no torch.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from latmix.errors import ModelError
from latmix.names import display_name

CLIP = ("CLIPTextModel",)
CLIP_PROJECTED = ("CLIPTextModelWithProjection",)
T5 = ("T5EncoderModel",)
UNET = {"unet": ("UNet2DConditionModel",)}
VAE = {"vae": ("AutoencoderKL",)}


@dataclass(frozen=True)
class Family:
    """What the models of a pipeline class have in common.

    Attributes:
        pipeline: the class that `model_index.json` names.
        title: as a person knows it.
        home: module and class that load it.
        networks: parts that have weights, and the classes each may be.
        tokenizers: parts that have none.
        denoiser: the part that predicts.
        autoencoder: the part that makes latents of pictures; "" where they are the pixels.
        optional: parts that may be absent.
        patch: cells along a side that the denoiser takes as one: sides are multiples of it.
        packing: cells that the denoiser takes as channels of one.
        cells: along a side that the denoiser was trained on, where its config does not say.
        has_even_levels: as `FlowSchedule.is_even`.
        guidance: what suits it when generating, where the catalogue does not say.
        guiding: how guidance works: "classifier-free", "embedded" (a number told to the network)
            or "none".
        is_prompted: it takes a prompt.
        needs_index: its index has settings of its own, and so is part of the fingerprint.
    """

    pipeline: str
    title: str
    home: tuple[str, str]
    networks: Mapping[str, tuple[str, ...]]
    tokenizers: tuple[str, ...] = ()
    denoiser: str = "unet"
    autoencoder: str = "vae"
    optional: frozenset[str] = field(default_factory=frozenset)
    patch: int = 1
    packing: int = 1
    cells: int = 64
    has_even_levels: bool = False
    guidance: float = 7.5
    guiding: str = "classifier-free"
    is_prompted: bool = True
    needs_index: bool = False

    def loader(self) -> Any:
        """The class that loads a source of this family; imports torch."""
        module, name = self.home
        return getattr(importlib.import_module(f"latmix.models.{module}"), name)


FAMILIES: tuple[Family, ...] = (
    Family(
        "StableDiffusionPipeline",
        "Stable Diffusion 1.x and 2.x",
        ("stable_diffusion", "StableDiffusion"),
        UNET | VAE | {"text_encoder": CLIP},
        ("tokenizer",),
    ),
    Family(
        "StableDiffusionXLPipeline",
        "Stable Diffusion XL",
        ("stable_diffusion_xl", "StableDiffusionXL"),
        UNET | VAE | {"text_encoder": CLIP, "text_encoder_2": CLIP_PROJECTED},
        ("tokenizer", "tokenizer_2"),
        guidance=5.0,
        needs_index=True,
    ),
    Family(
        "StableDiffusion3Pipeline",
        "Stable Diffusion 3 and 3.5",
        ("stable_diffusion_3", "StableDiffusion3"),
        {"transformer": ("SD3Transformer2DModel",)}
        | VAE
        | {"text_encoder": CLIP_PROJECTED, "text_encoder_2": CLIP_PROJECTED, "text_encoder_3": T5},
        ("tokenizer", "tokenizer_2", "tokenizer_3"),
        denoiser="transformer",
        optional=frozenset({"text_encoder_3", "tokenizer_3"}),
        patch=2,
        guidance=4.5,
    ),
    Family(
        "FluxPipeline",
        "Flux",
        ("flux", "Flux"),
        {"transformer": ("FluxTransformer2DModel",)}
        | VAE
        | {"text_encoder": CLIP, "text_encoder_2": T5},
        ("tokenizer", "tokenizer_2"),
        denoiser="transformer",
        patch=2,
        packing=4,
        cells=128,
        has_even_levels=True,
        guidance=3.5,
        guiding="embedded",
    ),
    *(
        Family(
            pipeline,
            "Unconditional, on pixels",
            ("unconditional", "UnconditionalPixels"),
            {"unet": ("UNet2DModel",)},
            autoencoder="",
            guidance=1.0,
            guiding="none",
            is_prompted=False,
        )
        for pipeline in ("DDPMPipeline", "DDIMPipeline")
    ),
    Family(
        "LDMPipeline",
        "Unconditional, on latents",
        ("unconditional", "Unconditional"),
        {"unet": ("UNet2DModel",), "vqvae": ("VQModel", "AutoencoderKL")},
        autoencoder="vqvae",
        guidance=1.0,
        guiding="none",
        is_prompted=False,
    ),
)


DIFFUSERS = {
    "AutoencoderKL": "autoencoders.autoencoder_kl",
    "AutoencoderTiny": "autoencoders.autoencoder_tiny",
    "FluxTransformer2DModel": "transformers.transformer_flux",
    "SD3Transformer2DModel": "transformers.transformer_sd3",
    "UNet2DModel": "unets.unet_2d",
    "VQModel": "autoencoders.vq_model",
    "UNet2DConditionModel": "unets.unet_2d_condition",
}
"""Where diffusers keeps a class: asking the package itself imports as much again."""

PREFIXES = {
    "unet": ("model.diffusion_model.input_blocks.",),
    "transformer": (
        "model.diffusion_model.joint_blocks.",
        "model.diffusion_model.double_blocks.",
        "joint_blocks.",
        "double_blocks.",
    ),
    "vae": ("first_stage_model.", "vae."),
    "text_encoder": ("cond_stage_model.", "conditioner.embedders.0.", "text_encoders.clip_l."),
    "text_encoder_2": ("conditioner.embedders.1.", "text_encoders.clip_g."),
    "text_encoder_3": ("text_encoders.t5xxl.",),
}
"""How the names of a part's weights begin in a checkpoint of one file."""

BASES = (
    ("cond_stage_model.transformer.", "sd15"),
    ("conditioner.embedders.1.", "sdxl"),
    ("model.diffusion_model.joint_blocks.", "sd35"),
    ("joint_blocks.", "sd35"),
    ("double_blocks.", "flux"),
)
"""The catalogue's model that a file with such names is most often a child of."""


def find_family(pipeline: str, shown: str) -> Family:
    """The family of a pipeline class.

    Args:
        shown: the model's folder, as it is named to the user.

    Raises:
        ModelError: latmix does not load it; the sentence names what it loads.
    """
    for family in FAMILIES:
        if family.pipeline == pipeline:
            return family
    known = ", ".join(f"{family.pipeline} ({family.title})" for family in FAMILIES)
    raise ModelError(
        f"{shown} is a {display_name(pipeline)}, which latmix cannot use.", f"Supported: {known}."
    )
