"""Tallies per day: made from plays, made again from them at any time."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Date, ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from musicapp.core.db import Base


class TrackDay(Base):
    """How often a track was heard on one day (UTC)."""

    __tablename__ = "track_days"
    __table_args__ = (Index("ix_track_days_day", "day"),)

    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    plays: Mapped[int] = mapped_column(default=0)


class ArtistDay(Base):
    """How often an artist was heard on one day (UTC), and by how many different listeners."""

    __tablename__ = "artist_days"
    __table_args__ = (Index("ix_artist_days_day", "day"),)

    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id", ondelete="CASCADE"), primary_key=True)
    day: Mapped[date] = mapped_column(Date, primary_key=True)
    plays: Mapped[int] = mapped_column(default=0)
    listeners: Mapped[int] = mapped_column(default=0)
