"""The clock's schedulers: of several beats one ticks, at most; a jump of the machine's clock stops nothing.

Celery makes one of them, by the setting BEAT_SCHEDULER: FileSchedules keeps its list in schedule.py, DatabaseSchedules
in the database.
"""

from __future__ import annotations

import contextlib
import logging
import time
from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from celery.beat import PersistentScheduler, Scheduler
from celery.schedules import schedule
from flask import Flask
from redis.exceptions import LockError
from sqlalchemy import func, select
from sqlalchemy.orm import sessionmaker
from sqlalchemy_celery_beat.schedulers import DatabaseScheduler

from musicapp.core.db import db, reading, utc_now
from musicapp.core.redis import RedisUnavailable
from musicapp.jobs import schedule_rows
from musicapp.jobs.models import PeriodicRun
from musicapp.jobs.periodic import CLOCK
from musicapp.jobs.reports import BEAT_SEEN

log = logging.getLogger(__name__)

LOCK_KEY = "beat-lock"
LOCK_SECONDS = 15
"""After so long without a sign of life another beat takes over: three turns, the longest pauses between two of them."""
WAITS_S = 5.0
"""The longest pause between two turns, and between two looks of a beat that another one keeps waiting."""
REDIS_AWAY_S = 1.0
FIRST_RUN_AFTER_S, APART_S = 300.0, 30.0
"""What has never run begins so long after the start, one entry after the other, and not a whole interval later: a site
that is started anew every day would never come to it."""
JUMP_S = 5.0
"""By so much the two clocks of the machine must part between two ticks to be called a jump."""


class OneOfMany(Scheduler, ABC):  # type: ignore[misc]
    """A scheduler that only works while it holds the lock in Redis, and tells Redis that it lives.

    Without Redis no message leaves, and what is due would be crossed off unsent: so it waits for Redis instead.
    """

    def __init__(self, app: Any, *args: Any, **options: Any) -> None:
        self._take_part(app)
        super().__init__(app, *args, **options)

    def _take_part(self, app: Any) -> None:
        self._flask_app: Flask = app.flask_app
        self._redis = self._flask_app.extensions["redis"]
        self._lock = self._redis.lock(LOCK_KEY, timeout=LOCK_SECONDS, thread_local=False)
        self._is_leading = self._is_told_to_wait = False
        self._wall_minus_monotonic = time.time() - time.monotonic()

    def setup_schedule(self) -> None:
        """Nothing yet: the schedule is opened by whoever leads, or two would write one file."""

    @abstractmethod
    def open_schedule(self) -> None:
        """Reads the schedule for the first time, or anew after somebody else led."""

    @abstractmethod
    def leave_schedule(self) -> None:
        """Another beat leads now: forgets what this one knew."""

    def tick(self, *args: Any, **options: Any) -> float:
        try:
            if not self._lead():
                return WAITS_S
            self._redis.set(BEAT_SEEN, time.time())
        except RedisUnavailable:
            log.debug("the clock waits for Redis")
            return REDIS_AWAY_S
        with self._flask_app.app_context():
            if not self._is_leading:
                self._begin_to_lead()
            self._notice_jump()
            return float(min(super().tick(*args, **options), WAITS_S))

    def _lead(self) -> bool:
        """Renews or takes the lock; False while another beat has it. Raises RedisUnavailable."""
        if self._is_leading:
            with contextlib.suppress(LockError):
                self._lock.reacquire()
                return True
            # Expired while this process was held up, or Redis forgot: somebody may have led since.
            log.warning("this beat lost its lock")
            self._is_leading = False
            self.leave_schedule()
        if self._lock.acquire(blocking=False):
            return True
        if not self._is_told_to_wait:
            self._is_told_to_wait = True
            log.warning("another beat is running: this one waits, and takes over when it ends")
        return False

    def _begin_to_lead(self) -> None:
        self.open_schedule()
        self._catch_up()
        self._heap = None
        self._is_leading, self._is_told_to_wait = True, False
        log.info("this beat leads")

    def _catch_up(self) -> None:
        """What another beat sent, or this one before it was killed, is not sent again; nor does a lost file lose a day.

        The runs of the clock remember when each task was last begun.
        """
        with reading():
            newest = select(PeriodicRun.task, func.max(PeriodicRun.started_at)).where(PeriodicRun.started_by == CLOCK)
            begun = {row[0]: row[1] for row in db.session.execute(newest.group_by(PeriodicRun.task))}
            db.session.rollback()
        for entry in self.schedule.values():
            at = begun.get(entry.task)
            # An entry that never ran has no history of its own, and Celery gave it this moment.
            if at is not None and (entry.total_run_count == 0 or at > entry.last_run_at):
                self.set_last_run(entry, at)
        self.hasten([entry for entry in self.schedule.values() if entry.task not in begun])

    def hasten(self, never_run: list[Any]) -> None:
        """May let entries come earlier whose tasks have never run."""

    def set_last_run(self, entry: Any, at: datetime) -> None:
        entry.last_run_at = at

    def _notice_jump(self) -> None:
        """A clock that went back would keep every interval waiting until it is where it was."""
        apart = time.time() - time.monotonic()
        jumped_s, self._wall_minus_monotonic = apart - self._wall_minus_monotonic, apart
        if abs(jumped_s) < JUMP_S:
            return
        log.warning("the machine's clock jumped by %.0f s", jumped_s)
        now = utc_now()
        for entry in self.schedule.values():
            # A crontab names hours of the day: what ran at eight does not run at the second eight.
            if type(entry.schedule) is schedule and entry.last_run_at.astimezone(UTC) > now:
                self.set_last_run(entry, now)
        self._heap = None

    def close(self) -> None:
        super().close()
        if self._is_leading:
            self._is_leading = False
            with contextlib.suppress(LockError, *RedisUnavailable):
                self._lock.release()


