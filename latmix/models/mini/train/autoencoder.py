"""The stage `vae`: train the autoencoder, then give every latent channel mean 0 and deviation 1.

A run leaves `autoencoder/` (diffusers format, float32, the running mean of the weights, rescaled)
whether it is finished or not; `latents` and `export` read that folder.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from latmix.models.mini.train.checkpoints import digest_of, load_mean_weights
from latmix.models.mini.train.loop import Plan, Stage, Training
from latmix.models.mini.train.networks import build_autoencoder
from latmix.models.mini.train.pictures import Composer, Variety

FOLDER = "autoencoder"
WEIGHTS = "diffusion_pytorch_model.safetensors"

_UP_BLOCK = re.compile(r"^(decoder\.up_blocks\.)(\d+)\.")

VARIETY = Variety(hue=0.3)

PLANS = {
    "cpu": Plan(steps=1_200, batch=24, rate=2e-3, warmup=60, mean_decay=0.998, clip=0.5),
    "cuda": Plan(fill=240.0, batch=256, rate=2e-3, warmup=100, mean_decay=0.999, clip=0.5),
}

FAINT, QUIET = 0.1, 0.25
"""Directions of less than `FAINT` of the mean variance of the channels, of which the decoder makes
a few tenths of a decibel, get a variance of `QUIET` when the channels are made uncorrelated."""

DIVERGENCE_WEIGHT = 1e-4
"""Of the mean Kullback-Leibler divergence of a latent element from N(0, 1)."""


def reconstruction_losses(output: Tensor, target: Tensor) -> dict[str, Tensor]:
    """What a reconstruction (B, 3, H, W) is off by, in [-1, 1].

    "square" is what PSNR measures; "absolute" keeps flat areas flat; "edges" compares differences
    of neighbours; "coarse" compares means over 4 x 4 pixels and so keeps colours, which the other
    losses give up first for rare colours.
    """
    error = output.float() - target
    coarse = functional.avg_pool2d(error, 4)
    across, down = error.diff(dim=3).abs().mean(), error.diff(dim=2).abs().mean()
    return {
        "square": error.square().mean(),
        "absolute": error.abs().mean(),
        "edges": across + down,
        "coarse": coarse.square().mean() + 0.2 * coarse.abs().mean(),
    }


def autoencoder_loss(
    network: Any, pictures: Tensor, generator: torch.Generator
) -> dict[str, Tensor]:
    """The losses of a batch of pictures, the latents drawn from the posterior."""
    posterior = network.encode(pictures).latent_dist
    mean, log_variance = posterior.mean.float(), posterior.logvar.float()
    noise = torch.randn(mean.shape, generator=generator, device=mean.device)
    output = network.decode(mean + (0.5 * log_variance).exp() * noise).sample
    losses = reconstruction_losses(output, pictures)
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    total = 4 * losses["square"] + 0.3 * losses["absolute"] + 0.1 * losses["edges"]
    total = total + 2 * losses["coarse"] + DIVERGENCE_WEIGHT * divergence
    return {"loss": total, **losses, "divergence": divergence}


def train_autoencoder(
    stage: Stage,
    *,
    channels: Sequence[int],
    latent_channels: int,
    layers: int,
    measured: int = 2048,
    whiten: bool = False,
) -> bool:
    """Train, or go on training, and write `autoencoder/`; True where the plan is finished.

    Args:
        stage: weights to start from are taken where their shapes fit: an autoencoder of more latent
            channels or levels starts well from one of fewer.
        measured: pictures that the channels' means and deviations are measured on.
        whiten: make the channels uncorrelated first. Of many channels most say the same: noise
            stays on the way to pictures in what they differ by, and explicit inversion goes wrong.
    """
    dataset, plan, device = stage.dataset, stage.plan, stage.device
    torch.manual_seed(plan.seed)
    network = build_autoencoder(channels, latent_channels, layers)
    if stage.start is not None:
        _take_what_fits(network, _network_of(stage.start / "vae"))
    network = network.to(device, memory_format=torch.channels_last)
    composer = Composer(dataset, device)
    weights = dataset.seen.to(device)

    def loss(generator: torch.Generator, batch: int) -> dict[str, Tensor]:
        index = torch.multinomial(weights, batch, replacement=True, generator=generator)
        pictures, _ = composer.compose(index, VARIETY, generator)
        return autoencoder_loss(network, pictures, generator)

    made_of = {"channels": list(channels), "latent_channels": latent_channels, "layers": layers}
    made_of["dataset"] = dataset.digest
    checkpoints = stage.folder / "vae"
    training = Training(checkpoints, {"vae": network}, loss, plan, device, made_of)
    is_finished = training.run(stage.limits)
    if training.ranks.is_first:
        load_mean_weights(checkpoints, {"vae": network})
        generator = torch.Generator(device).manual_seed(plan.seed)
        index = torch.multinomial(weights, measured, replacement=True, generator=generator)
        if whiten:
            turn(network, *whitening(network, composer, index, generator))
        mean, deviation = channel_statistics(network, composer, index, generator)
        rescale(network, mean, deviation)
        save_part(network.to("cpu"), stage.folder / FOLDER, torch.float32)
    training.ranks.wait()
    return is_finished


@torch.no_grad()
def channel_statistics(
    network: Any, composer: Composer, index: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each latent channel over pictures, (C,) each."""
    latents = _encoded(network, composer, index, generator)
    return latents.mean(dim=(0, 2, 3)), latents.std(dim=(0, 2, 3))


