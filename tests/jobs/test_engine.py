"""The engine: jobs run in order on one thread, can be stopped, and always come to one ending."""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterator

import pytest

from latmix.errors import LatmixError, PictureError
from latmix.jobs.engine import (
    Engine,
    JobCancelled,
    JobEvent,
    JobFailed,
    JobFinished,
    JobProgressed,
)
from latmix.jobs.progress import Pace, Progress, clock_text, progress_line

Told = queue.Queue[JobEvent]


@pytest.fixture
def told() -> Told:
    return queue.Queue()


@pytest.fixture
def engine(told: Told) -> Iterator[Engine]:
    engine = Engine(told.put)
    yield engine
    assert engine.close()


def ending(told: Told) -> JobEvent:
    while isinstance(event := told.get(timeout=10), JobProgressed):
        pass
    return event


def counting(steps: int) -> Generator[Progress, None, int]:
    for step in range(steps):
        yield Progress("count", step, steps)
    return steps


def test_a_job_tells_its_progress_and_its_result(engine: Engine, told: Told) -> None:
    number = engine.submit("count", lambda: counting(3))
    first = told.get(timeout=10)
    assert first == JobProgressed(number, "count", Progress("count", 0, 3))
    assert ending(told) == JobFinished(number, "count", 3)


def test_jobs_run_one_after_the_other_on_one_thread(engine: Engine, told: Told) -> None:
    threads = []

    def noting() -> Generator[Progress, None, None]:
        threads.append(threading.current_thread().name)
        yield Progress("note", 0, 1)

    numbers = [engine.submit("note", noting) for _ in range(5)]
    assert [ending(told).job for _ in numbers] == numbers
    assert set(threads) == {"latmix-engine"}


def test_a_cancelled_job_stops_at_its_next_step_and_cleans_up(engine: Engine, told: Told) -> None:
    started, cleaned = threading.Event(), threading.Event()

    def endless() -> Generator[Progress, None, None]:
        try:
            while True:
                yield Progress("wait", 0, 1)
                started.set()
        finally:
            cleaned.set()

    number = engine.submit("wait", endless)
    waiting = engine.submit("count", lambda: counting(1))
    assert started.wait(10)
    engine.cancel(number)
    assert ending(told) == JobCancelled(number, "wait")
    assert cleaned.is_set()
    assert ending(told) == JobFinished(waiting, "count", 1)


def test_cancelling_all_stops_those_that_wait_too(engine: Engine, told: Told) -> None:
    hold = threading.Event()

    def held() -> Generator[Progress, None, None]:
        yield Progress("hold", 0, 1)
        hold.wait(10)
        yield Progress("hold", 0, 1)

    numbers = [engine.submit("hold", held), engine.submit("count", lambda: counting(1))]
    assert isinstance(told.get(timeout=10), JobProgressed)
    engine.cancel()
    hold.set()
    assert [ending(told) for _ in numbers] == [
        JobCancelled(numbers[0], "hold"),
        JobCancelled(numbers[1], "count"),
    ]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PictureError("It is no picture."), "It is no picture."),
        (ValueError("weights: bad."), "weights: bad."),
        (ZeroDivisionError("by zero"), "ZeroDivisionError: by zero"),
    ],
)
def test_a_job_that_fails_tells_a_sentence_and_the_next_one_runs(
    engine: Engine, told: Told, error: Exception, said: str
) -> None:
    def failing() -> Generator[Progress, None, None]:
        yield Progress("fail", 0, 1)
        raise error

    engine.submit("fail", failing)
    engine.submit("count", lambda: counting(1))
    failed = ending(told)
    assert isinstance(failed, JobFailed)
    assert isinstance(failed.error, LatmixError)
    assert said in str(failed.error)
    assert isinstance(ending(told), JobFinished)


def test_progress_is_told_at_most_ten_times_a_second(engine: Engine, told: Told) -> None:
    engine.submit("count", lambda: counting(100_000))
    events = []
    while isinstance(event := told.get(timeout=30), JobProgressed):
        events.append(event)
    assert len(events) < 100


def test_pace_is_steps_a_second_and_the_time_left() -> None:
    now = [0.0]
    pace = Pace(clock=lambda: now[0])
    pace.update(Progress("invert", 0, 16))
    for step in range(1, 26):
        now[0] += 0.5
        pace.update(Progress("invert", 0, 16, step=step, steps=50, active=8))
    assert pace.steps_per_second == pytest.approx(2.0)
    assert pace.seconds_left == pytest.approx(37.5)
    line = progress_line(Progress("invert", 0, 16, 25, 50, 8, "cpu", "3 cached"), pace)
    assert line == "0/16  step 25/50  2.0 it/s  0:38 left  cpu  3 cached"


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-:--"), (0, "0:00"), (61, "1:01"), (3725, "1:02:05")]
)
def test_times_are_written_as_a_clock_does(seconds: float | None, text: str) -> None:
    assert clock_text(seconds) == text


def test_a_paused_job_waits_and_goes_on_or_is_stopped(engine: Engine, told: Told) -> None:
    steps: queue.Queue[int] = queue.Queue()

    def endless() -> Generator[Progress, None, None]:
        for step in range(10_000_000):
            steps.put(step)
            yield Progress("wait", 0, 1)

    number = engine.submit("wait", endless)
    for wanted in (engine.resume, engine.cancel):
        steps.get(timeout=10)
        engine.pause(number)
        engine.pause(number)
        # At most the step at work, then nothing.
        with pytest.raises(queue.Empty):
            while True:
                steps.get(timeout=0.3)
        wanted(number)
    assert ending(told) == JobCancelled(number, "wait")
    engine.pause(number)
    engine.submit("count", lambda: counting(1))
    assert isinstance(ending(told), JobFinished)


def test_the_pace_passes_over_calls_within_a_step_and_over_pauses() -> None:
    now = [0.0]
    pace = Pace(clock=lambda: now[0])
    pace.update(Progress("invert", 0, 16))
    for step in range(1, 26):
        for _ in range(4):
            now[0] += 0.1
            pace.update(Progress("invert", 0, 16, step=step - 1, steps=50, active=8))
        now[0] += 0.1
        pace.update(Progress("invert", 0, 16, step=step, steps=50, active=8))
        if step == 20:
            now[0] += 100
            pace.forgive(100)
    assert pace.steps_per_second == pytest.approx(2.0)
    assert pace.seconds_left == pytest.approx(37.5)
