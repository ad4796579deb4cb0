"""Playlists, what stands in them, who may see and change them, and every change that was made."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from musicapp.core.db import Base, utc_now

VISIBILITIES = ("private", "unlisted", "public")
ROLES = ("owner", "editor", "viewer")

# Keys are compared byte by byte; a database's own language would sort "a" beside "A".
ORDER_KEY = String(255).with_variant(String(255, collation="C"), "postgresql")


class Playlist(Base):
    """A list of tracks that belongs to its owner. `version` is the number of its last change."""

    __tablename__ = "playlists"
    __table_args__ = (
        CheckConstraint("visibility IN ('private','unlisted','public')", name="visibility"),
        Index("ix_playlists_visibility_updated_at_id", "visibility", "updated_at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(200))
    sort_name: Mapped[str] = mapped_column(String(200))
    description: Mapped[str] = mapped_column(Text, default="")
    visibility: Mapped[str] = mapped_column(String(16), default="private")
    link_token: Mapped[str] = mapped_column(String(43), unique=True)
    """Opens an unlisted playlist to whoever has the link; a new one shuts out who had the old."""
    cover_id: Mapped[int | None] = mapped_column(ForeignKey("artworks.id", ondelete="SET NULL"))
    """None: a mosaic of its albums' covers."""
    version: Mapped[int] = mapped_column(default=0)
    track_count: Mapped[int] = mapped_column(default=0)
    duration_ms: Mapped[int] = mapped_column(BigInteger, default=0)
    follower_count: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    """The last change that its page shows."""
    deleted_at: Mapped[datetime | None]


class PlaylistEntry(Base):
    """A track at a place of a playlist. A removed one stays, so that the removal can be undone."""

    __tablename__ = "playlist_entries"
    __table_args__ = (
        Index(
            "uq_playlist_entries_place",
            "playlist_id",
            "order_key",
            unique=True,
            sqlite_where=text("removed_at IS NULL"),
            postgresql_where=text("removed_at IS NULL"),
        ),
        Index("ix_playlist_entries_playlist_id_track_id", "playlist_id", "track_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    playlist_id: Mapped[int] = mapped_column(ForeignKey("playlists.id", ondelete="CASCADE"))
    track_id: Mapped[int] = mapped_column(index=True)
    """No foreign key: a place whose track is gone stays, and says so, until somebody removes it."""
    order_key: Mapped[str] = mapped_column(ORDER_KEY)
    """Fractional index: a key between any two others exists, so a move changes one row."""
    added_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    added_at: Mapped[datetime] = mapped_column(default=utc_now)
    placed_version: Mapped[int]
    """The change that put it where it stands, the undone ones not counted. Undoing an older move leaves it there."""
    removed_at: Mapped[datetime | None]
    removed_version: Mapped[int | None]
    """The change that took it out. Undoing an older removal does not bring it back."""


class PlaylistMember(Base):
    """Who has joined, the owner included."""

    __tablename__ = "playlist_members"
    __table_args__ = (CheckConstraint("role IN ('owner','editor','viewer')", name="role"),)

    playlist_id: Mapped[int] = mapped_column(ForeignKey("playlists.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(16))
    joined_at: Mapped[datetime] = mapped_column(default=utc_now)
    wants_digest: Mapped[bool] = mapped_column(default=True)
    """False: this playlist is muted. Whether one hears of what others change at all is a preference."""
    digested_version: Mapped[int] = mapped_column(default=0)
    """The playlist's version that the last digest told of."""


class PlaylistInvitation(Base):
    """A way in: for one user by name, or for whoever has the link (user_id is None)."""

    __tablename__ = "playlist_invitations"
    __table_args__ = (CheckConstraint("role IN ('editor','viewer')", name="role"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    playlist_id: Mapped[int] = mapped_column(ForeignKey("playlists.id", ondelete="CASCADE"), index=True)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    role: Mapped[str] = mapped_column(String(16))
    token: Mapped[str] = mapped_column(String(43), unique=True)
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    expires_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    """When the named user joined or declined. A link stays open to others."""
    revoked_at: Mapped[datetime | None]


class PlaylistFollow(Base):
    """A listener who keeps somebody's playlist in their library."""

    __tablename__ = "playlist_follows"

    playlist_id: Mapped[int] = mapped_column(ForeignKey("playlists.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    seen_version: Mapped[int] = mapped_column(default=0)
    """What this listener has seen; a higher version of the playlist is news."""
    wants_digest: Mapped[bool] = mapped_column(default=True)
    digested_version: Mapped[int] = mapped_column(default=0)


class PlaylistChange(Base):
    """One change, with what is needed to take it back. `version` counts from 1 without gaps."""

    __tablename__ = "playlist_changes"
    __table_args__ = (
        UniqueConstraint("playlist_id", "version"),
        Index("ix_playlist_changes_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    playlist_id: Mapped[int] = mapped_column(ForeignKey("playlists.id", ondelete="CASCADE"))
    version: Mapped[int]
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(16))
    """created, added, removed, moved, sorted, edited, undone or restored."""
    changed: Mapped[dict[str, Any]] = mapped_column(JSON)
    """added and removed entries with key and track, moved ones with old and new key, fields with old and new value;
    services.editing.Ops says it exactly. A rekeyed entry has a shorter key at the same place: pages follow it, an undo
    does not. `undoes` and `restores` name a version.
    """
    summary: Mapped[dict[str, Any]] = mapped_column(JSON)
    """added_count, removed_count, moved_count, the first entry_ids, fields, undoes, restores: what a history shows of
    a change that may name ten thousand entries."""
    undone_version: Mapped[int | None]
    """The change that took this one back."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
