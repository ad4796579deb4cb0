"""What a person looked for lately: ten searches in Redis, for half a year. Without Redis nobody has any."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from musicapp.catalog.text import clean_line
from musicapp.core.effects import after_commit
from musicapp.core.redis import RedisUnavailable, redis_client
from musicapp.search.tokens import LONGEST_QUERY

MOST = 10
KEPT_SECONDS = 180 * 24 * 3600


def recent_searches(user_id: int) -> list[str]:
    """The latest first."""
    try:
        kept: Any = redis_client().lrange(_key(user_id), 0, MOST - 1)
    except RedisUnavailable:
        return []
    return [text.decode(errors="replace") for text in kept]


def remember_search(user_id: int, text: str) -> None:
    """Puts a search in front; one that is there already moves."""
    line = clean_line(text, LONGEST_QUERY)
    if not line:
        return
    try:
        with redis_client().pipeline() as pipe:
            pipe.lrem(_key(user_id), 0, line)
            pipe.lpush(_key(user_id), line)
            pipe.ltrim(_key(user_id), 0, MOST - 1)
            pipe.expire(_key(user_id), KEPT_SECONDS)
            pipe.execute()
    except RedisUnavailable:
        return


def forget_search(user_id: int, text: str | None = None) -> None:
    """Forgets one search, or all of them. Raises RedisUnavailable: who deletes something must know that it stayed."""
    if text is None:
        redis_client().delete(_key(user_id))
    else:
        redis_client().lrem(_key(user_id), 0, text)


def forget_after_commit(user_id: int) -> None:
    """Forgets all of them once an account is closed. Without Redis they stay, unseen, until their time is over."""
    client = redis_client()

    def forget() -> None:
        with suppress(*RedisUnavailable):
            client.delete(_key(user_id))

    after_commit(forget)


def _key(user_id: int) -> str:
    return f"search/recent/{user_id}"
