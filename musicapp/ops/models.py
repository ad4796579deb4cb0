"""What operators did, and what people reported to them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from musicapp.core.db import Base, utc_now


class AuditEntry(Base):
    """One act of an admin. Written in the transaction of the act, never changed, never deleted by the site."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("ix_audit_entries_actor_id", "actor_id", "id"),
        Index("ix_audit_entries_subject", "subject_kind", "subject_id", "id"),
        Index("ix_audit_entries_act", "act", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    actor_name: Mapped[str] = mapped_column(String(40))
    """As it was then: accounts are closed, the log is not."""
    act: Mapped[str] = mapped_column(String(64))
    """`<room>.<verb>`, such as "user.suspend" or "schedule.run"."""
    subject_kind: Mapped[str] = mapped_column(String(32), default="")
    subject_id: Mapped[int | None]
    subject_words: Mapped[str] = mapped_column(String(200), default="")
    details: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """What changed, in ids and short strings; never a secret."""
    ip_address: Mapped[str] = mapped_column(String(64), default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Report(Base):
    """Somebody says that something should not be here."""

    __tablename__ = "reports"
    __table_args__ = (
        CheckConstraint("state IN ('open','dismissed','acted')", name="state"),
        CheckConstraint("subject_kind IN ('user','artist','album','track','playlist')", name="subject_kind"),
        Index("ix_reports_state_id", "state", "id"),
        Index("ix_reports_subject", "subject_kind", "subject_id"),
        Index("ix_reports_reporter_id", "reporter_id"),
        # Whoever presses twice has said it once.
        Index(
            "uq_reports_open",
            "reporter_id",
            "subject_kind",
            "subject_id",
            unique=True,
            sqlite_where=text("state = 'open'"),
            postgresql_where=text("state = 'open'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    reporter_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    subject_kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int]
    reason: Mapped[str] = mapped_column(String(32))
    words: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(16), default="open")
    decision_words: Mapped[str] = mapped_column(Text, default="")
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    decided_at: Mapped[datetime | None]
