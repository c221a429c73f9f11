"""Drives the terminal UI in a test: keys in, session, messages and painted lines out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

from textual._wait import wait_for_idle
from textual.message import Message
from textual.pilot import Pilot

from latmix.config import load_config
from latmix.jobs.engine import JobEvent, JobFinished, JobProgressed
from latmix.session.machine import Machine
from latmix.session.session import Session
from latmix.tui import ExploreOptions, make_start
from latmix.tui.app import ExploreApp
from latmix.tui.messages import JobReported

QUICK = {"steps": 2, "size": (32, 32), "solver": "ddim"}
"""Choices under which six pictures are inverted in a moment."""

PATIENCE = 60.0

SETTLED = 0.1
"""Seconds that the pilot waits, twice a key, for a processor that a job keeps busy. Its own full
second would let most jobs end before the next key is pressed."""

Kind = TypeVar("Kind", bound=Message)


@dataclass
class Driver:
    """A running explorer, and what was posted in it."""

    app: ExploreApp
    pilot: Pilot[int]
    messages: list[Message] = field(default_factory=list)

    @property
    def session(self) -> Session:
        return self.app.session

    @property
    def weights(self) -> list[float]:
        """In the order of the mixture."""
        return list(self.session.mixture.weights) if self.session.mixture else []

    @property
    def said(self) -> str:
        return self.app.job_line.said

    @property
    def lines(self) -> list[str]:
        """What is painted, line by line."""
        return [strip.text for strip in self.app.screen._compositor.render_strips()]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def notices(self) -> list[str]:
        return [notice.message for notice in self.app._notifications]

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        await self.pilot.press(*text)

    async def until(self, condition: Callable[[], Any]) -> None:
        """Let the app go on until the condition holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"it never came; the screen was\n{self.text}"
            # The pilot's own pause would ask every widget each time, and take half of the test.
            await asyncio.sleep(0.01)
        await self.pilot.pause()

    async def until_shown(self, *texts: str) -> None:
        await self.until(lambda: all(text in self.text for text in texts))

    async def until_idle(self) -> None:
        """No job of the user's is under way any more."""
        await self.until(lambda: not self.app.work.is_busy)

    def posted(self, kind: type[Kind]) -> list[Kind]:
        # Every message is seen again by each widget that it bubbles through.
        seen = dict.fromkeys(id(m) for m in self.messages if isinstance(m, kind))
        by_id = {id(m): m for m in self.messages if isinstance(m, kind)}
        return [by_id[key] for key in seen]

    def events(self, name: str) -> list[JobEvent]:
        """The endings of jobs of that name."""
        told = [message.event for message in self.posted(JobReported)]
        return [e for e in told if e.job.name == name and not isinstance(e, JobProgressed)]

    def progresses(self, name: str) -> list[JobProgressed]:
        told = [message.event for message in self.posted(JobReported)]
        return [e for e in told if e.job.name == name and isinstance(e, JobProgressed)]

    def finished(self, name: str) -> bool:
        return any(isinstance(event, JobFinished) for event in self.events(name))


@asynccontextmanager
async def exploring(
    folder: Path | None, size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[Driver]:
    """`latmix explore FOLDER`, open until the block is left; its threads are ended then."""
    options.setdefault("model", "mini")
    options.setdefault("machine", Machine("cpu"))
    options["choices"] = QUICK | options.get("choices", {})
    start = make_start(ExploreOptions(folder=folder, **options), load_config())
    async with running(ExploreApp(start), size) as driver:
        yield driver


@asynccontextmanager
async def running(app: ExploreApp, size: tuple[int, int]) -> AsyncIterator[Driver]:
    """An app on a screen; its threads are ended after the block."""
    messages: list[Message] = []
    settle = partial(wait_for_idle, max_sleep=SETTLED)
    with patch("textual.app.wait_for_idle", settle), patch("textual.pilot.wait_for_idle", settle):
        try:
            async with app.run_test(size=size, message_hook=messages.append) as pilot:
                yield Driver(app, pilot, messages)
        finally:
            assert app.engines.close(PATIENCE)


@asynccontextmanager
async def opened(
    folder: Path | None, size: tuple[int, int] = (80, 24), **options: Any
) -> AsyncIterator[Driver]:
    """The same, once the folder's pictures are shown."""
    async with exploring(folder, size, **options) as driver:
        await driver.until(lambda: driver.session.pictures)
        yield driver
