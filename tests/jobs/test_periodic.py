"""Tasks of the clock: one run at a time, what it did is written down, a run that died is noticed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from musicapp.core.db import db, utc_now
from musicapp.core.stopping import WorkerStoppingError
from musicapp.jobs import periodic
from musicapp.jobs.models import Job, PeriodicRun
from musicapp.jobs.periodic import CLOCK, PERIODIC, PeriodicTask, run_periodic, take_over_lost_runs
from musicapp.jobs.tasks import sweep

LONG_AGO = timedelta(hours=1)


@pytest.fixture
def tasks() -> Iterator[Callable[[str, Callable[[], Any]], None]]:
    """Declares periodic tasks for one test: `tasks("name", function)`."""
    before = dict(PERIODIC)

    def declare(name: str, run: Callable[[], Any]) -> None:
        PERIODIC[name] = PeriodicTask(name, name, "default", run)

    yield declare
    PERIODIC.clear()
    PERIODIC.update(before)


def runs(task: str) -> list[PeriodicRun]:
    db.session.rollback()
    statement = select(PeriodicRun).where(PeriodicRun.task == task).order_by(PeriodicRun.id)
    return list(db.session.scalars(statement.execution_options(populate_existing=True)))


def begin(task: str, heartbeat_ago: timedelta = timedelta()) -> int:
    """A run under way in another worker."""
    then = utc_now() - heartbeat_ago
    run = PeriodicRun(task=task, started_by=CLOCK, started_at=then, heartbeat_at=then)
    db.session.add(run)
    db.session.commit()
    return run.id


def test_run_writes_what_it_did(context: Flask, tasks: Any) -> None:
    for name, returned, result in (
        ("counted", {"removed": 3}, {"removed": 3}),
        ("number", 7, {"count": 7}),
        ("nothing", None, {}),
    ):
        tasks(name, lambda returned=returned: returned)
        run_id = run_periodic(name, started_by="admin", token="abc")
        (run,) = runs(name)
        assert (run.id, run.state, run.result, run.started_by, run.token) == (
            run_id,
            "succeeded",
            result,
            "admin",
            "abc",
        )
        assert run.finished_at is not None


def test_failure_is_written_in_words_with_its_traceback_and_frees_the_task(context: Flask, tasks: Any) -> None:
    def full() -> None:
        db.session.add(Job(kind="half done"))
        db.session.flush()
        raise OSError("the disk is full")

    tasks("failing", full)
    run_periodic("failing")
    (run,) = runs("failing")
    assert (run.state, run.finished_at is not None) == ("failed", True)
    assert run.error is not None
    assert run.error.startswith("It failed: the disk is full. It runs again")
    assert run.traceback is not None
    assert "in full" in run.traceback
    assert db.session.scalar(select(func.count(Job.id))) == 0
    tasks("failing", lambda: 1)
    assert run_periodic("failing") is not None


def test_second_run_stays_out_while_the_first_goes_on(context: Flask, tasks: Any) -> None:
    inner: list[int | None] = []
    tasks("twice", lambda: inner.append(run_periodic("twice")))
    assert run_periodic("twice") is not None
    assert inner == [None]
    assert len(runs("twice")) == 1


@pytest.mark.parametrize("clock_moved", [timedelta(), 2 * LONG_AGO], ids=["silent", "the clock went back"])
def test_lost_run_is_noted_and_taken_over(context: Flask, tasks: Any, clock_moved: timedelta) -> None:
    done: list[str] = []
    tasks("lost", lambda: done.append("it"))
    begin("lost", LONG_AGO - clock_moved)
    assert run_periodic("lost") is not None
    assert done == ["it"]
    first, second = runs("lost")
    assert (first.state, second.state) == ("lost", "succeeded")
    assert first.error is not None
    assert "The worker died" in first.error


def test_run_that_was_taken_over_does_not_write_its_end(context: Flask, tasks: Any) -> None:
    def wakes_up_late() -> dict[str, int]:
        (run,) = runs("late")
        run.heartbeat_at -= LONG_AGO
        db.session.commit()
        tasks("late", lambda: {"by": 2})
        run_periodic("late")
        return {"by": 1}

    tasks("late", wakes_up_late)
    run_periodic("late")
    assert [(run.state, run.result) for run in runs("late")] == [("lost", None), ("succeeded", {"by": 2})]


def test_a_lost_run_is_asked_for_again_but_not_for_ever(context: Flask, tasks: Any, sent: list[str]) -> None:
    tasks("fragile", lambda: None)
    for _ in range(4):
        begin("fragile", LONG_AGO)
        assert take_over_lost_runs() == 1
    assert sent == ["fragile", "fragile"]
    assert [run.state for run in runs("fragile")] == ["lost"] * 4


@pytest.mark.parametrize("told", [WorkerStoppingError, SystemExit])
def test_run_of_a_stopping_worker_goes_to_another_at_once(
    context: Flask, tasks: Any, sent: list[str], told: type[BaseException]
) -> None:
    def stopped() -> None:
        raise told

    tasks("stopped", stopped)
    with nullcontext() if told is WorkerStoppingError else pytest.raises(told):
        run_periodic("stopped")
    assert [run.state for run in runs("stopped")] == ["lost"]
    assert sent == ["stopped"]


def test_the_newest_runs_are_kept_and_some_failures_beside_them(
    context: Flask, tasks: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic, "KEPT_RUNS", 3)
    monkeypatch.setattr(periodic, "KEPT_FAILURES", 1)
    for works in (False, False, True, True, True, True):
        tasks("often", lambda works=works: 1 if works else 1 // 0)
        run_periodic("often")
    assert [run.state for run in runs("often")] == ["failed", "succeeded", "succeeded", "succeeded"]


def test_nothing_is_taken_from_living_workers_when_the_clock_jumps(context: Flask) -> None:
    def running_job() -> str:
        db.session.rollback()
        return db.session.scalars(select(Job.state)).one()

    run_periodic("jobs.sweep")
    # An hour passes in a moment: every heartbeat is an hour old, and so is the sweep before.
    then = utc_now() - LONG_AGO
    db.session.execute(PeriodicRun.__table__.update().values(started_at=then, finished_at=then))  # type: ignore[attr-defined]
    db.session.add(Job(kind="encode_track", state="running", claim_token="x", attempts=1, heartbeat_at=then))
    db.session.commit()
    begin("uploads.sweep", LONG_AGO)
    run_periodic("jobs.sweep")
    assert running_job() == "running"
    assert [run.state for run in runs("uploads.sweep")] == ["running"]
    # Who is silent at the next sweep, too, is dead.
    assert sweep()["reaped"] == 1
    assert running_job() == "queued"
    assert [run.state for run in runs("uploads.sweep")] == ["lost"]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, context: Flask) -> list[str]:
    """Names of the tasks that were sent to workers."""
    names: list[str] = []
    monkeypatch.setattr(context.extensions["celery"], "send_task", lambda name, **_: names.append(name))
    return names
