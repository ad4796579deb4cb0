"""Tasks of the clock: one run of each at a time, what it did is written down, and a run that died is noticed.

To add one: decorate a function in a room's tasks.py, list the module in features.py, and write when it runs into
schedule.py.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from billiard.exceptions import SoftTimeLimitExceeded
from celery import shared_task
from flask import Flask, current_app
from kombu.exceptions import OperationalError as BrokerError
from sqlalchemy import delete, select, text, update
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from musicapp.core.celery import celery_app
from musicapp.core.db import db, insert_into, utc_now
from musicapp.core.events import publish
from musicapp.core.redis import RedisUnavailable, redis_client
from musicapp.core.stopping import WorkerStoppingError
from musicapp.jobs import reports
from musicapp.jobs.events import PeriodicRunEnded
from musicapp.jobs.models import FAILED, LOST, RUNNING, SUCCEEDED, PeriodicRun
from musicapp.live import services as live
from musicapp.live.log import POKE

log = logging.getLogger(__name__)

CLOCK = "clock"
KEPT_RUNS = 100
"""Of each task; its newest failures are kept beside them, or a task of every few seconds hides them in minutes."""
KEPT_FAILURES = 20
END_TRIES = 5
SHOWN_AFTER_S = 1.0
"""A run that takes longer shows on open pages that it goes on; most are over before anybody could see it."""
ASKED_RUN_WAITS_S = 600
"""How long a run that a person asked for waits for the one before it to end."""

FAILED_WORDS = "It failed: {error}. It runs again when its time comes; run it now once the cause is mended."
TOO_LONG_WORDS = "It took longer than the operator allows, and was stopped."
STOPPED_WORDS = "Its worker was told to stop. Another one goes on at once."
LOST_WORDS = "The worker died meanwhile. Nothing is lost: the next run does what this one did not."

Run = Callable[[], Any]
F = TypeVar("F", bound=Run)


@dataclass(frozen=True, slots=True)
class PeriodicTask:
    """A task of the clock: its Celery name, what it does in words for the desk, and the function."""

    name: str
    words: Any
    """Translated where it is shown."""
    queue: str
    run: Run


PERIODIC: dict[str, PeriodicTask] = {}


def periodic(name: str, *, words: Any, queue: str = "default") -> Callable[[F], F]:
    """Declares the decorated function as the periodic task `name`, such as "uploads.sweep".

    It takes nothing, commits its own writes and returns counts by name, a number or None. Run twice, it does nothing
    the second time: a worker may die after the work and before its end is written. Called directly it is the plain
    function; through Celery it takes the lock and writes a PeriodicRun.
    """

    def declare(run: F) -> F:
        if name in PERIODIC and PERIODIC[name].run.__module__ != run.__module__:
            raise ValueError(f"two functions are behind the periodic task {name}")
        PERIODIC[name] = PeriodicTask(name, words, queue, run)

        @shared_task(name=name)  # type: ignore[untyped-decorator]
        def door(started_by: str = CLOCK, token: str = "", until: int = 0) -> None:
            asked = run_periodic(name, started_by=started_by, token=token) is None and until > time.time()
            if asked:  # the run before it goes on still
                _send(name, started_by, token, until, countdown=2)

        return run

    return declare


class PeriodicTaskUnknownError(LookupError):
    """No periodic task has this name."""


class NobodyToAskError(RuntimeError):
    """Redis is away, so no worker can be told to run anything."""


def ask_for_run(name: str, *, started_by: str) -> str:
    """Tells a worker to run the task now and returns the token by which `run_by_token` finds the run.

    Where one is under way already, it follows that one. Raises PeriodicTaskUnknownError, NobodyToAskError.
    """
    if name not in PERIODIC:
        raise PeriodicTaskUnknownError(name)
    token = secrets.token_hex(16)
    try:
        redis_client().ping()  # says so at once where Redis hangs; the broker's connection would wait half a minute
        _send(name, started_by, token, int(time.time()) + ASKED_RUN_WAITS_S)
    except (BrokerError, *RedisUnavailable) as error:
        raise NobodyToAskError(str(error)) from error
    return token


def _send(name: str, started_by: str, token: str, until: int, countdown: int | None = None) -> None:
    arguments = {"started_by": started_by, "token": token, "until": until}
    queue = PERIODIC[name].queue
    celery_app().send_task(name, kwargs=arguments, queue=queue, countdown=countdown, expires=ASKED_RUN_WAITS_S)


def run_periodic(name: str, *, started_by: str = CLOCK, token: str = "") -> int | None:
    """Runs the task here and now, unless a run of it is under way: then None, else the run's id.

    Its failure is written down and logged, not raised.
    """
    run_id = _begin(name, started_by, token or secrets.token_hex(16))
    if run_id is None:
        log.info("%s is left out: a run of it is under way", name)
        return None
    heart = _Heart(run_id)
    heart.start()
    try:
        try:
            result = PERIODIC[name].run()
        except (WorkerStoppingError, SystemExit) as told:
            _end(run_id, LOST, error=STOPPED_WORDS)
            _ask_again(name)
            if isinstance(told, SystemExit):
                raise
        except SoftTimeLimitExceeded:
            _end(run_id, FAILED, error=TOO_LONG_WORDS)
        except Exception as error:
            log.exception("the periodic task %s failed", name)
            words = str(error).strip().rstrip(".") or type(error).__name__
            _end(run_id, FAILED, error=FAILED_WORDS.format(error=words), traceback=traceback.format_exc())
        else:
            _end(run_id, SUCCEEDED, result=_counts(result))
    finally:
        heart.stop()
        db.session.remove()
    return run_id


def _counts(result: Any) -> dict[str, Any]:
    if result is None:
        return {}
    return dict(result) if isinstance(result, dict) else {"count": int(result)}


def _begin(name: str, started_by: str, token: str) -> int | None:
    """Takes the lock, which is the row itself. Commits."""
    for run in _silent_runs(PeriodicRun.task == name):
        _lose(run)
    now = utc_now()
    run_id: int | None = db.session.scalar(
        insert_into(PeriodicRun)
        .values(task=name, state=RUNNING, started_by=started_by, token=token, started_at=now, heartbeat_at=now)
        .on_conflict_do_nothing(index_elements=["task"], index_where=text("finished_at IS NULL"))
        .returning(PeriodicRun.id)
    )
    db.session.commit()
    return run_id


def _silent_runs(*conditions: Any) -> list[PeriodicRun]:
    """Unfinished runs without a sign of life, locked. A heartbeat in the future is from before the clock went back."""
    timeout = timedelta(seconds=current_app.config["JOB_HEARTBEAT_TIMEOUT_SECONDS"])
    now = utc_now()
    is_silent = (PeriodicRun.heartbeat_at < now - timeout) | (PeriodicRun.heartbeat_at > now + timeout)
    statement = select(PeriodicRun).where(PeriodicRun.finished_at.is_(None), is_silent, *conditions)
    return list(db.session.scalars(statement.with_for_update()))


def _lose(run: PeriodicRun) -> None:
    log.warning("run %s of %s is lost: its worker is silent", run.id, run.task)
    run.state, run.finished_at, run.error = LOST, utc_now(), LOST_WORDS
    publish(PeriodicRunEnded(run.id, run.task, LOST))
    db.session.flush()  # the lock is free before the next run takes it


def take_over_lost_runs() -> int:
    """Notes runs whose worker died and tells another to run the task; returns how many. Commits.

    A task that ends its worker every time waits for its hour again after the third.
    """
    lost = _silent_runs()
    for run in lost:
        _lose(run)
    again = [run.task for run in lost if run.task in PERIODIC and not _always_lost(run.task)]
    db.session.commit()
    for task in again:
        _ask_again(task)
    return len(lost)


def _ask_again(task: str) -> None:
    try:
        celery_app().send_task(task, queue=PERIODIC[task].queue)
    except (BrokerError, *RedisUnavailable):
        log.warning("%s is not taken over now: Redis is away", task)


def _always_lost(task: str) -> bool:
    newest = select(PeriodicRun.state).where(PeriodicRun.task == task).order_by(PeriodicRun.id.desc()).limit(3)
    return list(db.session.scalars(newest)) == [LOST] * 3


def _end(run_id: int, state: str, **columns: Any) -> None:
    """Writes how the run ended, if it is still ours, and forgets old runs. Tried again while the database is busy."""
    for attempt in range(END_TRIES):
        db.session.rollback()
        try:
            statement = select(PeriodicRun).where(PeriodicRun.id == run_id, PeriodicRun.finished_at.is_(None))
            run = db.session.scalars(statement.with_for_update()).one_or_none()
            if run is None:
                log.warning("periodic run %s ended as %s, but was taken over before", run_id, state)
                db.session.rollback()
                return
            run.state, run.finished_at = state, utc_now()
            for name, value in columns.items():
                setattr(run, name, value)
            _forget_old_runs(run.task)
            publish(PeriodicRunEnded(run.id, run.task, state))
            db.session.commit()
        except OperationalError:
            log.warning("periodic run %s: the database is busy, writing its end again (%s)", run_id, attempt + 1)
            continue
        return


def _forget_old_runs(task: str) -> None:
    of_task = select(PeriodicRun.id).where(PeriodicRun.task == task).order_by(PeriodicRun.id.desc())
    failed = of_task.where(PeriodicRun.state.in_([FAILED, LOST]))
    newest, failures = (query.limit(n).subquery() for query, n in ((of_task, KEPT_RUNS), (failed, KEPT_FAILURES)))
    db.session.execute(
        delete(PeriodicRun)
        .where(PeriodicRun.task == task)
        .where(PeriodicRun.id.not_in(select(newest.c.id)), PeriodicRun.id.not_in(select(failures.c.id)))
        .execution_options(synchronize_session=False)
    )


class _Heart:
    """Writes the heartbeat of a run from a thread of its own."""

    def __init__(self, run_id: int) -> None:
        self._run_id = run_id
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heart of periodic run {run_id}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._ended.set()
        self._thread.join(10)  # a beat under way gives its connection back first

    def _beat(self) -> None:
        if self._ended.wait(SHOWN_AFTER_S):
            return
        with self._app.app_context():
            live.publish_now("schedules", f"{POKE}schedules-changed", 0, unlogged=True)
        while not self._ended.wait(self._app.config["JOB_HEARTBEAT_TIMEOUT_SECONDS"] / 6):
            with self._app.app_context():
                self._write()

    def _write(self) -> None:
        try:
            db.session.execute(
                update(PeriodicRun)
                .where(PeriodicRun.id == self._run_id, PeriodicRun.finished_at.is_(None))
                .values(heartbeat_at=utc_now())
            )
            db.session.commit()
        except SQLAlchemyError as error:
            # Whatever it was, the next beat may succeed.
            db.session.rollback()
            log.warning("no heartbeat for periodic run %s: %s", self._run_id, error)


def run_by_token(token: str) -> PeriodicRun | None:
    """The run that `ask_for_run` asked for, as it is now; None while it has not begun."""
    statement = select(PeriodicRun).where(PeriodicRun.token == token).execution_options(populate_existing=True)
    return db.session.scalars(statement.order_by(PeriodicRun.id.desc()).limit(1)).one_or_none()


def seconds_since_beat() -> float | None:
    """How long the clock has been silent; None when it was never heard, or Redis, where it reports, is away."""
    try:
        return reports.seconds_since_beat(redis_client())
    except RedisUnavailable:
        return None
