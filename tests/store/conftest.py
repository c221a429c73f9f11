"""A process of its own for what must be killed, starved or stripped of its rights."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.store_children import Child

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """Calls a function of tests/support/store_children.py, JSON in and out, in its own process."""
    command = [sys.executable, "-m", "tests.support.store_children"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    ) as server:
        assert server.stdin is not None and server.stdout is not None
        stdin, stdout = server.stdin, server.stdout

        def call(function: Callable[..., Any], *arguments: Any) -> Any:
            print(json.dumps([function.__name__, arguments]), file=stdin, flush=True)
            code, result = json.loads(stdout.readline())
            assert code == 0, result
            return result

        yield call
        stdin.close()
