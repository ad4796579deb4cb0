"""The clock's scheduler, ticked by hand: who may tick, what is sent when, and what a jump of the clock does."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from celery.schedules import crontab
from flask import Flask
from redis import Redis

from musicapp import create_app
from musicapp.core.db import db, utc_now
from musicapp.core.redis import redis_client
from musicapp.jobs.beat import LOCK_KEY, FileSchedules
from musicapp.jobs.models import PeriodicRun
from musicapp.jobs.periodic import seconds_since_beat
from tests.servers import RedisServer

on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

SCHEDULE = {
    "every minute": {"task": "jobs.sweep", "schedule": 60.0},
    "every day": {"task": "catalog.purge", "schedule": 24 * 3600.0},
}
Make = Callable[..., FileSchedules]


@pytest.fixture
def beat(context: Flask, tmp_path: Path) -> Iterator[Make]:
    """Makes schedulers with the schedule above: `beat("file")`. What they send is in `.sent`."""
    made: list[FileSchedules] = []
    celery = context.extensions["celery"]
    celery.conf.beat_schedule = SCHEDULE

    class Recording(FileSchedules):
        def apply_entry(self, entry: Any, producer: Any = None) -> None:
            self.sent.append(entry.task)

        @property
        def producer(self) -> None:
            """No connection to the broker is opened."""

    def make(file: str = "beat") -> FileSchedules:
        scheduler = Recording(celery, schedule_filename=str(tmp_path / file), max_interval=5)
        scheduler.sent = []
        made.append(scheduler)
        return scheduler

    yield make
    for scheduler in made:
        scheduler.close()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch, context: Flask) -> Callable[[float], None]:
    """`clock(seconds)` moves the wall's clock, for this process, and not the one that only goes on."""
    celery, real_time = context.extensions["celery"], time.time
    moved = [0.0]

    def now(*_: Any) -> datetime:
        return utc_now() + timedelta(seconds=moved[0])

    monkeypatch.setattr(time, "time", lambda: real_time() + moved[0])
    monkeypatch.setattr("musicapp.jobs.beat.utc_now", now)
    monkeypatch.setattr("celery.schedules.BaseSchedule.now", now)
    monkeypatch.setattr(celery, "now", now)

    def move(seconds: float) -> None:
        moved[0] += seconds

    return move


def tick(scheduler: FileSchedules) -> list[str]:
    """Ticks until nothing is due; what was sent meanwhile."""
    before = len(scheduler.sent)
    for _ in range(20):
        if scheduler.tick() > 0:
            break
    return list(scheduler.sent[before:])


def note_run(task: str, from_now: timedelta) -> None:
    """What a worker writes that was sent the task."""
    then = utc_now() + from_now
    db.session.add(PeriodicRun(task=task, state="succeeded", started_at=then, finished_at=then))
    db.session.commit()


@on_sqlite
def test_second_beat_waits_and_takes_over_when_the_first_is_gone(beat: Make, context: Flask, clock: Any) -> None:
    first, second = beat("one"), beat("another")
    assert tick(first) == tick(second) == []
    clock(61)
    assert (tick(first), tick(second)) == (["jobs.sweep"], [])
    note_run("jobs.sweep", timedelta(seconds=61))
    redis_client().delete(LOCK_KEY)  # as it expires when nobody renews it
    # What the first has sent is not sent again, though the second's own file knows nothing of it.
    assert tick(second) == []
    clock(61)
    assert (tick(second), tick(first)) == (["jobs.sweep"], [])
    note_run("jobs.sweep", timedelta(seconds=122))
    second.close()
    assert tick(first) == []
    clock(61)
    assert tick(first) == ["jobs.sweep"]


@on_sqlite
def test_what_never_ran_begins_soon_after_the_start(beat: Make, context: Flask, clock: Any) -> None:
    scheduler = beat()
    assert tick(scheduler) == []
    clock(299)
    assert "catalog.purge" not in tick(scheduler)
    clock(2)
    assert "catalog.purge" in tick(scheduler)
    clock(3600)
    assert "catalog.purge" not in tick(scheduler)


@on_sqlite
def test_lost_file_loses_no_day(beat: Make, context: Flask) -> None:
    note_run("catalog.purge", timedelta(hours=-25))
    assert tick(beat("a new file")) == ["catalog.purge"]


@pytest.mark.parametrize("hour", [3600, -3600])
def test_clock_that_jumps_an_hour_neither_stops_nor_doubles_work(
    beat: Make, context: Flask, clock: Any, hour: int
) -> None:
    eight = utc_now()
    context.extensions["celery"].conf.beat_schedule = {
        **SCHEDULE,
        "at an hour": {"task": "uploads.sweep", "schedule": crontab(minute=eight.minute, hour=eight.hour)},
    }
    scheduler = beat()
    tick(scheduler)
    scheduler.schedule["at an hour"].last_run_at = eight - timedelta(days=1)
    scheduler._heap = None
    assert tick(scheduler) == ["uploads.sweep"]
    clock(hour)
    tick(scheduler)
    sent = []
    for _ in range(70):
        clock(60.5)
        sent += tick(scheduler)
    assert 69 <= sent.count("jobs.sweep") <= 71
    assert "uploads.sweep" not in sent


@on_sqlite
def test_nothing_is_crossed_off_while_redis_is_away(
    environ: dict[str, str], own_redis: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app({**environ, "REDIS_URL": own_redis.url}, TESTING=True)
    celery = app.extensions["celery"]
    celery.conf.beat_schedule = {"now and then": {"task": "jobs.sweep", "schedule": 0.01}}
    scheduler = FileSchedules(celery, schedule_filename=str(tmp_path / "beat"), max_interval=5)
    with app.app_context():
        assert seconds_since_beat() is None
        scheduler.tick()
        assert 0 <= (seconds_since_beat() or -1) < 5
        own_redis.stop()
        assert seconds_since_beat() is None
        before = scheduler.schedule["now and then"].total_run_count
        assert scheduler.tick() > 0
        assert scheduler.schedule["now and then"].total_run_count == before
        own_redis.start()
        with Redis.from_url(own_redis.url) as client:
            client.flushall()  # it forgot the lock, too
        for _ in range(3):
            time.sleep(0.02)  # the entry's interval
            scheduler.tick()
        assert scheduler.schedule["now and then"].total_run_count > 0
    scheduler.close()
    app.extensions["redis"].close()
