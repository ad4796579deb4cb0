"""Artists, albums, tracks and the files behind them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Float,
    ForeignKey,
    Index,
    String,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column, relationship

from musicapp.catalog.text import shelf_key, shelf_letter
from musicapp.core.db import Base, utc_now

ALBUM_KINDS = ("album", "ep", "single", "compilation")

# Compared byte by byte: a database's own language would page in another order on each machine.
SHELF_KEY = String(400).with_variant(String(400, collation="C"), "postgresql")


def _of_new_row(made_from: str, make: Any) -> Any:
    return lambda context: make(context.get_current_parameters()[made_from])


class Artist(Base):
    """A public performing name, managed by its members; one without members exists as a credit."""

    __tablename__ = "artists"
    __table_args__ = (
        Index("ix_artists_shelf_key_id", "shelf_key", "id"),
        Index("ix_artists_shelf_letter_shelf_key_id", "shelf_letter", "shelf_key", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    sort_name: Mapped[str] = mapped_column(String(200), index=True)
    shelf_key: Mapped[str] = mapped_column(SHELF_KEY, default=_of_new_row("sort_name", shelf_key))
    """The sort name as lists are paged by it."""
    shelf_letter: Mapped[str] = mapped_column(String(4), default=_of_new_row("sort_name", shelf_letter))
    search_text: Mapped[str] = mapped_column(String(400), default="")
    bio: Mapped[str] = mapped_column(Text, default="")
    picture_id: Mapped[int | None] = mapped_column(ForeignKey("artworks.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]

    picture: Mapped[Artwork | None] = relationship()
    members: Mapped[list[ArtistMember]] = relationship(back_populates="artist", passive_deletes=True)


class ArtistMember(Base):
    """Who may open an artist's studio."""

    __tablename__ = "artist_members"
    __table_args__ = (CheckConstraint("role IN ('owner','editor')", name="role"),)

    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String(16), default="owner")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    artist: Mapped[Artist] = relationship(back_populates="members")


class Artwork(Base):
    """A picture in several sizes, as `<key>-<size>.webp` and `.jpg`."""

    __tablename__ = "artworks"

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(120))
    original_key: Mapped[str | None] = mapped_column(String(120))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    width: Mapped[int]
    height: Mapped[int]
    sizes: Mapped[list[int]] = mapped_column(JSON)
    color: Mapped[str] = mapped_column(String(7))
    """Leading colour, #rrggbb."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Album(Base):
    """A published product, or the draft of one. Drafts are seen by members only; strangers get 404."""

    __tablename__ = "albums"
    __table_args__ = (
        CheckConstraint("kind IN ('album','ep','single','compilation')", name="kind"),
        Index("ix_albums_published_at_id", "published_at", "id"),
        Index("ix_albums_release_on_id", "release_on", "id"),
        Index("ix_albums_shelf_key_id", "shelf_key", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id", ondelete="CASCADE"), index=True)
    """The artist in whose studio it is made; names shown come from the credits."""
    title: Mapped[str] = mapped_column(String(300))
    sort_title: Mapped[str] = mapped_column(String(300))
    shelf_key: Mapped[str] = mapped_column(SHELF_KEY, default=_of_new_row("sort_title", shelf_key))
    search_text: Mapped[str] = mapped_column(String(600), default="")
    kind: Mapped[str] = mapped_column(String(16), default="album")
    release_on: Mapped[date | None]
    published_at: Mapped[datetime | None]
    description: Mapped[str] = mapped_column(Text, default="")
    cover_id: Mapped[int | None] = mapped_column(ForeignKey("artworks.id", ondelete="SET NULL"))
    musicbrainz_release_id: Mapped[str | None] = mapped_column(String(36))
    created_by_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now, onupdate=utc_now)
    deleted_at: Mapped[datetime | None]
    taken_down_at: Mapped[datetime | None]
    """An operator took it off the site: a draft that its members can't publish."""
    taken_down_reason: Mapped[str | None] = mapped_column(Text)
    taken_down_published_at: Mapped[datetime | None]
    """Where it stood before, and stands again once it is given back."""

    artist: Mapped[Artist] = relationship()
    cover: Mapped[Artwork | None] = relationship()
    credits: Mapped[list[AlbumCredit]] = relationship(
        order_by="AlbumCredit.position", cascade="all, delete-orphan", passive_deletes=True
    )
    genres: Mapped[list[Genre]] = relationship(secondary="album_genres", order_by="Genre.name")
    tracks: Mapped[list[Track]] = relationship(
        back_populates="album", order_by="Track.disc_number, Track.position, Track.id", passive_deletes=True
    )

    @property
    def is_published(self) -> bool:
        return self.published_at is not None and self.deleted_at is None


class AlbumCredit(Base):
    """An artist as an album names it."""

    __tablename__ = "album_credits"

    id: Mapped[int] = mapped_column(primary_key=True)
    album_id: Mapped[int] = mapped_column(ForeignKey("albums.id", ondelete="CASCADE"), index=True)
    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id", ondelete="CASCADE"), index=True)
    credited_as: Mapped[str] = mapped_column(String(200))
    join_phrase: Mapped[str] = mapped_column(String(40), default="")
    """What stands between this name and the next: " & ", " feat. "."""
    position: Mapped[int] = mapped_column(default=0)

    artist: Mapped[Artist] = relationship()


