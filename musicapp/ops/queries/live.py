"""The live channel: open streams, events, replays, resyncs, by web process."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from musicapp.core.metrics import metrics
from musicapp.core.processes import reported
from musicapp.core.redis import RedisError, redis_client
from musicapp.live.figures import published_count


@dataclass(frozen=True, slots=True)
class WebProcess:
    """A web process as it last reported. Rates are those between its last two reports, the rest since it began."""

    name: str
    since: float
    at: float
    memory_bytes: int
    streams: int
    events_per_second: float
    sent_per_second: float
    opened: int
    replays: int
    resyncs: int

    @property
    def seconds_ago(self) -> float:
        return max(0.0, time.time() - self.at)


@dataclass(frozen=True, slots=True)
class Live:
    processes: list[WebProcess]
    published: int
    """Updates that all processes have ever published."""

    @property
    def streams(self) -> int:
        return sum(process.streams for process in self.processes)

    @property
    def events_per_second(self) -> float:
        """Every process hears every update; the one that has just begun has heard the fewest."""
        return max((process.events_per_second for process in self.processes), default=0.0)

    @property
    def sent_per_second(self) -> float:
        return sum(process.sent_per_second for process in self.processes)

    @property
    def replays(self) -> int:
        return sum(process.replays for process in self.processes)

    @property
    def resyncs(self) -> int:
        return sum(process.resyncs for process in self.processes)


def live() -> Live | None:
    """None while Redis is away."""
    metrics().send()
    try:
        found = reported(redis_client(), "web")
        return Live([_process(facts) for facts in found], published_count(redis_client()))
    except RedisError:
        return None


def _process(facts: dict[str, Any]) -> WebProcess:
    return WebProcess(**{name: facts[name] for name in WebProcess.__slots__})