@torch.no_grad()
def whitening(
    network: Any, composer: Composer, index: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """The mean of the channels over pictures, (C,), and what makes their covariance the identity
    but in `FAINT` directions, where its eigenvalue becomes `QUIET`: (C, C), symmetric."""
    cells = _encoded(network, composer, index, generator).movedim(1, 3).flatten(0, 2)
    values, directions = torch.linalg.eigh(torch.cov(cells.T))
    wanted = torch.where(values > FAINT * values.mean(), 1.0, QUIET)
    least = float(values.mean()) * torch.finfo(torch.float32).eps
    scale = (wanted / values.clamp_min(least)).sqrt()
    return cells.mean(dim=0), directions * scale @ directions.T


def _encoded(
    network: Any, composer: Composer, index: Tensor, generator: torch.Generator, batch: int = 128
) -> Tensor:
    """Latents (B, C, h, w) of pictures, float64."""
    rows = []
    for part in torch.split(index, batch):
        pictures, _ = composer.compose(part, Variety(), generator)
        rows.append(network.encode(pictures).latent_dist.mode().double())
    return torch.cat(rows)


@torch.no_grad()
def turn(network: Any, mean: Tensor, matrix: Tensor) -> None:
    """Fold z' = M (z - mean) into the convolutions on both sides of the latents, as `rescale`.

    The posterior's variances, which no matrix turns into variances again, become those of the mean
    picture everywhere.
    """
    channels = len(mean)
    into, out_of = network.quant_conv, network.post_quant_conv
    variances = into.bias[channels:].double().exp()
    weight, back = into.weight[:channels, :, 0, 0].double(), out_of.weight[:, :, 0, 0].double()
    into.weight[:channels] = (matrix @ weight)[..., None, None]
    into.bias[:channels] = matrix @ (into.bias[:channels].double() - mean)
    into.weight[channels:] = 0.0
    into.bias[channels:] = (matrix.square() @ variances).log()
    out_of.bias += back @ mean
    out_of.weight.copy_((back @ torch.linalg.inv(matrix))[..., None, None])


@torch.no_grad()
def rescale(network: Any, mean: Tensor, deviation: Tensor) -> None:
    """Fold z' = (z - mean)/deviation into the convolutions on both sides of the latents.

    Both are 1 x 1, so the decoder sees exactly what it saw before, up to rounding; the posterior's
    log-variance follows.
    """
    channels = len(mean)
    into, out_of = network.quant_conv, network.post_quant_conv
    scale, shift = deviation.to(into.weight), mean.to(into.weight)
    into.weight[:channels] /= scale[:, None, None, None]
    into.bias[:channels] = (into.bias[:channels] - shift) / scale
    into.bias[channels:] -= 2 * scale.log()
    out_of.bias += (out_of.weight[:, :, 0, 0] @ shift).view_as(out_of.bias)
    out_of.weight *= scale[None, :, None, None]


def read_autoencoder(folder: Path, device: torch.device) -> tuple[Any, str]:
    """The rescaled autoencoder of a run, in evaluation mode, and the digest of its weights.

    Raises:
        FileNotFoundError: the stage `vae` has not run.
    """
    place = folder / FOLDER
    if not (place / WEIGHTS).is_file():
        raise FileNotFoundError(f"{place} is not there: run the stage vae first.")
    network = _network_of(place).to(device, memory_format=torch.channels_last)
    return network.eval().requires_grad_(False), digest_of(place / WEIGHTS)


def save_part(network: Any, folder: Path, dtype: torch.dtype) -> None:
    """Save one network as a pipeline's part, without the path that it was read from."""
    network.to(dtype).save_pretrained(folder)
    path = folder / "config.json"
    config = json.loads(path.read_text())
    config.pop("_name_or_path", None)
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def _take_what_fits(network: Any, given: Any) -> None:
    """Take weights of the same name and shape, the decoder's levels counted from the picture."""
    own = network.state_dict()
    deeper = len(network.decoder.up_blocks) - len(given.decoder.up_blocks)
    for name, value in given.state_dict().items():
        place = _UP_BLOCK.sub(lambda match: f"{match[1]}{int(match[2]) + deeper}.", name)
        if place in own and own[place].shape == value.shape:
            own[place] = value
    network.load_state_dict(own)


def _network_of(folder: Path) -> Any:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

    return AutoencoderKL.from_pretrained(
        folder, torch_dtype=torch.float32, use_safetensors=True, local_files_only=True
    )
