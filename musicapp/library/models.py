"""What a person keeps."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from musicapp.core.db import Base, utc_now


class TrackLike(Base):
    __tablename__ = "track_likes"
    __table_args__ = (Index("ix_track_likes_user_id_created_at_track_id", "user_id", "created_at", "track_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True, index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class AlbumLike(Base):
    __tablename__ = "album_likes"
    __table_args__ = (Index("ix_album_likes_user_id_created_at_album_id", "user_id", "created_at", "album_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    album_id: Mapped[int] = mapped_column(ForeignKey("albums.id", ondelete="CASCADE"), primary_key=True, index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class ArtistFollow(Base):
    __tablename__ = "artist_follows"
    __table_args__ = (Index("ix_artist_follows_user_id_created_at_artist_id", "user_id", "created_at", "artist_id"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id", ondelete="CASCADE"), primary_key=True, index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
