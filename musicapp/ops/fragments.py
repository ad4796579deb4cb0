"""Who hears the desk, and what its jobs are called."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from musicapp.jobs import presenting
from musicapp.live.registry import topic
from musicapp.ops.queries.storage import MEASURE

presenting.call(**{MEASURE: _l("Measure the storage")})


@topic("desk")
def may_hear_desk(viewer: Any, number: int | None) -> bool:
    """Admins. Pokes only: each page fetches its own part, and is asked who it is."""
    return number is None and viewer.is_admin


@topic("schedules")
def may_hear_schedules(viewer: Any, number: int | None) -> bool:
    """Admins. Pokes only: a run of a task of the clock began to take long, or ended."""
    return number is None and viewer.is_admin
