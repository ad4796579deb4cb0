"""The limits of this site for files that come in, read from the settings in one place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from flask import current_app


@dataclass(frozen=True, slots=True)
class Limits:
    """What the operator allows."""

    file_bytes: int
    user_bytes: int
    user_seconds: int
    track_seconds: int
    unfinished_for: timedelta


def current_limits() -> Limits:
    config = current_app.config
    return Limits(
        file_bytes=config["UPLOAD_MAX_BYTES"],
        user_bytes=config["USER_QUOTA_BYTES"],
        user_seconds=config["USER_QUOTA_HOURS"] * 3600,
        track_seconds=config["TRACK_MAX_SECONDS"],
        unfinished_for=timedelta(hours=config["UPLOAD_EXPIRE_HOURS"]),
    )
