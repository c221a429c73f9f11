"""What must be killed, starved or stripped of its rights: functions for `child` (tests/store)."""

from __future__ import annotations

import json
import os
import random
import resource
import select
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch

from latmix.errors import StoreError
from latmix.store.latents import LatentStore, row_key
from tests.support.store import (
    KEYS,
    SETTINGS,
    SHAPE,
    assert_holds,
    assert_tells_no_lies,
    fill,
    finish,
    latent_of,
    strike,
    verify,
)

Child = Callable[..., Any]


def refuse(number: int) -> None:
    raise OSError(number, os.strerror(number))


def fork(body: Callable[[], object]) -> int:
    """Runs `body` in a copy of this process; its id."""
    pid = os.fork()
    if pid == 0:
        try:
            body()
            os._exit(0)
        except KeyboardInterrupt:
            os._exit(130)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    return pid


def ended(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


LARGE = (4, 32, 32)


def kill_writers(root: str, rounds: int) -> tuple[int, int]:
    """Kills two or three writers at random instants, over and over; rows flushed, and stored."""
    store, chance = LatentStore(Path(root)), random.Random(0)
    flushed: set[str] = set()
    begun: set[str] = set()
    for turn in range(rounds):
        reading, writing = os.pipe()
        count = 2 + turn % 2
        # Writers overlap, as those of one folder of pictures do.
        ranges = [range(300 * turn + 50 * writer, 300 * turn + 300) for writer in range(count)]

        def write(numbers: range, pipe: int = writing) -> None:
            with store.open(SETTINGS, LARGE) as space:
                for number in numbers:
                    key = row_key(str(number), "")
                    space.add(key, latent_of(key, LARGE))
                    if number % 3 == 0:
                        space.flush()
                        os.write(pipe, b"%8d" % number)

        pids = [fork(partial(write, numbers)) for numbers in ranges]
        begun |= {row_key(str(number), "") for numbers in ranges for number in numbers}
        os.close(writing)
        select.select([reading], [], [])  # at least one flush is done
        select.select([], [], [], chance.uniform(0, 0.1))
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        assert {ended(pid) for pid in pids} == {-signal.SIGKILL}
        with os.fdopen(reading, "rb") as pipe:
            numbers = pipe.read().split()
        flushed |= {row_key(number.decode(), "") for number in numbers}
        space = store.open(SETTINGS, LARGE)
        assert_holds(space, sorted(flushed))
    assert finish(store.verify()).sound
    stored = sorted(key for key in begun if key in space)
    assert_holds(space, stored)
    return len(flushed), len(stored)


def prune_among_writers(root: str) -> int:
    """Prunes all the while two processes store the same keys; how many shards that removed."""
    store = LatentStore(Path(root))
    keys = [row_key(str(number), "") for number in range(60)]

    def write() -> None:
        with store.open(SETTINGS, SHAPE) as space:
            for count, key in enumerate(keys):
                space.add(key, latent_of(key))
                if count % 4 == 3:
                    space.flush()
                    assert_holds(space, keys[: count + 1])

    with store.open(SETTINGS, SHAPE) as reader:
        reader.add(keys[0], latent_of(keys[0]))
    running = [fork(write), fork(write)]
    while running:
        finish(store.prune())
        reader.refresh()
        assert_holds(reader, [key for key in keys if key in reader])
        for pid in list(running):
            done, status = os.waitpid(pid, os.WNOHANG)
            if done:
                assert status == 0
                running.remove(pid)
    finish(store.prune())
    assert_holds(store.open(SETTINGS, SHAPE), keys)
    assert_holds(reader, keys)
    report = finish(store.verify())
    assert report.sound and report.rows == len(keys)
    (space,) = Path(root).glob("latents/v1/*")
    return 31 - len(list((space / "shards").iterdir()))


def die_at_every_step(root: str) -> int:
    """Has a writer die at the first, second, ... call to the system; how many there are."""
    step = 0
    while True:
        step += 1
        place = Path(root) / str(step)

        def write(place: Path = place, step: int = step) -> None:
            strike(step, lambda: os._exit(9), setattr)
            with LatentStore(place).open(SETTINGS, SHAPE) as space:
                space.add(KEYS[0], latent_of(KEYS[0]))
                space.flush()
                space.add(KEYS[1], latent_of(KEYS[1]))

        code = ended(fork(write))
        assert verify(place).sound
        assert_tells_no_lies(LatentStore(place).open(SETTINGS, SHAPE), KEYS[:2])
        fill(place, KEYS)
        assert_holds(LatentStore(place).open(SETTINGS, SHAPE), KEYS)
        if code == 0:
            return step - 1
        assert code == 9


def interrupt_writer(root: str) -> int:
    reading, writing = os.pipe()

    def write() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        with LatentStore(Path(root)).open(SETTINGS, SHAPE) as space:
            for key in KEYS:
                space.add(key, latent_of(key))
            os.write(writing, b".")
            while True:
                select.select([], [], [], 0.01)

    pid = fork(write)
    os.read(reading, 1)
    os.kill(pid, signal.SIGINT)
    return ended(pid)


def fill_up_the_disk(root: str) -> tuple[str, str]:
    """Writes against a limit on the size of files, which stops it in the middle of a shard."""
    store = LatentStore(Path(root))
    keys = [row_key(str(number), "") for number in range(12)]
    with store.open(SETTINGS, LARGE) as space:
        for key in keys[:3]:
            space.add(key, latent_of(key, LARGE))
        space.flush()
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
        for key in keys[3:]:
            space.add(key, latent_of(key, LARGE))
        with pytest.raises(StoreError) as caught:
            space.flush()
        assert_holds(space, keys)
        assert_holds(store.open(SETTINGS, LARGE), keys[:3])
        assert not list(Path(root).glob("latents/v1/*/tmp/*"))
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
    assert_holds(store.open(SETTINGS, LARGE), keys)
    assert verify(Path(root)).sound
    return caught.value.message, caught.value.hint


def write_without_permission(root: str) -> tuple[str, str]:
    os.chdir(root)  # someone else may not walk to where pytest keeps its folders
    if os.geteuid() == 0:
        os.setuid(65534)
    store = LatentStore(Path())
    assert [info.rows for info in store.spaces()] == [2]
    space = store.open(SETTINGS, SHAPE)
    assert_holds(space, KEYS[:2])
    space.add(KEYS[2], latent_of(KEYS[2]))
    with pytest.raises(StoreError) as caught:
        space.flush()
    assert_holds(space, KEYS[:3])
    return caught.value.message, caught.value.hint


def serve() -> None:
    """Answers the calls of `child`, each in a fork, so that they share one import of torch."""
    torch.set_num_threads(1)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        with tempfile.TemporaryFile("w+") as answer:

            def work(
                name: str = name, arguments: list[Any] = arguments, answer: Any = answer
            ) -> None:
                try:
                    json.dump(globals()[name](*arguments), answer)
                except BaseException:
                    traceback.print_exc(file=answer)
                    answer.flush()
                    raise
                answer.flush()

            code = ended(fork(work))
            answer.seek(0)
            text = answer.read()
        print(json.dumps([code, text if code else json.loads(text)]), flush=True)


if __name__ == "__main__":
    serve()
