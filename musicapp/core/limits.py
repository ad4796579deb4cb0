"""Counted doors: how often an address or an account may knock. The counters live in Redis."""

from __future__ import annotations

import ipaddress
import time
from math import ceil

from flask import Flask, current_app, request
from flask_babel import gettext as _
from limits import RateLimitItem, parse_many
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from werkzeug.exceptions import ServiceUnavailable, TooManyRequests

AWAY_RETRY_SECONDS = 20
"""What a visitor is told while Redis is away; the supervisor brings it back in a few seconds."""

SETTINGS = ("LOGIN_RATE_LIMIT", "REGISTER_RATE_LIMIT", "RESET_RATE_LIMIT", "REPORT_RATE_LIMIT", "SEARCH_RATE_LIMIT")


class RateLimitSettingError(ValueError):
    """A limit that can't be read, such as "ten a day"."""


def visitor_address() -> str:
    """What counts as one visitor: an IPv4 address, or the /64 that one IPv6 customer has."""
    raw = request.remote_addr or "unknown"
    try:
        address = ipaddress.ip_address(raw)
    except ValueError:
        return raw
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return raw


def count_visit(setting: str, *keys: str, times: int = 1) -> None:
    """Counts one visit of the door that `setting` names, for these keys; `times` loosens the setting.

    Raises TooManyRequests (429) with retry_after, or ServiceUnavailable (503) while Redis is away: an uncounted door
    would let passwords be tried without end.
    """
    if not current_app.config["RATE_LIMITS"]:
        return
    limiter: MovingWindowRateLimiter = current_app.extensions["rate_limiter"]
    items: list[RateLimitItem] = current_app.extensions["rate_limits"][setting]
    try:
        for item in items:
            loosened = type(item)(item.amount * times, item.multiples, namespace=setting)
            if not limiter.hit(loosened, *keys):
                reset_at = limiter.get_window_stats(loosened, *keys).reset_time
                raise TooManyRequests(
                    _("That was tried very often just now. Wait a little, then try again."),
                    retry_after=max(1, ceil(reset_at - time.time())),
                )
    except StorageError as error:
        raise ServiceUnavailable(
            _("This door is closed for a moment. Try again in half a minute; everything else works."),
            retry_after=AWAY_RETRY_SECONDS,
        ) from error


def init_limits(app: Flask) -> None:
    """Reads the settings. Raises RateLimitSettingError for one that makes no sense."""
    kept = app.extensions["rate_limits"] = {}
    for setting in SETTINGS:
        try:
            kept[setting] = parse_many(app.config[setting])
        except ValueError as error:
            words = f'{setting}={app.config[setting]!r} is no limit: write for example "10 per minute".'
            raise RateLimitSettingError(words) from error
    url = str(app.config["REDIS_URL"])
    scheme = "redis+unix://" if url.startswith("unix://") else "redis://"
    # Only the scheme is read: the pool is the app's own, with its short time-outs.
    storage = storage_from_string(scheme, connection_pool=app.extensions["redis"].connection_pool, wrap_exceptions=True)
    app.extensions["rate_limiter"] = MovingWindowRateLimiter(storage)