class FileSchedules(OneOfMany, PersistentScheduler):  # type: ignore[misc]
    """Celery's PersistentScheduler: the list is schedule.py, and a file keeps when each entry ran last."""

    _store: Any

    def open_schedule(self) -> None:
        PersistentScheduler.setup_schedule(self)

    def hasten(self, never_run: list[Any]) -> None:
        wait_s = FIRST_RUN_AFTER_S
        for entry in never_run:
            interval = getattr(entry.schedule, "run_every", timedelta())
            if interval.total_seconds() > wait_s:
                entry.last_run_at = utc_now() - interval + timedelta(seconds=wait_s)
                wait_s += APART_S

    def leave_schedule(self) -> None:
        if self._store is not None:
            self._store.close()
            self._store = None


class DatabaseSchedules(OneOfMany, DatabaseScheduler):  # type: ignore[misc]
    """sqlalchemy-celery-beat on the site's own database and tables, filled from schedule.py.

    Changes of the rows are seen with the next turn.
    """

    _schedule: dict[str, Any]

    def __init__(self, app: Any, *args: Any, **options: Any) -> None:
        self._take_part(app)
        with self._flask_app.app_context():
            self.engine = db.engine.execution_options(schema_translate_map={"celery_schema": None})
        self.Session = sessionmaker(bind=self.engine, expire_on_commit=False)
        self._dirty: set[str] = set()
        self._sign_of_life = Path(options.get("schedule_filename") or "")
        # Past the library's own, which would open the database a second time and make tables.
        Scheduler.__init__(self, app, *args, **options)

    def tick(self, *args: Any, **options: Any) -> float:
        pause_s = super().tick(*args, **options)
        if self._sign_of_life.is_absolute():
            self._sign_of_life.touch()  # a container's health check looks at the file that FileSchedules writes
        return pause_s

    def open_schedule(self) -> None:
        if changed := schedule_rows.fill(self.app.conf.beat_schedule):
            log.info("%s entries of the schedule were written into the database", changed)
        db.session.commit()
        self._initial_read = True

    def leave_schedule(self) -> None:
        self._dirty.clear()
        self._schedule = {}

    def set_last_run(self, entry: Any, at: datetime) -> None:
        entry.last_run_at = entry.model.last_run_at = at

    def schedule_changed(self) -> bool:
        with reading():
            return bool(super().schedule_changed())

    def all_as_schedule(self) -> dict[str, Any]:
        with reading():
            found: dict[str, Any] = super().all_as_schedule()
        return found

    def reserve(self, entry: Any) -> Any:
        reserved = super().reserve(entry)
        if reserved.model.one_off:
            self.sync()  # at once: a beat that is killed now must not send it again
        return reserved

    @property
    def info(self) -> str:
        return "    . db -> the site's own"
