"""The engine: jobs run in order on one thread, can be stopped, and always come to one ending."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Generator, Iterator
from typing import Any

import pytest

from latmix.errors import LatmixError, PictureError
from latmix.jobs.engine import (
    Engine,
    Job,
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


def asked(engine: Engine, name: str, work: Callable[[], Any], **answers: Any) -> Job[Any]:
    return engine.submit(Job(name, work, **answers))


def counting(steps: int) -> Generator[Progress, None, int]:
    for step in range(steps):
        yield Progress("count", step, steps)
    return steps


def test_a_job_tells_its_progress_and_its_result(engine: Engine, told: Told) -> None:
    job = asked(engine, "count", lambda: counting(3))
    first = told.get(timeout=10)
    assert first == JobProgressed(job, Progress("count", 0, 3))
    assert ending(told) == JobFinished(job, 3)


def test_jobs_run_one_after_the_other_on_one_thread(engine: Engine, told: Told) -> None:
    threads = []

    def noting() -> Generator[Progress, None, None]:
        threads.append(threading.current_thread().name)
        yield Progress("note", 0, 1)

    jobs = [asked(engine, "note", noting) for _ in range(5)]
    assert [ending(told).job for _ in jobs] == jobs
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

    job = asked(engine, "wait", endless)
    waiting = asked(engine, "count", lambda: counting(1))
    assert started.wait(10)
    job.stop()
    assert ending(told) == JobCancelled(job)
    assert cleaned.is_set()
    assert ending(told) == JobFinished(waiting, 1)


def test_cancelling_all_stops_those_that_wait_too(engine: Engine, told: Told) -> None:
    hold = threading.Event()

    def held() -> Generator[Progress, None, None]:
        yield Progress("hold", 0, 1)
        hold.wait(10)
        yield Progress("hold", 0, 1)

    jobs = [asked(engine, "hold", held), asked(engine, "count", lambda: counting(1))]
    assert isinstance(told.get(timeout=10), JobProgressed)
    engine.cancel()
    hold.set()
    assert [ending(told) for _ in jobs] == [
        JobCancelled(jobs[0]),
        JobCancelled(jobs[1]),
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

    asked(engine, "fail", failing)
    asked(engine, "count", lambda: counting(1))
    failed = ending(told)
    assert isinstance(failed, JobFailed)
    assert isinstance(failed.error, LatmixError)
    assert said in str(failed.error)
    assert isinstance(ending(told), JobFinished)


def test_progress_is_told_at_most_ten_times_a_second(engine: Engine, told: Told) -> None:
    asked(engine, "count", lambda: counting(100_000))
    events = []
    while isinstance(event := told.get(timeout=30), JobProgressed):
        events.append(event)
    assert len(events) < 100


def test_each_ending_is_told_to_those_who_asked_for_that_job(engine: Engine, told: Told) -> None:
    said: list[object] = []
    asked(engine, "count", lambda: counting(2), done=said.append, progressed=said.append)
    asked(engine, "at once", lambda: "a value", done=said.append)
    asked(engine, "fail", lambda: 1 / 0, failed=lambda error: said.append(type(error)))
    stopped = Job("stop", lambda: counting(1), stopped=lambda: said.append("stopped"))
    stopped.stop()
    engine.submit(stopped)
    for _ in range(6):
        told.get(timeout=10).answer()
        if "stopped" in said:
            break
    assert said == [Progress("count", 0, 2), 2, "a value", LatmixError, "stopped"]


def test_of_a_group_only_the_last_that_was_asked_is_answered(engine: Engine, told: Told) -> None:
    said: list[object] = []
    first = asked(engine, "read", lambda: "first", done=said.append, group="read")
    other = asked(engine, "write", lambda: "other", done=said.append, group="write")
    endings = [ending(told), ending(told)]
    asked(engine, "read", lambda: "second", done=said.append, group="read")
    endings.append(ending(told))
    assert [event.job for event in endings[:2]] == [first, other]
    for event in endings:
        event.answer()
    assert said == ["other", "second"], "the first had ended, but was not taken yet"
    asked(engine, "read", lambda: "third", done=said.append, group="read")
    last = ending(told)
    engine.drop("read", "write")
    last.answer()
    assert said == ["other", "second"]


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

    job = asked(engine, "wait", endless)
    for wanted in (job.resume, job.stop):
        steps.get(timeout=10)
        job.pause()
        job.pause()
        # At most the step at work, then nothing.
        with pytest.raises(queue.Empty):
            while True:
                steps.get(timeout=0.3)
        wanted()
    assert ending(told) == JobCancelled(job)
    job.pause()
    asked(engine, "count", lambda: counting(1))
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
