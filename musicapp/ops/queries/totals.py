"""Sums over whole tables, for /metrics."""

from __future__ import annotations

from sqlalchemy import func, select, text

from musicapp.core.db import db, is_sqlite
from musicapp.jobs.models import Job
from musicapp.notifications.models import Delivery
from musicapp.playback.models import Play


def jobs_by_state_and_kind() -> dict[tuple[str, str], int]:
    rows = db.session.execute(select(Job.state, Job.kind, func.count()).group_by(Job.state, Job.kind))
    return {(state, kind): number for state, kind, number in rows}


def mails_by_state() -> dict[str, int]:
    rows = db.session.execute(select(Delivery.state, func.count()).group_by(Delivery.state))
    return {row[0]: row[1] for row in rows}


def plays_ever() -> int:
    """How many plays were ever stored: ids are given away once, so this only grows, and no row is read but the last."""
    return db.session.scalar(select(func.max(Play.id))) or 0


def database_size_bytes() -> int:
    statement = (
        "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        if is_sqlite()
        else "SELECT pg_database_size(current_database())"
    )
    return int(db.session.scalar(text(statement)) or 0)
