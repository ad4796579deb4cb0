"""Where a player is, every few seconds: in Redis, because nobody needs each of them in the database.

The database has the position of the last pause, seek, change of track or leave. Whoever reads takes the newer one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from musicapp.core.redis import RedisUnavailable, redis_client

KEPT = timedelta(days=2)
"""A player says more often than that that it plays; when it stops it says so to the database."""


@dataclass(frozen=True, slots=True)
class Position:
    """Where a player was in an entry at an instant of the server's clock."""

    entry_id: int
    position_ms: int
    reported_at: datetime


def _key(user_id: int) -> str:
    return f"playback/position/{user_id}"


def keep(user_id: int, position: Position) -> bool:
    """False where Redis is away."""
    key = _key(user_id)
    at_us = round(position.reported_at.timestamp() * 1_000_000)
    try:
        with redis_client().pipeline(transaction=False) as pipe:
            pipe.hset(key, mapping={"entry": position.entry_id, "ms": position.position_ms, "at": at_us})
            pipe.expire(key, KEPT)
            pipe.execute()
    except RedisUnavailable:
        return False
    return True


def kept(user_id: int) -> Position | None:
    try:
        found: Any = redis_client().hmget(_key(user_id), ["entry", "ms", "at"])
    except RedisUnavailable:
        return None
    if None in found:
        return None
    entry_id, position_ms, at_us = (int(value) for value in found)
    return Position(entry_id, position_ms, datetime.fromtimestamp(at_us / 1_000_000, UTC))


def forget(user_id: int) -> None:
    try:
        redis_client().delete(_key(user_id))
    except RedisUnavailable:
        return  # it ends by itself
