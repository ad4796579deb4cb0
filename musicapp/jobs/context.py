"""What a running job may do: say how far it is, notice that it should stop."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from flask import Flask, current_app
from sqlalchemy import select, update
from sqlalchemy.exc import SQLAlchemyError

from musicapp.core.db import db, utc_now
from musicapp.core.redis import RedisError, RedisUnavailable, redis_client
from musicapp.core.stopping import check_stopping
from musicapp.jobs.events import JobChanged
from musicapp.jobs.models import RUNNING, Job
from musicapp.jobs.registry import JobCancelledError
from musicapp.live import services as live

log = logging.getLogger(__name__)

PROGRESS_EVERY_S = 0.25
CANCEL_POLL_S = 1.0


class ClaimLostError(Exception):
    """Somebody else has the job: this worker was thought dead. Whatever it was doing must stop."""


class JobContext:
    """A claimed job in the hands of its worker."""

    def __init__(self, job: Job) -> None:
        self.id = job.id
        self.kind = job.kind
        self.subject_id: int = job.subject_id or 0
        self.owner_id = job.owner_id
        self.arguments: dict[str, Any] = dict(job.arguments)
        self.attempt = job.attempts
        self.max_attempts = job.max_attempts
        self.token = job.claim_token
        self.request_id = job.request_id
        self._watchers: set[tuple[str, str, int]] = {(f"job-{job.id}", "job", job.id)}
        self._last_progress = 0.0
        self._unsaid: tuple[float, str] | None = None
        """The newest progress, held back: it came too soon after the one before. The heart says it."""
        self._saying = threading.Lock()
        self._stop: type[Exception] | None = None
        self._ended = threading.Event()
        self._app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]

    def shows_on(self, topic: str, kind: str, id_: int) -> None:
        """Percent also changes this fragment of this topic."""
        self._watchers.add((topic, kind, id_))

    def step(self, name: str) -> None:
        """Writes the name of the step that begins, in a short transaction of its own."""
        from musicapp.core.events import publish

        self.check_cancelled()
        changed = db.session.execute(
            update(Job).where(Job.id == self.id, Job.claim_token == self.token).values(step=name)
        )
        if changed.rowcount != 1:  # type: ignore[attr-defined]
            db.session.rollback()
            raise ClaimLostError
        publish(JobChanged(self.id, self.kind, self.subject_id, self.owner_id, RUNNING))
        db.session.commit()
        self.progress(0)

    def progress(self, percent: float, detail: str = "") -> None:
        """Says how far the step is, 0 to 100: to Redis and open pages, at most four times a second.

        Raises JobCancelledError when the owner asked to stop, ClaimLostError when the job is somebody else's.
        """
        self.check_cancelled()
        with self._saying:
            self._unsaid = percent, detail
            if time.monotonic() - self._last_progress >= PROGRESS_EVERY_S or not 0 < percent < 100:
                self._say_progress()

    def _say_progress(self) -> None:
        if self._unsaid is None or self._stop is not None:
            return
        (percent, detail), self._unsaid = self._unsaid, None
        self._last_progress = time.monotonic()
        try:
            with redis_client().pipeline(transaction=False) as pipe:
                pipe.hset(f"job:{self.id}", mapping={"percent": int(percent), "detail": detail})
                pipe.expire(f"job:{self.id}", 3600)
                pipe.execute()
            for topic, kind, id_ in self._watchers:
                live.publish_now(topic, kind, id_, unlogged=True)
        except RedisUnavailable:
            log.debug("progress of job %s is not shown: Redis is away", self.id)

    def check_cancelled(self) -> None:
        """Raises JobCancelledError, ClaimLostError or WorkerStoppingError where the work should stop."""
        check_stopping()
        if self._stop is not None:
            raise self._stop

    def remember(self, **arguments: Any) -> None:
        """Adds to the job's arguments in the open transaction: how far long work is, for whoever goes on with it.

        The caller commits. Raises ClaimLostError when the job is somebody else's.
        """
        kept = {**self.arguments, **arguments}
        held = db.session.execute(
            update(Job).where(Job.id == self.id, Job.claim_token == self.token).values(arguments=kept)
        )
        if held.rowcount != 1:  # type: ignore[attr-defined]
            db.session.rollback()
            raise ClaimLostError
        self.arguments = kept

    # What follows is for the runner.

    def end_progress(self, *, goes_on: bool) -> None:
        """How far it is stays known between two parts of a job, and is forgotten at its end."""
        with self._saying:
            if goes_on:
                self._say_progress()
                return
            self._unsaid = None
            try:
                redis_client().delete(f"job:{self.id}")
            except RedisUnavailable:
                log.debug("progress of job %s is left to expire", self.id)

    def start_heart(self) -> None:
        self._heart = threading.Thread(target=self._beat, name=f"heart of job {self.id}", daemon=True)
        self._heart.start()

    def stop_heart(self) -> None:
        self._ended.set()
        self._heart.join(10)  # a beat under way gives its connection back first

    def _beat(self) -> None:
        every_s = self._app.config["JOB_HEARTBEAT_TIMEOUT_SECONDS"] / 6
        last = time.monotonic()
        while not self._ended.wait(CANCEL_POLL_S):
            with self._app.app_context():
                with self._saying:
                    self._say_progress()
                try:
                    if redis_client().get(f"job:{self.id}:cancel") == (self.token or "").encode():
                        self._stop = JobCancelledError
                except RedisError:
                    log.debug("job %s hears of a cancellation from the database only: Redis is away", self.id)
                if time.monotonic() - last >= every_s:
                    last = time.monotonic()
                    self._write_heartbeat()

    def _write_heartbeat(self) -> None:
        try:
            held = db.session.execute(
                update(Job)
                .where(Job.id == self.id, Job.claim_token == self.token, Job.state == RUNNING)
                .values(heartbeat_at=utc_now())
            )
            if held.rowcount != 1:  # type: ignore[attr-defined]
                self._stop = ClaimLostError
            elif db.session.scalar(select(Job.is_cancel_requested).where(Job.id == self.id)):
                self._stop = JobCancelledError
            db.session.commit()
        except SQLAlchemyError as error:
            # Whatever it was, the next beat may succeed; a heart that dies gives the job to a second worker.
            db.session.rollback()
            log.warning("no heartbeat for job %s: %s", self.id, error)
