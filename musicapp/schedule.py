"""The one list of periodic work. Beat reads it; CELERY_CONF_BEAT_SCHEDULE adds to it."""

from __future__ import annotations

from typing import Any

SCHEDULE: dict[str, dict[str, Any]] = {}
