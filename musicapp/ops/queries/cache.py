"""What the cache in Redis spares the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from musicapp.core import cache
from musicapp.core.redis import RedisError, redis_client


@dataclass(frozen=True, slots=True)
class RedisFacts:
    version: str
    memory_bytes: int
    peak_bytes: int
    clients: int
    commands_per_second: int
    uptime_s: int


@dataclass(frozen=True, slots=True)
class CachePage:
    kinds: dict[str, cache.Figures]
    redis: RedisFacts


def cache_page() -> CachePage | None:
    """None while Redis is away."""
    try:
        facts: Any = redis_client().info()
        figures = cache.figures()
    except RedisError:
        return None
    return CachePage(
        figures,
        RedisFacts(
            version=str(facts["redis_version"]),
            memory_bytes=int(facts["used_memory"]),
            peak_bytes=int(facts["used_memory_peak"]),
            clients=int(facts["connected_clients"]),
            commands_per_second=int(facts["instantaneous_ops_per_sec"]),
            uptime_s=int(facts["uptime_in_seconds"]),
        ),
    )
