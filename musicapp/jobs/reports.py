"""What workers and the clock say about themselves every few seconds, in Redis: alive, since when, busy with what.

The workers say it, instead of being asked by a broadcast: a page that asked would wait a second for each answer that
doesn't come, and it is those that one wants to see.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from celery import current_task
from redis import Redis

from musicapp.core.processes import children_of, forget, memory_bytes, report, reported

STARTED_AT = time.time()


def here() -> str:
    """Who takes a job: `default@host/1234`, the worker and this child's process."""
    request = getattr(current_task, "request", None)
    name = getattr(request, "hostname", None) or socket.gethostname()
    return f"{name}/{os.getpid()}"[:120]


@dataclass(frozen=True, slots=True)
class Busy:
    """A task under way: its name, or the kind of job that it does, and for how long."""

    words: str
    pid: int
    seconds: float


@dataclass(frozen=True, slots=True)
class WorkerSeen:
    """A worker as it was when it last reported. `memory_bytes`: with its children and the programs that they run."""

    name: str
    host: str
    pid: int
    queues: tuple[str, ...]
    concurrency: int
    since: float
    at: float
    memory_bytes: int
    busy: tuple[Busy, ...]

    @property
    def seconds_ago(self) -> float:
        return max(0.0, time.time() - self.at)


def report_worker(client: Redis, consumer: Any, queues: list[str]) -> None:
    """Called in a worker's master. Raises RedisError when Redis is away."""
    pid = os.getpid()
    facts = {
        "host": socket.gethostname(),
        "pid": pid,
        "queues": queues,
        "concurrency": getattr(consumer.pool, "limit", None) or 1,
        "since": STARTED_AT,
        "memory_bytes": memory_bytes(pid) + sum(map(memory_bytes, children_of(pid))),
        "busy": [{"words": words, "pid": child, "since": since} for words, child, since in _under_way()],
    }
    report(client, "worker", consumer.hostname, facts)


def forget_worker(client: Redis, consumer: Any) -> None:
    """A worker that ends in peace is not missed."""
    forget(client, "worker", consumer.hostname)


def _under_way() -> Iterable[tuple[str, int, float]]:
    from celery.worker import state

    try:
        requests = list(state.active_requests)
    except RuntimeError:  # another thread of the worker just took one
        return
    for request in requests:
        words = request.args[0] if request.name == "jobs.work" and request.args else request.name
        yield str(words), request.worker_pid or 0, request.time_start or time.time()


def workers_seen(client: Redis) -> list[WorkerSeen]:
    """All workers of all machines that reported in the last minute, by name. Raises RedisError when Redis is away."""
    now = time.time()
    return [
        WorkerSeen(
            name=facts["name"],
            host=facts["host"],
            pid=facts["pid"],
            queues=tuple(facts["queues"]),
            concurrency=facts["concurrency"],
            since=facts["since"],
            at=facts["at"],
            memory_bytes=facts["memory_bytes"],
            busy=tuple(Busy(task["words"], task["pid"], max(0.0, now - task["since"])) for task in facts["busy"]),
        )
        for facts in reported(client, "worker")
    ]


BEAT_SEEN = "beat-seen"
"""Where the clock writes the time at each of its turns: jobs/beat.py."""
BEAT_SILENT_AFTER_S = 60
"""Four times as long as another beat takes to take over."""


def seconds_since_beat(client: Redis) -> float | None:
    """How long ago the clock last looked what is due; None where it never did. Raises RedisError if Redis is away."""
    raw: Any = client.get(BEAT_SEEN)
    return max(0.0, time.time() - float(raw)) if raw else None
