"""Signed-in sessions in Redis, so that a request costs no query. The rows in the database stay the truth.

A reader may have read the row just before somebody revoked it and store it just after. So a dropped session leaves a
mark for a few seconds, and storing never overwrites: nobody stays signed in through that gap.
"""

from __future__ import annotations

import json
import time
from typing import Any

from flask import current_app

from musicapp.core.effects import after_commit
from musicapp.core.redis import RedisError, redis_client

KEPT_SECONDS = 300
"""Also the longest that a revoked device lives on when Redis was away at the moment of revoking."""
MARKED_SECONDS = 10
"""Longer than a request that has read the row may need to store it."""
REST_SECONDS = 2.0
"""After a failure Redis is left alone so long: every try costs the page up to 0.1 s."""


def _key(token_hash: str) -> str:
    return f"accounts/session/{token_hash}"


def _is_resting() -> bool:
    return bool(time.monotonic() < current_app.extensions.setdefault("session_cache_rest_until", 0.0))


def _rest() -> None:
    current_app.extensions["session_cache_rest_until"] = time.monotonic() + REST_SECONDS


def kept(token_hash: str) -> dict[str, Any] | None:
    """What `keep` stored, or None: look in the database then."""
    if _is_resting():
        return None
    try:
        raw = redis_client().get(_key(token_hash))
    except RedisError:
        _rest()
        return None
    return json.loads(raw) if raw else None  # type: ignore[arg-type]


def keep(token_hash: str, facts: dict[str, Any]) -> None:
    """Stores a session for KEPT_SECONDS unless it was dropped a moment ago."""
    if _is_resting():
        return
    try:
        redis_client().set(_key(token_hash), json.dumps(facts), ex=KEPT_SECONDS, nx=True)
    except RedisError:
        _rest()


def drop(token_hashes: set[str]) -> None:
    """Makes the next request of these sessions read the database."""
    if not token_hashes:
        return
    try:
        # Always tried, also while resting: this one matters more than 0.1 s.
        pipeline = redis_client().pipeline(transaction=False)
        for token_hash in token_hashes:
            pipeline.set(_key(token_hash), "", ex=MARKED_SECONDS)
        pipeline.execute()
    except RedisError:
        _rest()


def drop_after_commit(token_hashes: set[str]) -> None:
    """Drops them when the present transaction is committed; a rollback forgets the wish."""
    after_commit(lambda: drop(token_hashes))
