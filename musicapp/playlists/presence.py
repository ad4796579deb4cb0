"""Who is looking at a playlist right now: a sorted set per playlist in Redis, forgotten when nobody says so any more.

Without Redis nobody is shown; nothing else changes.
"""

from __future__ import annotations

import logging
import time
from typing import Any

from musicapp.core.redis import RedisUnavailable, redis_client

logger = logging.getLogger(__name__)

EXPIRES_S = 45.0
"""Pages say every 20 s that they are open; one that is asleep may miss one of these."""
MOST_SHOWN = 12


def _key(playlist_id: int) -> str:
    return f"playlist:{playlist_id}:looking"


def look(playlist_id: int, user_id: int, page: str, *, now_s: float | None = None) -> bool:
    """Notes that one of the user's pages is open; True when that changes who is looking."""
    now_s = time.time() if now_s is None else now_s
    try:
        before = looking(playlist_id, now_s=now_s)
        with redis_client().pipeline() as pipe:
            pipe.zremrangebyscore(_key(playlist_id), "-inf", now_s - EXPIRES_S)
            pipe.zadd(_key(playlist_id), {f"{user_id}:{page}": now_s})
            pipe.expire(_key(playlist_id), int(EXPIRES_S) + 1)
            expired = pipe.execute()[0]
    except RedisUnavailable:
        return False
    return bool(expired) or user_id not in before


def leave(playlist_id: int, user_id: int, page: str, *, now_s: float | None = None) -> bool:
    """Notes that the page was closed; True when that changes who is looking."""
    try:
        removed = redis_client().zrem(_key(playlist_id), f"{user_id}:{page}")
    except RedisUnavailable:
        return False
    return bool(removed) and user_id not in looking(playlist_id, now_s=now_s)


def forget(playlist_id: int, user_id: int) -> None:
    """Takes away all pages of a user who is no longer a member."""
    try:
        found: Any = redis_client().zrange(_key(playlist_id), 0, -1)
        pages = [one for one in found if one.startswith(b"%d:" % user_id)]
        if pages:
            redis_client().zrem(_key(playlist_id), *pages)
    except RedisUnavailable:
        logger.info("Redis is away: user %d is shown at playlist %d until it expires", user_id, playlist_id)


def looking(playlist_id: int, *, now_s: float | None = None) -> list[int]:
    """Ids of the users whose pages are open, each once; none while Redis is away."""
    now_s = time.time() if now_s is None else now_s
    try:
        found: Any = redis_client().zrangebyscore(_key(playlist_id), now_s - EXPIRES_S, "+inf")
    except RedisUnavailable:
        return []
    return list(dict.fromkeys(sorted(int(one.split(b":")[0]) for one in found)))
