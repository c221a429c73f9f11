"""Fetching a model from a hub: what arrives, what goes wrong, and that nothing is lost by it."""

from __future__ import annotations

import errno
import hashlib
import http.server
import json
import shutil
import threading
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from latmix.models.catalogue import built_in_folder
from tests.support.command import QUICK, answer, cli, refused

COMMIT = "a" * 40


class Hub(http.server.BaseHTTPRequestHandler):
    """As much of a model hub as a download asks for, serving the built-in model."""

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, body: bool) -> None:
        content = self.content(self.path.split("?")[0])
        if content is None:
            kind = "/gated/" in self.path, "/closed/" in self.path
            self.send_response({(True, False): 403, (False, True): 403}.get(kind, 404))
            if not kind[1]:
                self.send_header("X-Error-Code", "GatedRepo" if kind[0] else "RepoNotFound")
            self.end_headers()
            return
        name = self.path.rpartition("/")[2]
        first = int((self.headers.get("Range") or "bytes=0-").removeprefix("bytes=").split("-")[0])
        if body:
            self.server.fetched.append((name, first))  # type: ignore[attr-defined]
        self.send_response(206 if first else 200)
        self.send_header("Content-Length", str(len(content) - first))
        if first:
            whole = len(content)
            self.send_header("Content-Range", f"bytes {first}-{whole - 1}/{whole}")
        self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("ETag", hashlib.sha1(content).hexdigest())
        self.end_headers()
        if body and self.server.cut.pop(name, False):  # type: ignore[attr-defined]
            # The line goes dead halfway.
            self.wfile.write(content[first : len(content) // 2])
            self.close_connection = True
        elif body:
            self.wfile.write(content[first:])

    def content(self, name: str) -> bytes | None:
        folder = built_in_folder()
        files = {p.relative_to(folder).as_posix(): p for p in folder.rglob("*") if p.is_file()}
        if name.startswith("/api/models/somebody/emoji/tree/"):
            pickle = {"type": "file", "path": "unet/pytorch_model.bin", "size": 9, "oid": COMMIT}
            entries = [
                {
                    "type": "file",
                    "path": n,
                    "size": p.stat().st_size,
                    "oid": hashlib.sha1(n.encode()).hexdigest(),
                }
                for n, p in files.items()
            ]
            return json.dumps([*entries, pickle]).encode()
        if name.startswith("/api/models/somebody/emoji"):
            siblings = [{"rfilename": n} for n in (*files, "unet/pytorch_model.bin")]
            about = {"id": "somebody/emoji", "sha": COMMIT, "siblings": siblings, "tags": []}
            return json.dumps(about).encode()
        path = files.get(name.rpartition(f"/resolve/{COMMIT}/")[2])
        return path.read_bytes() if path and name.startswith("/somebody/emoji/") else None

    def log_message(self, *words: object) -> None:
        pass


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The server; `fetched` are files and where in them each request began, `cut` those to break
    off once."""
    from huggingface_hub import constants

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    server.fetched, server.cut = [], {}  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(
        constants,
        "HUGGINGFACE_CO_URL_TEMPLATE",
        address + "/{repo_id}/resolve/{revision}/{filename}",
    )
    yield server
    server.shutdown()
    server.server_close()


def test_a_model_is_pulled_without_pickles_and_then_used(
    hub: Any, folder: Path, tmp_path: Path
) -> None:
    place = Path(answer(cli("models", "pull", "somebody/emoji", "--json"))["folder"])
    assert not list(place.rglob("*.bin"))
    result = answer(
        cli(
            "centroid",
            folder,
            "-n",
            "2",
            "--model",
            "somebody/emoji",
            "--json",
            "-o",
            tmp_path / "out.png",
            *QUICK,
        )
    )
    assert result["model"] == "somebody/emoji"
    refused(cli("models", "pull", "nobody/nothing"), 1, "no model nobody/nothing")
    refused(cli("models", "pull", "gated/one"), 1, "accept", "/gated/one, then", "hf auth login")
    repository = next((tmp_path / "hub").glob("models--somebody--emoji"))
    refused(cli("models", "remove", "somebody/emoji"), 2, "frees", "--yes")
    assert repository.is_dir()
    freed = answer(cli("models", "remove", "somebody/emoji", "--yes", "--json"))
    assert freed["bytes"] > 1_000_000
    assert not repository.exists()
    refused(cli("models", "remove", "somebody/emoji", "--yes"), 1, "not in the hub's cache")
    refused(cli("models", "remove", "mini", "--yes"), 1, "built in")
    refused(cli("models", "remove", str(folder), "--yes"), 1, "folder of your own")


WEIGHTS = "diffusion_pytorch_model.safetensors"
PULL = ("models", "pull", "somebody/emoji")


def test_a_file_that_broke_off_goes_on_where_it_was(
    hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1 << 16)
    hub.cut[WEIGHTS] = True
    place = Path(answer(cli(*PULL, "--json"))["folder"])
    assert any(name == WEIGHTS and first > 0 for name, first in hub.fetched)
    for path in built_in_folder().rglob(WEIGHTS):
        assert (place / path.relative_to(built_in_folder())).read_bytes() == path.read_bytes()


def test_a_full_disk_is_said_before_anything_is_fetched(
    hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, 4096))
    refused(cli(*PULL), 1, "needs ", " more, and the disk of ", "4.0 KiB free", "Make room")
    assert not [name for name, _ in hub.fetched if name == WEIGHTS]


def test_a_disk_that_fills_up_keeps_what_is_whole(
    hub: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import file_download

    fetch = file_download.http_get

    def until_full(url: str, *words: Any, **more: Any) -> None:
        if url.endswith(WEIGHTS):
            raise OSError(errno.ENOSPC, "No space left on device")
        fetch(url, *words, **more)

    with monkeypatch.context() as full:
        full.setattr(file_download, "http_get", until_full)
        refused(cli(*PULL), 1, "is full: somebody/emoji is not whole", "Make room", "is kept")
    before = {name for name, _ in hub.fetched}
    hub.fetched.clear()
    assert Path(answer(cli(*PULL, "--json"))["folder"]).is_dir()
    after = {name for name, _ in hub.fetched}
    assert "tokenizer_config.json" in before
    assert "tokenizer_config.json" not in after
    assert WEIGHTS in after


def test_what_the_hub_refuses_says_how_to_log_in(hub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    refused(
        cli("models", "pull", "closed/one"), 1, "refuses closed/one (error 403)", "hf auth login"
    )
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    hub.fetched.clear()
    refused(cli(*PULL), 1, "switched off by HF_HUB_OFFLINE", "Unset it")
    assert not hub.fetched
