"""What the families that work on a VAE's latents share; each adds how it is told and predicts."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from latmix.models.adapters import add_adapters
from latmix.models.autoencoder import Autoencoder
from latmix.models.model_source import ModelSource
from latmix.models.offload import Residence
from latmix.models.parts import explained, load_network, load_tokenizer
from latmix.models.protocol import Conditioning


class LatentModel(ABC):
    """A loaded model; see `protocol.Model` for what each method promises."""

    def __init__(
        self, source: ModelSource, device: torch.device, dtype: torch.dtype, offload: str = "none"
    ) -> None:
        """Load the weights.

        Args:
            offload: as `offload.OFFLOADS`: what of them is not kept on the device.

        Raises:
            ModelError: the files are damaged, do not fit together, or exceed the memory.
        """
        self.source = source
        self.device = device
        self.dtype = dtype
        family = source.family
        with explained(source, device):
            self.schedule = source.schedule
            self._parts = Residence(device, offload)
            vae = family.autoencoder
            for part in source.networks:
                loaded = load_network(source, part, torch.float32 if part == vae else dtype)
                self._parts.take(part, loaded.eval().requires_grad_(False))
            self._tokenizers = {part: load_tokenizer(source, part) for part in source.tokenizers}
            self._check()
            if source.adapters:
                others = {part: self._parts[part] for part in self._parts if part != vae}
                add_adapters(source.adapters, family, others)
            self._parts.settle()

    @property
    def _autoencoder(self) -> Autoencoder:
        return Autoencoder(self._parts[self.source.family.autoencoder], self.device)

    @property
    def _denoiser(self) -> Any:
        return self._parts[self.source.family.denoiser]

    @torch.no_grad()
    def condition(self, prompts: Sequence[str]) -> Conditioning:
        distinct = list(dict.fromkeys(prompts))
        return self._encoded(distinct).rows([distinct.index(prompt) for prompt in prompts])

    def condition_negative(self, prompts: Sequence[str]) -> Conditioning:
        return self.condition(prompts)

    def encode(self, pictures: Sequence[Image.Image]) -> Tensor:
        return self._autoencoder.encode(pictures)

    def decode(self, latents: Tensor) -> list[Image.Image]:
        return self._autoencoder.decode(latents)

    def predict(self, state: Tensor, time: float, conditioning: Conditioning) -> Tensor:
        with torch.set_grad_enabled(conditioning.wants_gradient):
            output: Tensor = self._predict(state.to(self.dtype), time, conditioning.tensors)
            return output.float()

    @abstractmethod
    def _predict(self, state: Tensor, time: float, given: Mapping[str, Tensor]) -> Any:
        """The network's output, a tensor, for a state of its own type.

        Args:
            given: the conditioning.
        """

    @abstractmethod
    def _encoded(self, prompts: list[str]) -> Conditioning:
        """Encode distinct prompts."""

    @abstractmethod
    def _check(self) -> None:
        """See that the parts fit together.

        Raises:
            ValueError: they do not.
        """

    def _tokens(self, part: str, prompts: list[str], length: int | None = None) -> Any:
        """The prompts' tokens, padded or cut to `length`, which is the tokenizer's own if None."""
        tokenizer = self._tokenizers[part]
        return tokenizer(
            prompts,
            padding="max_length",
            max_length=length or tokenizer.model_max_length,
            truncation=True,
            return_tensors="pt",
        ).to(self.device)

    def _clip(self, prompts: list[str]) -> tuple[Tensor, list[Tensor]]:
        """Two CLIP encoders' states before the last layer, beside one another, (B, 77, widths), and
        the whole of each, (B, width)."""
        states, pooled = [], []
        for number in ("", "_2"):
            tokens = self._tokens(f"tokenizer{number}", prompts).input_ids
            output = self._parts[f"text_encoder{number}"](tokens, output_hidden_states=True)
            states.append(output.hidden_states[-2])
            pooled.append(output.text_embeds if "text_embeds" in output else output.pooler_output)
        return torch.cat(states, dim=-1), pooled


def check_width(what: str, actual: int, expected: int) -> None:
    """Check that the denoiser listens to what the text encoders say.

    Raises:
        ValueError: its width is another.
    """
    if actual != expected:
        raise ValueError(f"its denoiser takes {what} of width {expected}, and gets {actual}.")
