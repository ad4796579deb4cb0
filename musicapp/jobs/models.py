"""The jobs table."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from musicapp.core.db import Base, utc_now
from musicapp.jobs import schedule_tables as schedule_tables  # tables, too

QUEUED, RUNNING, SUCCEEDED, FAILED, CANCELLED = "queued", "running", "succeeded", "failed", "cancelled"
ENDED = (SUCCEEDED, FAILED, CANCELLED)
LOST = "lost"
"""Of a periodic run: its worker died."""


class Job(Base):
    """One piece of background work that a person can see."""

    __tablename__ = "jobs"
    __table_args__ = (
        CheckConstraint("state IN ('queued','running','succeeded','failed','cancelled')", name="state"),
        # The claim and the place in the queue walk this one.
        Index("ix_jobs_waiting", "state", "kind", "run_at", "id"),
        Index("ix_jobs_owner_id_state", "owner_id", "state"),
        Index("ix_jobs_started_at", "started_at"),
        Index("ix_jobs_subject", "kind", "subject_id"),
        # How much was done in the last minutes; adding a job costs nothing here.
        Index(
            "ix_jobs_finished_at",
            "finished_at",
            sqlite_where=text("finished_at IS NOT NULL"),
            postgresql_where=text("finished_at IS NOT NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(64))
    queue: Mapped[str] = mapped_column(String(32), default="default")
    subject_id: Mapped[int | None]
    """Id of the row the kind is about: an upload, an album, a user."""
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Ids and short strings only; everything else is read anew."""
    request_id: Mapped[str | None] = mapped_column(String(64))
    """Of the request that began it, also through other jobs: log lines of the worker carry it on."""
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    unique_key: Mapped[str | None] = mapped_column(String(190), unique=True)
    state: Mapped[str] = mapped_column(String(16), default=QUEUED)
    step: Mapped[str] = mapped_column(String(64), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    max_attempts: Mapped[int] = mapped_column(default=3)
    run_at: Mapped[datetime] = mapped_column(default=utc_now)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    claim_token: Mapped[str | None] = mapped_column(String(32))
    """Whoever holds it may write: a worker that was thought dead and wakes up finds another token."""
    worker: Mapped[str | None] = mapped_column(String(120))
    """Who took it last, `default@host/1234`: the worker and its child's process."""
    is_cancel_requested: Mapped[bool] = mapped_column(default=False)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    error: Mapped[str | None] = mapped_column(Text)
    """What happened and what to do, in words for the owner."""
    traceback: Mapped[str | None] = mapped_column(Text)
    """For operators only."""


class PeriodicRun(Base):
    """One run of a task of the clock: what it did, and while it runs the lock that keeps a second one out."""

    __tablename__ = "periodic_runs"
    __table_args__ = (
        CheckConstraint("state IN ('running','succeeded','failed','lost')", name="state"),
        # The lock: at most one unfinished run of a task.
        Index(
            "uq_periodic_runs_running",
            "task",
            unique=True,
            sqlite_where=text("finished_at IS NULL"),
            postgresql_where=text("finished_at IS NULL"),
        ),
        Index("ix_periodic_runs_task_id", "task", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    task: Mapped[str] = mapped_column(String(120))
    """The Celery task's name, such as "uploads.sweep"."""
    state: Mapped[str] = mapped_column(String(16), default=RUNNING)
    started_by: Mapped[str] = mapped_column(String(40), default="clock")
    """"clock", or the name of the admin who asked for it."""
    token: Mapped[str] = mapped_column(String(32), default="")
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    heartbeat_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What it did, in counts."""
    error: Mapped[str | None] = mapped_column(Text)
    traceback: Mapped[str | None] = mapped_column(Text)
