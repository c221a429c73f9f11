"""The format of a shard, which must stay readable."""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path

import torch
from safetensors import safe_open

from latmix.store.latents import LatentStore, space_id
from tests.support.store import KEYS, SETTINGS, fill, latent_of, verify

FIRST_VERSION = """
oAEAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiJsYXRtaXgtbGF0ZW50cy0xIiwic3BhY2UiOiIxOTE2YjEzOGM4
MTU2NTE0Iiwid3JpdHRlbl9ieSI6ImxhdG1peCAwLjEuMCIsImtleXMiOiJbXCJvbmVcIiwgXCJ0d29cIl0iLCJzdW1tYXJ5
X2NoZWNrc3VtcyI6IlsyOTE2ODQ1NzEsIDI1NzI5MDQ1MjBdIiwiY2hlY2tzdW1zIjoiWzI3MTY0MTgyNjAsIDE3Nzk0Nzg4
NDBdIn0sInNxdWFyZWRfbm9ybSI6eyJkdHlwZSI6IkY2NCIsInNoYXBlIjpbMl0sImRhdGFfb2Zmc2V0cyI6WzAsMTZdfSwi
Y2hhbm5lbF9tZWFuIjp7ImR0eXBlIjoiRjY0Iiwic2hhcGUiOlsyLDFdLCJkYXRhX29mZnNldHMiOlsxNiwzMl19LCJsYXRl
bnRzIjp7ImR0eXBlIjoiRjMyIiwic2hhcGUiOlsyLDEsMSwyXSwiZGF0YV9vZmZzZXRzIjpbMzIsNDhdfX0gIAAAAAAAABRA
AAAAAAAAOUAAAAAAAAD4PwAAAAAAAOC/AACAPwAAAEAAAEBAAACAwA==
"""


def test_fifteen_lines_without_latmix_read_a_shard(tmp_path: Path) -> None:
    def read_shard(path: Path) -> dict[str, tuple[float, list[float], list[float]]]:
        blob = path.read_bytes()
        base = 8 + struct.unpack("<Q", blob[:8])[0]
        header = json.loads(blob[8:base])
        assert header["__metadata__"]["format"] == "latmix-latents-1"

        def tensor(name: str, code: str) -> tuple[int, list[float]]:
            entry = header[name]
            start, end = entry["data_offsets"]
            values = list(struct.iter_unpack(code, blob[base + start : base + end]))
            return len(values) // entry["shape"][0], [value for (value,) in values]

        keys = json.loads(header["__metadata__"]["keys"])
        (a, norms), (b, means), (c, latents) = (
            tensor(name, code)
            for name, code in (("squared_norm", "<d"), ("channel_mean", "<d"), ("latents", "<f"))
        )
        assert a == 1
        return {
            key: (norms[i], means[b * i : b * i + b], latents[c * i : c * i + c])
            for i, key in enumerate(keys)
        }

    rows = read_shard(fill(tmp_path, KEYS))
    assert list(rows) == KEYS
    for key, (norm, means, latent) in rows.items():
        exact = latent_of(key).double()
        assert norm == exact.square().sum()
        assert means == exact.mean(dim=(1, 2)).tolist()
        assert latent == exact.flatten().tolist()


def test_safetensors_itself_reads_a_shard(tmp_path: Path) -> None:
    with safe_open(fill(tmp_path, KEYS), framework="pt") as shard:
        assert json.loads(shard.metadata()["keys"]) == KEYS
        expected = torch.stack([latent_of(key) for key in KEYS])
        assert torch.equal(shard.get_tensor("latents"), expected)
        assert torch.equal(shard.get_tensor("channel_mean"), expected.double().mean(dim=(2, 3)))


def test_a_shard_of_the_first_version_is_readable_for_ever(tmp_path: Path) -> None:
    shards = tmp_path / "latents" / "v1" / space_id(SETTINGS) / "shards"
    shards.mkdir(parents=True)
    (shards / f"{0:032x}.safetensors").write_bytes(base64.b64decode(FIRST_VERSION))
    space = LatentStore(tmp_path).open(SETTINGS, (1, 1, 2))
    assert torch.equal(space.read(["one", "two"]).view(2, 2), torch.tensor([[1.0, 2], [3, -4]]))
    assert space.summary(["two"])[0].tolist() == [25.0] and verify(tmp_path).sound
