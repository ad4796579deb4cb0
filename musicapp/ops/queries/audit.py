"""The audit log, newest first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from musicapp.core.db import db
from musicapp.ops.models import AuditEntry

PER_PAGE = 60


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act. `details` as it was written: ids and short strings."""

    id: int
    act: str
    actor_id: int | None
    actor_name: str
    subject_kind: str
    subject_id: int | None
    subject_words: str
    details: dict[str, Any]
    ip_address: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AuditList:
    rows: list[AuditRow]
    next_after: int | None


def audit_log(*, actor: str = "", room: str = "", text: str = "", after: int | None = None) -> AuditList:
    """`actor` is a name as it was then, `room` the first part of an act ("user"), `text` stands in the subject."""
    found = _newest(PER_PAGE + 1)
    if actor:
        found = found.where(AuditEntry.actor_name == actor)
    if room:
        found = found.where(AuditEntry.act.startswith(f"{room}.", autoescape=True))
    if text:
        found = found.where(
            or_(
                AuditEntry.subject_words.icontains(text, autoescape=True),
                AuditEntry.act.icontains(text, autoescape=True),
            )
        )
    if after is not None:
        found = found.where(AuditEntry.id < after)
    rows = _rows(found)
    return AuditList(rows[:PER_PAGE], rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else None)


def entries_about(subject_kind: str, subject_id: int, *, limit: int) -> list[AuditRow]:
    """What was done with one thing."""
    return _rows(_newest(limit).where(AuditEntry.subject_kind == subject_kind, AuditEntry.subject_id == subject_id))


def actors() -> list[str]:
    """Names that stand in the log."""
    return list(db.session.scalars(select(AuditEntry.actor_name).distinct().order_by(AuditEntry.actor_name).limit(200)))


def _newest(limit: int) -> Any:
    return (
        select(
            AuditEntry.id,
            AuditEntry.act,
            AuditEntry.actor_id,
            AuditEntry.actor_name,
            AuditEntry.subject_kind,
            AuditEntry.subject_id,
            AuditEntry.subject_words,
            AuditEntry.details,
            AuditEntry.ip_address,
            AuditEntry.created_at,
        )
        .order_by(AuditEntry.id.desc())
        .limit(limit)
    )


def _rows(found: Any) -> list[AuditRow]:
    return [AuditRow(*row) for row in db.session.execute(found)]
