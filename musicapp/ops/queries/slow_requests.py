"""Requests: how long they take by route, and the ones that took too long."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from musicapp.core import metrics
from musicapp.core.redis import RedisError

SHOWN_ROUTES = 100


@dataclass(frozen=True, slots=True)
class RouteFigures:
    """A route in the last hour. Times are in ms."""

    method: str
    route: str
    count: int
    p50_ms: float
    p99_ms: float
    total_ms: float


@dataclass(frozen=True, slots=True)
class SlowRequest:
    """`ids` are the numbers in the address; `sql_ms` is what its statements took of `took_ms`."""

    at: datetime
    method: str
    route: str
    ids: dict[str, int]
    status: str
    took_ms: int
    statements: int
    sql_ms: int
    request_id: str

    @property
    def address(self) -> str:
        address = self.route
        for name, value in self.ids.items():
            address = address.replace(f"<{name}>", str(value))
        return address


@dataclass(frozen=True, slots=True)
class Requests:
    """Routes by the time they took together in the last hour, and the newest slow requests."""

    routes: list[RouteFigures]
    slow: list[SlowRequest]

    @property
    def count(self) -> int:
        return sum(route.count for route in self.routes)


def requests() -> Requests | None:
    """None while Redis is away. No statement."""
    try:
        latencies, slow = metrics.latencies(of_last_hour=True), metrics.slow_requests()
    except RedisError:
        return None
    routes = [_figures(labels, latency) for labels, latency in latencies.items() if latency.count]
    routes.sort(key=lambda route: -route.total_ms)
    return Requests(routes[:SHOWN_ROUTES], [_slow(facts) for facts in slow])


def _figures(labels: metrics.Labels, latency: metrics.Latency) -> RouteFigures:
    method, route = labels
    quantiles = latency.quantile_ms(0.5), latency.quantile_ms(0.99)
    return RouteFigures(method, route, latency.count, *quantiles, latency.total_ms)


def _slow(facts: dict[str, Any]) -> SlowRequest:
    at = datetime.fromtimestamp(facts["at"], UTC)
    return SlowRequest(**{**facts, "at": at})
