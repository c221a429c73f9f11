"""Mixtures of stored latents, which are read in blocks, against those of latents in memory."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

import latmix
from latmix.jobs.inversion import Inversion
from latmix.jobs.pictures import PictureRow
from latmix.jobs.stored_mixtures import mix_stored
from latmix.mixing.grid import DEFAULT_METHOD, parse_method
from latmix.sampling.settings import InversionSettings
from latmix.store import space as store_space
from latmix.store.latents import LatentStore

SHAPE = (3, 8, 8)


def stored(root: Path, latents: Tensor) -> Inversion:
    """An inversion whose pictures turned out to have these latents."""
    rows = tuple(PictureRow(Path(f"{n}.png"), f"{n:064x}", "") for n in range(len(latents)))
    space = LatentStore(root).open({"model": "made up"}, SHAPE)
    with space:
        for row, latent in zip(rows, latents, strict=True):
            space.add(row.key, latent)
    settings = InversionSettings((64, 64))
    return Inversion(rows, (), space, settings, cached=0, calls=0, seconds=0.0)


@pytest.fixture(autouse=True)
def seven_rows_a_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_space, "BLOCK_BYTES", 7 * 4 * 3 * 8 * 8)


@pytest.mark.parametrize("method", ["lin/0", "nin/0", "nin/chm", "fix/m", "coh/chm", "lol/chm",
                                    "clol/chm", "adain/chm", "slerp/chm", "nin/lp:1",
                                    "fix/lp:2", "clol/lp:1", "nin/lp:auto"])  # fmt: skip
def test_stored_latents_mix_as_those_in_memory(tmp_path: Path, method: str) -> None:
    latents = torch.randn(40, *SHAPE) + torch.tensor([0.3, -0.2, 0.0])[:, None, None]
    weights = torch.rand(3, 40)
    mixed = mix_stored(stored(tmp_path, latents), weights.tolist(), parse_method(method))
    exact = latmix.mix(latents.double(), weights.double(), method)
    for found, expected in zip(mixed.latents.double(), exact, strict=True):
        assert (found - expected).norm() <= 1e-6 * expected.norm()


def test_the_default_method_reads_each_latent_once(tmp_path: Path, reads: list[range]) -> None:
    inversion = stored(tmp_path, torch.randn(40, *SHAPE))
    mix_stored(inversion, torch.rand(3, 40).tolist(), parse_method(DEFAULT_METHOD))
    assert sorted(row for rows in reads for row in rows) == list(range(40))


@pytest.mark.parametrize("left", [1e-3, 1e-5])
def test_what_the_latents_almost_cancel_is_summed_again(tmp_path: Path, left: float) -> None:
    noise = torch.randn(20, *SHAPE)
    latents = torch.cat([noise, -noise]) + left * torch.randn(40, *SHAPE)
    inversion = stored(tmp_path, latents)
    row = mix_stored(inversion, [[1.0] * 40], parse_method("fix/0"))
    exact = latmix.mix(latents.double(), None, "fix/0")
    assert (row.latents[0].double() - exact).norm() <= 1e-5 * exact.norm()
    assert row.statistics[0].norm_ratio == pytest.approx(1.0, rel=1e-6)


def test_latents_that_cancel_have_no_direction(tmp_path: Path) -> None:
    noise = torch.randn(20, *SHAPE)
    inversion = stored(tmp_path, torch.cat([noise, -noise]))
    with pytest.raises(ValueError, match="cancel"):
        mix_stored(inversion, None, parse_method("fix/0"))


def test_latents_come_in_blocks_of_the_space(tmp_path: Path) -> None:
    inversion = stored(tmp_path, torch.randn(40, *SHAPE))
    sizes = [len(block) for _, block in inversion.space.blocks(inversion.keys)]
    assert inversion.space.block_rows == 7
    assert sizes == [7, 7, 7, 7, 7, 5]
