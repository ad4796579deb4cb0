"""How much a process's live hub has to do: told to Redis every few seconds, for the desk and /metrics."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import Flask

from musicapp.core.processes import memory_bytes, process_name, report
from musicapp.live.log import PUBLISHED_KEY

if TYPE_CHECKING:
    from redis import Redis


@dataclass(slots=True)
class LiveFigures:
    """What the hub has counted since it began. Plain numbers: the hub adds to them in its hottest places."""

    opened: int = 0
    """Streams that were opened."""
    events: int = 0
    """Updates heard from Redis."""
    sent: int = 0
    """Updates written to a stream: one heard by a hundred pages is a hundred."""
    replays: int = 0
    """Streams that came back and got what they had missed."""
    resyncs: int = 0
    """Streams whose pages had to fetch themselves again."""


class LiveReporter:
    """Called every few seconds in a web process; raises RedisError when Redis is away, and then says it later."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._told = LiveFigures()
        self._told_at = time.monotonic()

    def __call__(self) -> None:
        hub = self._app.extensions.get("live_hub")
        now = LiveFigures() if hub is None else hub.figures
        figures = {name: getattr(now, name) for name in LiveFigures.__slots__}
        fresh = {name: number - getattr(self._told, name) for name, number in figures.items()}
        seconds = max(0.001, time.monotonic() - self._told_at)
        report(
            self._app.extensions["redis"],
            "web",
            process_name(),
            {
                "host": socket.gethostname(),
                "pid": os.getpid(),
                "since": self._app.extensions["started_at"],
                "memory_bytes": memory_bytes(),
                "streams": 0 if hub is None else hub.stream_count,
                "events_per_second": round(fresh["events"] / seconds, 2),
                "sent_per_second": round(fresh["sent"] / seconds, 2),
                **figures,
            },
        )
        self._told, self._told_at = LiveFigures(**figures), time.monotonic()
        for name in ("opened", "sent", "replays", "resyncs"):
            if fresh[name]:
                self._app.extensions["metrics"].add(f"live_{name}", (), fresh[name])


def published_count(client: Redis) -> int:
    """How many updates all processes have ever published. Raises RedisError when Redis is away."""
    raw: Any = client.get(PUBLISHED_KEY)
    return int(raw or 0)


def init_live_figures(app: Flask) -> None:
    app.extensions["metrics"].reporters.append(LiveReporter(app))
