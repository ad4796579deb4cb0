"""Schedules in the database, and the beat that reads them: what is edited stays, and counts with the next turn."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from celery.schedules import crontab
from flask import Flask
from sqlalchemy import select, update

from musicapp.core.db import db, utc_now
from musicapp.jobs import schedule_rows as rows
from musicapp.jobs.beat import DatabaseSchedules
from musicapp.jobs.periodic import PERIODIC
from musicapp.jobs.schedule_rows import Entry
from musicapp.jobs.schedule_tables import ENTRIES, MOMENTS
from musicapp.jobs.timing import Timing

HOURLY = {"task": "jobs.sweep", "schedule": 3600.0}
AT_EIGHT = {"task": "catalog.purge", "schedule": crontab(hour=8, minute=0)}
LONG_AGO = timedelta(days=2)


@pytest.fixture
def beat(context: Flask) -> Iterator[Callable[[], DatabaseSchedules]]:
    made: list[DatabaseSchedules] = []
    celery = context.extensions["celery"]
    celery.conf.beat_schedule = {"hourly": HOURLY, "at eight": AT_EIGHT}

    class Recording(DatabaseSchedules):
        def apply_entry(self, entry: Any, producer: Any = None) -> None:
            self.sent.append(entry.task)

        @property
        def producer(self) -> None:
            """No connection to the broker is opened."""

    def make() -> DatabaseSchedules:
        scheduler = Recording(celery, max_interval=5)
        scheduler.sent = []
        made.append(scheduler)
        return scheduler

    yield make
    for scheduler in made:
        scheduler.close()


def turn(scheduler: DatabaseSchedules) -> list[str]:
    """What is due now and was sent."""
    before = len(scheduler.sent)
    for _ in range(20):
        if scheduler.tick() > 0:
            break
    return list(scheduler.sent[before:])


def entry(name: str) -> Entry:
    db.session.commit()  # and a look of its own: beat writes, too
    return next(found for found in rows.entries() if found.name == name)


def let_time_pass(name: str) -> None:
    """Its last run was long ago."""
    db.session.execute(update(ENTRIES).where(ENTRIES.c.name == name).values(last_run_at=utc_now() - LONG_AGO))
    rows.note_change()
    db.session.commit()


def test_rows_are_filled_once_and_edited_ones_stay(context: Flask) -> None:
    assert rows.fill({"hourly": HOURLY, "at eight": AT_EIGHT, "gone": HOURLY}) == 3
    assert [(row.name, row.task, row.timing, row.is_enabled) for row in rows.entries()] == [
        ("at eight", "catalog.purge", Timing("crontab", line="0 8 * * *"), True),
        ("gone", "jobs.sweep", Timing("interval", every=1, period="hours"), True),
        ("hourly", "jobs.sweep", Timing("interval", every=1, period="hours"), True),
    ]
    berlin = Timing("crontab", line="30 9 * * 1-5", time_zone="Europe/Berlin")
    rows.put_entry("at eight", "catalog.purge", berlin, in_place_of=entry("at eight"))
    rows.switch(entry("hourly"), False)
    rows.put_entry("mine", "uploads.sweep", Timing("interval", every=5, period="minutes"))
    # A new version of the program: other times, one entry less.
    assert rows.fill({"hourly": {**HOURLY, "schedule": 60.0}, "at eight": HOURLY}) == 2
    assert [(row.name, row.timing, row.is_enabled) for row in rows.entries()] == [
        ("at eight", berlin, True),
        ("hourly", Timing("interval", every=1, period="minutes"), False),
        ("mine", Timing("interval", every=5, period="minutes"), True),
    ]
    assert rows.fill({"hourly": {**HOURLY, "schedule": 60.0}, "at eight": HOURLY}) == 0
    with pytest.raises(rows.NameTakenError):
        rows.put_entry("mine", "uploads.sweep", berlin)
    db.session.commit()
    context.config["SCHEDULES_IN_DATABASE"] = True
    assert re.search(
        r"^uploads\.sweep .*mine\)$", context.test_cli_runner().invoke(args=["tasks", "list"]).output, re.M
    )


def test_long_tasks_wait_in_the_queue_of_their_own_wherever_schedules_live(context: Flask) -> None:
    """No mail stands behind them."""
    long = {name for name, task in PERIODIC.items() if task.queue != "default"}
    assert long
    wanted = context.extensions["celery"].conf.beat_schedule
    assert {entry["task"] for entry in wanted.values() if entry["options"]["queue"] != "default"} == long
    rows.fill(wanted)
    queues = dict(db.session.execute(select(ENTRIES.c.task, ENTRIES.c.queue)).all())
    assert {task for task, queue in queues.items() if queue != "default"} == long


def test_change_takes_effect_with_the_next_turn(context: Flask, beat: Any) -> None:
    scheduler = beat()
    assert turn(scheduler) == []  # a new entry waits for its time
    let_time_pass("hourly")
    assert turn(scheduler) == ["jobs.sweep"]
    assert turn(scheduler) == []

    rows.switch(entry("hourly"), False)
    db.session.commit()
    let_time_pass("hourly")
    assert turn(scheduler) == []
    rows.switch(entry("hourly"), True)
    db.session.commit()
    assert turn(scheduler) == []  # not for the hours in which it was off

    # Another hour of the day does not make up for this morning's.
    now = utc_now() - timedelta(minutes=5)
    line = f"{now.minute} {now.hour} * * *"
    rows.put_entry("at eight", "catalog.purge", Timing("crontab", line=line), in_place_of=entry("at eight"))
    db.session.commit()
    assert turn(scheduler) == []
    let_time_pass("at eight")
    assert turn(scheduler) == ["catalog.purge"]

    rows.remove_entry(entry("hourly"))
    rows.put_entry("often", "uploads.sweep", Timing("interval", every=1))
    db.session.commit()
    let_time_pass("often")
    assert turn(scheduler) == ["uploads.sweep"]
    assert scheduler.tick() <= 1.0


def test_one_off_runs_once_though_beat_is_killed_after_it(context: Flask, beat: Any) -> None:
    at = utc_now() + timedelta(hours=1)
    rows.put_entry("once", "uploads.sweep", Timing("moment", at=at))
    db.session.commit()
    first = beat()
    assert turn(first) == []
    assert entry("once").timing.at == at
    db.session.execute(update(MOMENTS).values(clocked_time=utc_now()))
    rows.note_change()
    db.session.commit()
    assert turn(first) == ["uploads.sweep"]
    first._lock.release()  # killed: nothing of what it remembers is written
    first._is_leading = False
    first._dirty.clear()
    second = beat()
    assert turn(second) == []
    assert entry("once").is_over
    rows.put_entry("once", "uploads.sweep", Timing("moment", at=utc_now()), in_place_of=entry("once"))
    db.session.commit()
    assert turn(second) == ["uploads.sweep"]


def test_no_tables_are_made_behind_the_migrations(context: Flask, beat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy_celery_beat import schedulers

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the library made tables")

    monkeypatch.setattr(schedulers.session_manager, "prepare_models", refuse)
    assert turn(beat()) == []
    assert [row.name for row in rows.entries()] == ["at eight", "hourly"]
