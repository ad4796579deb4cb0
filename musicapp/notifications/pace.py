"""How many mails may leave in a minute, all workers together."""

from __future__ import annotations

import time
from datetime import timedelta

from flask import current_app
from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.strategies import MovingWindowRateLimiter
from sqlalchemy import func, select

from musicapp.core.db import db, reading, utc_now
from musicapp.notifications.models import Delivery

KEPT_FREE = 10
"""A tenth of each minute is kept for mails that somebody waits for, such as a link for a new password."""
SHORTEST_PAUSE_S = 1.0
LONGEST_PAUSE_S = 60.0


def pause_s(*, is_mailing: bool) -> float:
    """Counts one mail and returns 0.0, or says how many seconds to wait as this minute is full.

    Counted in Redis; while it is away, by the mails that the ledger says left in the last minute.
    """
    most = current_app.config["MAIL_PER_MINUTE"]
    if not most:
        return 0.0
    kept_free = most // KEPT_FREE if is_mailing else 0
    limiter: MovingWindowRateLimiter = current_app.extensions["rate_limiter"]
    minute = RateLimitItemPerMinute(most, namespace="mails")
    try:
        window = limiter.get_window_stats(minute)
        if window.remaining > kept_free and limiter.hit(minute):
            return 0.0
        # The oldest mail leaves the minute then, and with it most of those that left in one go.
        return _within_bounds(window.reset_time - time.time())
    except StorageError:
        return _pause_by_ledger_s(most - kept_free)


def _pause_by_ledger_s(most: int) -> float:
    now = utc_now()
    with reading():
        sent_count, oldest_at = db.session.execute(
            select(func.count(), func.min(Delivery.sent_at)).where(Delivery.sent_at > now - timedelta(minutes=1))
        ).one()
        db.session.rollback()
    if oldest_at is None or sent_count < most:
        return 0.0
    return _within_bounds((oldest_at + timedelta(minutes=1) - now).total_seconds())


def _within_bounds(seconds: float) -> float:
    return min(LONGEST_PAUSE_S, max(SHORTEST_PAUSE_S, seconds))
