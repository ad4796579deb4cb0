"""Listening events as the player sent them, and the plays that were counted from them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from musicapp.core.db import Base, utc_now


class ListeningEvent(Base):
    """What a player said: play, pause, seek, progress, skip, complete. A repeated event_id is stored once."""

    __tablename__ = "listening_events"

    id: Mapped[int] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(String(64), unique=True)
    listener: Mapped[str] = mapped_column(String(80))
    """`user-5`, or `visitor-<random>` for someone without an account."""
    track_id: Mapped[int]
    """No foreign key: plays outlive what was played."""
    kind: Mapped[str] = mapped_column(String(16))
    position_ms: Mapped[int]
    at: Mapped[datetime]
    received_at: Mapped[datetime] = mapped_column(default=utc_now)

    __table_args__ = (Index("ix_listening_events_hearing", "listener", "track_id", "at"),)


class Play(Base):
    """A counted hearing: longer than 30 s, heard for half of it or 4 minutes."""

    __tablename__ = "plays"
    __table_args__ = (
        Index("ix_plays_track_id_started_at", "track_id", "started_at"),
        Index("ix_plays_user_id_started_at", "user_id", "started_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    hearing_id: Mapped[str] = mapped_column(String(64), unique=True)
    """event_id of the event that began the hearing: one hearing counts once."""
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    listener: Mapped[str] = mapped_column(String(80))
    track_id: Mapped[int]
    album_id: Mapped[int]
    started_at: Mapped[datetime]
    counted_at: Mapped[datetime] = mapped_column(default=utc_now)
