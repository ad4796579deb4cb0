"""Listening events as the player sent them, the plays that were counted from them, and play queues."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, text
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
    source: Mapped[str] = mapped_column(String(40), default="", server_default=text("''"))
    """The page it was started from: `album-3`, `playlist-7`, `search`; empty when nobody said."""
    device: Mapped[str] = mapped_column(String(80), default="", server_default=text("''"))
    """In words: "Firefox, Linux"."""

    __table_args__ = (Index("ix_listening_events_hearing", "listener", "track_id", "at"),)


class Play(Base):
    """A counted hearing: longer than 30 s, heard for half of it or 4 minutes."""

    __tablename__ = "plays"
    __table_args__ = (
        Index("ix_plays_track_id_started_at", "track_id", "started_at"),
        Index("ix_plays_user_id_started_at", "user_id", "started_at"),
        # The plays of a day, for its tally.
        Index("ix_plays_started_at", "started_at"),
        Index(
            "ix_plays_deleted_at",
            "deleted_at",
            sqlite_where=text("deleted_at IS NOT NULL"),
            postgresql_where=text("deleted_at IS NOT NULL"),
        ),
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
    source: Mapped[str] = mapped_column(String(40), default="", server_default=text("''"))
    device: Mapped[str] = mapped_column(String(80), default="", server_default=text("''"))
    deleted_at: Mapped[datetime | None]
    """When the listener took it out of the history. A day later nobody knows any more whose it was."""


class PlayQueue(Base):
    """What a person's players play next, the same on all their devices. One row per user."""

    __tablename__ = "play_queues"
    __table_args__ = (CheckConstraint("repeat IN ('off','all','one')", name="repeat"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    version: Mapped[int] = mapped_column(default=0)
    """Counts the changes, so that a device knows whether it has seen the newest."""
    entries: Mapped[list[list[int]]] = mapped_column(JSON, default=list)
    """In playing order: [entry id, track id, place before shuffling]. One document: most changes touch every place."""
    entries_hash: Mapped[int] = mapped_column(default=0)
    """Of `entries`, by which a device knows whether it holds the newest order without fetching it."""
    next_entry_id: Mapped[int] = mapped_column(default=1)
    current_entry_id: Mapped[int | None]
    position_ms: Mapped[int] = mapped_column(default=0)
    is_playing: Mapped[bool] = mapped_column(default=False)
    is_shuffled: Mapped[bool] = mapped_column(default=False)
    repeat: Mapped[str] = mapped_column(String(8), default="off")
    source: Mapped[str] = mapped_column(String(40), default="", server_default=text("''"))
    device_id: Mapped[str] = mapped_column(String(36), default="")
    """The browser that plays, by a random id it gave itself."""
    device: Mapped[str] = mapped_column(String(80), default="", server_default=text("''"))
    reported_at: Mapped[datetime] = mapped_column(default=utc_now)
    """When the position was true."""
