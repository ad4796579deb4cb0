"""Who has a page of the site open: a sorted set in Redis, user id -> when a live stream of theirs was last seen.

The hub writes it with its heartbeats (15 s), so a page that is open at some moment is seen within 15 s after it. A
hidden tab that plays nothing closes its stream, and so counts as left.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from redis import Redis

from musicapp.core.db import utc_now
from musicapp.core.redis import RedisUnavailable, redis_client

KEY = "live:here"
HERE_S = 60.0
"""Whoever was seen within so many seconds has a page open: a heartbeat or two may be late."""
KEPT_S = 3600.0


def note_here(client: Redis, user_ids: Iterable[int], *, now_s: float | None = None) -> None:
    """Notes that these users have a page open. Raises RedisError when Redis is away."""
    now_s = time.time() if now_s is None else now_s
    seen = {str(user_id): now_s for user_id in user_ids}
    if not seen:
        return
    with client.pipeline(transaction=False) as pipe:
        pipe.zadd(KEY, seen)
        pipe.zremrangebyscore(KEY, "-inf", now_s - KEPT_S)
        pipe.execute()


def seen_at(user_ids: Collection[int]) -> dict[int, datetime] | None:
    """User id -> when a page of theirs was last open, of those seen within the hour; None when Redis is away."""
    if not user_ids:
        return {}
    try:
        scores: Any = redis_client().zmscore(KEY, [str(user_id) for user_id in user_ids])
    except RedisUnavailable:
        return None
    return {
        user_id: datetime.fromtimestamp(score, UTC)
        for user_id, score in zip(user_ids, scores, strict=True)
        if score is not None
    }


def here(user_ids: Collection[int]) -> list[int] | None:
    """Those of the users who have a page open now; None when Redis is away and nobody can say."""
    seen = seen_at(user_ids)
    if seen is None:
        return None
    since = utc_now() - timedelta(seconds=HERE_S)
    return [user_id for user_id, at in seen.items() if at >= since]
