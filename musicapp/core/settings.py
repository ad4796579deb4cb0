"""The running app's settings, for rooms whose services and queries know no HTTP."""

from __future__ import annotations

from typing import Any

from flask import current_app


def setting(name: str) -> Any:
    """The value of a setting of config.py. Raises KeyError for a name it doesn't have."""
    return current_app.config[name]


def process_started_at() -> float:
    """When this process made its app, in seconds since 1970."""
    started: float = current_app.extensions["started_at"]
    return started