class Genre(Base):
    __tablename__ = "genres"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    slug: Mapped[str] = mapped_column(String(80), unique=True)


class AlbumGenre(Base):
    __tablename__ = "album_genres"

    album_id: Mapped[int] = mapped_column(ForeignKey("albums.id", ondelete="CASCADE"), primary_key=True)
    genre_id: Mapped[int] = mapped_column(ForeignKey("genres.id", ondelete="CASCADE"), primary_key=True, index=True)


class Track(Base):
    """One numbered item on an album. It plays from its original until renditions are made."""

    __tablename__ = "tracks"
    __table_args__ = (Index("ix_tracks_album_order", "album_id", "disc_number", "position"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    album_id: Mapped[int] = mapped_column(ForeignKey("albums.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(500))
    sort_title: Mapped[str] = mapped_column(String(500))
    search_text: Mapped[str] = mapped_column(String(1000), default="")
    disc_number: Mapped[int] = mapped_column(default=1)
    track_number: Mapped[int | None]
    """As tagged; what people see is the position."""
    position: Mapped[int] = mapped_column(default=0)
    duration_ms: Mapped[int | None]
    """Declared by the file until the decode has told the truth (`ready_at`)."""
    recorded_on: Mapped[str | None] = mapped_column(String(10))
    """YYYY, YYYY-MM or YYYY-MM-DD, as tagged."""
    genre: Mapped[str | None] = mapped_column(String(200))
    isrc: Mapped[str | None] = mapped_column(String(12))
    musicbrainz_recording_id: Mapped[str | None] = mapped_column(String(36))
    musicbrainz_track_id: Mapped[str | None] = mapped_column(String(36))
    lyrics: Mapped[str | None] = mapped_column(Text)
    synced_lyrics: Mapped[str | None] = mapped_column(Text)
    """LRC."""
    replaygain_track_gain_db: Mapped[float | None] = mapped_column(Float)
    """As tagged; what the player uses is measured: track_gain_db."""
    replaygain_track_peak: Mapped[float | None] = mapped_column(Float)
    integrated_loudness_lufs: Mapped[float | None] = mapped_column(Float)
    true_peak_dbtp: Mapped[float | None] = mapped_column(Float)
    track_gain_db: Mapped[float | None] = mapped_column(Float)
    waveform_key: Mapped[str | None] = mapped_column(String(120))
    preview_key: Mapped[str | None] = mapped_column(String(120))
    play_count: Mapped[int] = mapped_column(default=0)
    ready_at: Mapped[datetime | None]
    """When its renditions were made."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted_at: Mapped[datetime | None]

    album: Mapped[Album] = relationship(back_populates="tracks")
    credits: Mapped[list[TrackCredit]] = relationship(
        order_by="TrackCredit.position", cascade="all, delete-orphan", passive_deletes=True
    )
    original: Mapped[Original | None] = relationship(back_populates="track", passive_deletes=True)
    renditions: Mapped[list[Rendition]] = relationship(back_populates="track", passive_deletes=True)


class TrackCredit(Base):
    """An artist as a track names it."""

    __tablename__ = "track_credits"

    id: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"), index=True)
    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id", ondelete="CASCADE"), index=True)
    credited_as: Mapped[str] = mapped_column(String(200))
    join_phrase: Mapped[str] = mapped_column(String(40), default="")
    role: Mapped[str] = mapped_column(String(40), default="performer")
    position: Mapped[int] = mapped_column(default=0)

    artist: Mapped[Artist] = relationship()


class Original(Base):
    """The bytes as uploaded, never changed, and what was found in them."""

    __tablename__ = "originals"

    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(String(120), unique=True)
    filename: Mapped[str] = mapped_column(String(300))
    sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    container: Mapped[str] = mapped_column(String(40))
    codec: Mapped[str] = mapped_column(String(40))
    mime: Mapped[str] = mapped_column(String(80))
    is_browser_playable: Mapped[bool]
    is_lossless: Mapped[bool]
    sample_rate_hz: Mapped[int | None]
    channels: Mapped[int | None]
    layout: Mapped[str | None] = mapped_column(String(40))
    bit_depth: Mapped[int | None]
    bitrate_kbps: Mapped[int | None]
    encoder_delay_samples: Mapped[int | None]
    encoder_padding_samples: Mapped[int | None]
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"), index=True)
    """Whose quota it counts against."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    track: Mapped[Track] = relationship(back_populates="original")


class Rendition(Base):
    """One encoded version for listeners."""

    __tablename__ = "renditions"
    __table_args__ = (UniqueConstraint("track_id", "profile"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    track_id: Mapped[int] = mapped_column(ForeignKey("tracks.id", ondelete="CASCADE"))
    profile: Mapped[str] = mapped_column(String(40))
    key: Mapped[str] = mapped_column(String(120), unique=True)
    codec: Mapped[str] = mapped_column(String(40))
    mime: Mapped[str] = mapped_column(String(80))
    bitrate_kbps: Mapped[int]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    duration_ms: Mapped[int]
    encoder_delay_samples: Mapped[int | None]
    encoder_padding_samples: Mapped[int | None]
    pipeline_version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)

    track: Mapped[Track] = relationship(back_populates="renditions")
