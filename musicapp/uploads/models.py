"""Uploads: one act of sending a file."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from musicapp.core.db import Base, utc_now

RECEIVING, RECEIVED, PROBED, READY, FAILED, CANCELLED = (
    "receiving",
    "received",
    "probed",
    "ready",
    "failed",
    "cancelled",
)


class Upload(Base):
    """A file on its way in. `offset` bytes are on disk under `key`; the bytes on disk are the truth."""

    __tablename__ = "uploads"
    __table_args__ = (
        CheckConstraint("state IN ('receiving','received','probed','ready','failed','cancelled')", name="state"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    token: Mapped[str] = mapped_column(String(43), unique=True)
    """The random last part of its tus address."""
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    album_id: Mapped[int] = mapped_column(ForeignKey("albums.id", ondelete="CASCADE"), index=True)
    track_id: Mapped[int | None] = mapped_column(ForeignKey("tracks.id", ondelete="SET NULL"), index=True)
    filename: Mapped[str] = mapped_column(String(300))
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    offset_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    key: Mapped[str] = mapped_column(String(120))
    metadata_header: Mapped[str] = mapped_column(Text, default="")
    """Upload-Metadata as sent: tus wants it back."""
    state: Mapped[str] = mapped_column(String(16), default=RECEIVING)
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    received_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
