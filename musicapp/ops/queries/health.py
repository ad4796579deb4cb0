"""The state of each part that the site stands on."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from musicapp.core.db import db
from musicapp.core.redis import RedisError, redis_client
from musicapp.core.settings import process_started_at
from musicapp.core.storage import store
from musicapp.jobs.queries import WORKER_SILENT_AFTER_S, seconds_since_worker_seen
from musicapp.jobs.reports import BEAT_SILENT_AFTER_S, seconds_since_beat
from musicapp.ops.queries.queues import queue_names


@dataclass(frozen=True, slots=True)
class Readiness:
    """`status` is ok, degraded or failing; `parts` says the same of each part, with words where it isn't ok."""

    status: str
    parts: dict[str, dict[str, Any]]


def readiness() -> Readiness:
    """Looks at every part now. Without Redis it takes a few tenths of a second, never longer than its time-outs."""
    parts = {"database": _database(), "storage": _storage(), "redis": _redis()}
    for queue in queue_names():
        parts[f"worker_{queue}"] = _worker(queue)
    parts["beat"] = _beat()
    found = {part["status"] for part in parts.values()}
    status = "failing" if "failing" in found else "degraded" if "degraded" in found else "ok"
    return Readiness(status, parts)


def _database() -> dict[str, Any]:
    try:
        db.session.execute(text("SELECT 1"))
        db.session.rollback()
    except SQLAlchemyError:
        db.session.rollback()
        return {"status": "failing", "words": "The database does not answer."}
    return {"status": "ok"}


def _storage() -> dict[str, Any]:
    root = store().root
    try:
        free_bytes = store().free_bytes()
    except OSError:
        return {"status": "failing", "words": "The media folder can't be reached."}
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        return {"status": "failing", "words": "The media folder can't be written."}
    if free_bytes == 0:
        return {"status": "degraded", "words": "The disk is full: uploads are refused.", "free_bytes": 0}
    return {"status": "ok", "free_bytes": free_bytes}


def _redis() -> dict[str, Any]:
    try:
        redis_client().ping()
    except (RedisError, OSError):
        return {"status": "degraded", "words": "Redis is away: no live updates, no sign-ins; jobs wait."}
    return {"status": "ok"}


def _worker(queue: str) -> dict[str, Any]:
    seconds = seconds_since_worker_seen(queue)
    if seconds is None:
        return {"status": "degraded", "words": "Unknown: Redis is away.", "seconds_since_seen": None}
    if seconds > WORKER_SILENT_AFTER_S:
        return {
            "status": "degraded",
            "words": f"No worker of the queue {queue} has reported for a minute.",
            "seconds_since_seen": round(seconds),
        }
    return {"status": "ok", "seconds_since_seen": round(seconds)}


def _beat() -> dict[str, Any]:
    try:
        seconds = seconds_since_beat(redis_client())
    except RedisError:
        return {"status": "degraded", "words": "Unknown: Redis is away.", "seconds_since_seen": None}
    if seconds is None:
        # Before its first turn the clock's age is that of this process.
        seconds = max(0.0, time.time() - process_started_at())
    if seconds > BEAT_SILENT_AFTER_S:
        words = "The clock has been silent for a minute: nothing periodic is done."
        return {"status": "degraded", "words": words, "seconds_since_seen": round(seconds)}
    return {"status": "ok", "seconds_since_seen": round(seconds)}
