"""Stable Diffusion 1.x and 2.x: a UNet on VAE latents, told by a CLIP text encoder.

The parts are loaded one by one from a checked folder; the pipeline class, its `__call__` and the
safety checker are not used. Only safetensors, never code that comes with a model.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from latmix.errors import ModelError
from latmix.models.pixels import to_pictures, to_pixels
from latmix.models.protocol import Conditioning
from latmix.models.schedule import Schedule
from latmix.models.source import ModelSource


class StableDiffusion:
    """A loaded Stable Diffusion model; see `protocol.Model` for what each method promises."""

    def __init__(self, source: ModelSource, device: torch.device, dtype: torch.dtype) -> None:
        """Load the weights.

        Raises:
            ModelError: the files are damaged, do not fit together, or exceed the memory.
        """
        self.source = source
        self.device = device
        self.dtype = dtype
        try:
            self.schedule = Schedule.from_config(source.scheduler)
            unet, vae, text_encoder, tokenizer = _load_parts(source, dtype)
            unet = unet.to(device, memory_format=torch.channels_last)  # convolutions run faster
            self._unet = unet.eval().requires_grad_(False)
            self._vae = vae.to(device).eval().requires_grad_(False)
            self._text_encoder = text_encoder.to(device).eval().requires_grad_(False)
        except torch.OutOfMemoryError as error:
            raise ModelError(
                f"The model {source.name} does not fit the memory of {device}.",
                "Use --device cpu, --dtype float16, or a smaller model.",
            ) from error
        except ModelError:
            raise
        except Exception as error:
            raise ModelError(
                f"The model {source.name} cannot be loaded: {_first_line(error)}",
                "Its files are damaged or do not fit together; fetch it again.",
            ) from error
        self._tokenizer = tokenizer
        self._scale = float(vae.config.scaling_factor)
        self._shift = float(vae.config.shift_factor or 0.0)

    @torch.no_grad()
    def condition(self, prompts: Sequence[str]) -> Conditioning:
        distinct = list(dict.fromkeys(prompts))
        tokens = self._tokenizer(
            distinct,
            padding="max_length",
            max_length=self._tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        )
        mask = None
        if getattr(self._text_encoder.config, "use_attention_mask", False):
            mask = tokens.attention_mask.to(self.device)
        rows = self._text_encoder(tokens.input_ids.to(self.device), attention_mask=mask)[0]
        return Conditioning({"text": rows[[distinct.index(prompt) for prompt in prompts]]})

    @torch.no_grad()
    def encode(self, pictures: Sequence[Image.Image]) -> Tensor:
        pixels = to_pixels(pictures).to(self.device)
        mode: Tensor = self._vae.encode(pixels).latent_dist.mode()
        return (mode.float() - self._shift) * self._scale

    @torch.no_grad()
    def decode(self, latents: Tensor) -> list[Image.Image]:
        pictures = []
        # One at a time: the decoder is the memory peak of a run.
        for latent in latents.to(self.device, torch.float32):
            scaled = latent[None] / self._scale + self._shift
            pictures += to_pictures(self._vae.decode(scaled).sample)
        return pictures

    @torch.no_grad()
    def predict(self, state: Tensor, time: float, conditioning: Conditioning) -> Tensor:
        text = conditioning.tensors["text"].to(self.dtype)
        output: Tensor = self._unet(state.to(self.dtype), time, encoder_hidden_states=text).sample
        return output.float()


def import_classes() -> tuple[Any, Any, Any, Any]:
    """UNet, VAE, text encoder and tokenizer classes; the import takes seconds.

    Imported from their own modules: the pipeline's pulls in as much again.
    """
    _silence_libraries()
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
    from transformers import CLIPTextModel, CLIPTokenizer

    return UNet2DConditionModel, AutoencoderKL, CLIPTextModel, CLIPTokenizer


def _load_parts(source: ModelSource, dtype: torch.dtype) -> tuple[Any, Any, Any, Any]:
    """UNet, VAE, text encoder and tokenizer; the VAE in float32, which it needs to be exact."""
    unet_class, vae_class, text_class, tokenizer_class = import_classes()
    folder = source.folder
    options: dict[str, Any] = {
        "use_safetensors": True,
        "local_files_only": True,
        "variant": source.variant,
    }
    unet = unet_class.from_pretrained(folder / "unet", torch_dtype=dtype, **options)
    vae = vae_class.from_pretrained(folder / "vae", torch_dtype=torch.float32, **options)
    text_encoder = text_class.from_pretrained(folder / "text_encoder", dtype=dtype, **options)
    tokenizer = tokenizer_class.from_pretrained(folder / "tokenizer", local_files_only=True)
    return unet, vae, text_encoder, tokenizer


def _silence_libraries() -> None:
    """Keep the libraries' bars and notices off the terminal: they would spoil the screen."""
    for name in ("TRANSFORMERS_VERBOSITY", "DIFFUSERS_VERBOSITY"):
        os.environ.setdefault(name, "error")
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    from diffusers.utils import logging as diffusers_logging
    from transformers.utils import logging as transformers_logging

    diffusers_logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()


def _first_line(error: Exception) -> str:
    text = str(error).strip().splitlines()
    return f"{text[0][:200] if text else type(error).__name__}"
