"""The stage `latents`: every training picture encoded several times, each time composed anew.

One file a pass, so that the stage can stop and go on. Held-out pictures are not in it. Latents are
the posterior's mode, as latmix encodes pictures when it inverts them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from latmix.models.mini.train import captions
from latmix.models.mini.train.autoencoder import read_autoencoder
from latmix.models.mini.train.dataset import Dataset
from latmix.models.mini.train.pictures import Composer, Variety

FOLDER = "latents"

BATCH = 128
"""Pictures that are encoded at once."""

EMPTY_SHARE = 0.1
"""Captions that are dropped, so that the network learns the unconditional branch of guidance."""

TAIL_SHARE = 0.5
"""Captions that tell the background."""


def cache_latents(
    dataset: Dataset,
    folder: Path,
    passes: int,
    device: torch.device,
    seconds: float,
) -> bool:
    """Encode the pictures the denoiser learns `passes` times; True where all passes are there.

    Args:
        seconds: after which no further pass is begun.
    """
    network, digest = read_autoencoder(folder, device)
    made_of = {"autoencoder": digest, "dataset": dataset.digest}
    composer = Composer(dataset, device)
    index = dataset.painted.nonzero()[:, 0].to(device)
    begin = time.monotonic()
    for number in range(passes):
        path = folder / FOLDER / f"pass-{number:03}.safetensors"
        if path.is_file() and _metadata(path) == made_of:
            continue
        if time.monotonic() - begin >= seconds:
            return False
        generator = torch.Generator(device).manual_seed(number)
        rows, names = [], []
        with torch.no_grad():
            for part in torch.split(index, BATCH):
                pictures, tails = composer.compose(part, Variety(), generator)
                rows.append(network.encode(pictures).latent_dist.mode().half().cpu())
                names.append(tails.cpu())
        content = {"latents": torch.cat(rows).contiguous(), "tails": torch.cat(names)}
        path.parent.mkdir(parents=True, exist_ok=True)
        save_file(content, path, metadata=made_of)
        print(f"pass {number + 1}/{passes}: {len(index)} pictures")
    return True


def _metadata(path: Path) -> dict[str, str]:
    with safe_open(path, framework="pt") as file:
        return dict(file.metadata() or {})


@dataclass(frozen=True)
class LatentBatches:
    """Random batches of cached latents with the tokens of a caption each, on one device.

    Attributes:
        latents: (K, P, C, h, w) float16 of K passes over P training pictures.
        tails: what names each one's background, (K, P) int64.
        cumulative: of the pictures' weights, (P,) float64, ending at 1.
        kinds: cumulative shares of the kinds of caption, (kinds,) float64.
        rows: first caption of each kind of each picture, (P, kinds) int64.
        tokens: of every caption, the empty one last, (captions, LENGTH) int64.
        digest: of the autoencoder that made the latents.
    """

    latents: Tensor
    tails: Tensor
    cumulative: Tensor
    kinds: Tensor
    rows: Tensor
    tokens: Tensor
    digest: str

    @classmethod
    def read(cls, dataset: Dataset, folder: Path, device: torch.device) -> LatentBatches:
        """The cached latents of a run.

        Raises:
            FileNotFoundError: the stage `latents` has not run.
            ValueError: some are of another autoencoder than the run's.
        """
        _, digest = read_autoencoder(folder, torch.device("cpu"))
        latents, tails = [], []
        for path in sorted((folder / FOLDER).glob("pass-*.safetensors")):
            if _metadata(path) != {"autoencoder": digest, "dataset": dataset.digest}:
                raise ValueError(
                    f"{path} is of another autoencoder or data set: run the stage latents again."
                )
            with safe_open(path, framework="pt") as file:
                latents.append(file.get_tensor("latents"))
                tails.append(file.get_tensor("tails"))
        if not latents:
            raise FileNotFoundError(f"{folder} has no latents: run the stage latents first.")
        kept = dataset.painted > 0
        cumulative = dataset.painted[kept].double().cumsum(0)
        return cls(
            torch.stack(latents).to(device),
            torch.stack(tails).to(device),
            (cumulative / cumulative[-1]).to(device),
            torch.tensor(captions.HEAD_WEIGHTS, dtype=torch.float64).cumsum(0).to(device),
            dataset.caption_rows[kept].to(device),
            dataset.caption_tokens.to(device),
            digest,
        )

    def draw(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Latents (count, C, h, w) float32 and the tokens of their captions (count, LENGTH)."""
        device = self.latents.device
        drawn = torch.rand(5, count, generator=generator, device=device, dtype=torch.float64)
        passes, pictures = self.tails.shape
        turn = (drawn[0] * passes).long()
        picture = torch.searchsorted(self.cumulative, drawn[1]).clamp_max(pictures - 1)
        kind = torch.searchsorted(self.kinds, drawn[2]).clamp_max(len(self.kinds) - 1)
        tail = torch.where(drawn[3] < TAIL_SHARE, self.tails[turn, picture], 0)
        caption = self.rows[picture, kind] + tail
        caption = torch.where(drawn[4] < EMPTY_SHARE, len(self.tokens) - 1, caption)
        return self.latents[turn, picture].float(), self.tokens[caption]
