"""The rows that macros draw: albums as cards, tracks as rows, names as credited."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from musicapp.catalog.models import AlbumCredit, TrackCredit
from musicapp.catalog.queries.pictures import Picture
from musicapp.core.db import db


@dataclass(frozen=True, slots=True)
class Credit:
    """A name as it stands, and the artist behind it."""

    artist_id: int
    name: str
    join_phrase: str
    role: str = "performer"

    @property
    def url(self) -> str:
        return f"/artists/{self.artist_id}"


def line_of(credits: Iterable[Credit]) -> str:
    """The names as one line: "A & B feat. C". Only performers stand in it."""
    performers = [credit for credit in credits if credit.role == "performer"]
    names = [credit.name + credit.join_phrase for credit in performers[:-1]]
    return "".join([*names, performers[-1].name] if performers else [])


def credits_of_albums(album_ids: Iterable[int]) -> dict[int, list[Credit]]:
    """Album id -> its credits in order, in one statement."""
    credits: dict[int, list[Credit]] = {}
    found = (
        select(AlbumCredit.album_id, AlbumCredit.artist_id, AlbumCredit.credited_as, AlbumCredit.join_phrase)
        .where(AlbumCredit.album_id.in_(list(album_ids)))
        .order_by(AlbumCredit.album_id, AlbumCredit.position)
    )
    for album_id, artist_id, name, join_phrase in db.session.execute(found):
        credits.setdefault(album_id, []).append(Credit(artist_id, name, join_phrase))
    return credits


def credits_of_tracks(track_ids: Any) -> dict[int, list[Credit]]:
    """Track id -> its credits in order, in one statement; `track_ids` is a list or a select."""
    credits: dict[int, list[Credit]] = {}
    columns = (TrackCredit.artist_id, TrackCredit.credited_as, TrackCredit.join_phrase, TrackCredit.role)
    found = (
        select(TrackCredit.track_id, *columns)
        .where(TrackCredit.track_id.in_(track_ids))
        .order_by(TrackCredit.track_id, TrackCredit.position)
    )
    for track_id, artist_id, name, join_phrase, role in db.session.execute(found):
        credits.setdefault(track_id, []).append(Credit(artist_id, name, join_phrase, role))
    return credits


@dataclass(frozen=True, slots=True)
class AlbumCard:
    """An album in a grid."""

    id: int
    title: str
    kind: str
    artists: str
    artist_id: int
    release_on: date | None
    published_at: datetime | None
    deleted_at: datetime | None
    picture: Picture | None

    @property
    def url(self) -> str:
        return f"/albums/{self.id}"

    @property
    def studio_url(self) -> str:
        return f"/studio/albums/{self.id}"

    @property
    def artist_url(self) -> str:
        return f"/artists/{self.artist_id}"

    @property
    def cover_url(self) -> str | None:
        return self.picture.url(320) if self.picture else None

    @property
    def cover_sources(self) -> list[tuple[str, int]]:
        return self.picture.sources if self.picture else []

    @property
    def year(self) -> int | None:
        return self.release_on.year if self.release_on else None

    @property
    def page_key(self) -> str:
        """Where the next page of a list by publication begins."""
        return f"{round(self.published_at.timestamp() * 1_000_000)}-{self.id}" if self.published_at else ""


@dataclass(frozen=True, slots=True)
class ArtistCard:
    """An artist in a list."""

    id: int
    name: str
    picture: Picture | None

    @property
    def url(self) -> str:
        return f"/artists/{self.id}"

    @property
    def studio_url(self) -> str:
        return f"/studio/artists/{self.id}"


READY, FROM_ORIGINAL, WAITING = "ready", "original", "waiting"
_DRAWN = (
    *("id", "title", "url", "artists", "artist_url", "album", "album_url", "album_id", "cover"),
    *("duration_ms", "gain_db", "true_peak_dbtp", "playable", "play_count", "state"),
)


@dataclass(frozen=True, slots=True)
class TrackRow:
    """A track in a list. `number` counts what is there, disc by disc; `state` is ready, original or waiting."""

    id: int
    number: int
    disc_number: int
    title: str
    credits: tuple[Credit, ...]
    album_id: int
    album: str
    picture: Picture | None
    duration_ms: int | None
    gain_db: float | None
    true_peak_dbtp: float | None
    play_count: int
    state: str

    @property
    def url(self) -> str:
        return f"/tracks/{self.id}"

    @property
    def edit_url(self) -> str:
        return f"/studio/tracks/{self.id}"

    @property
    def album_url(self) -> str:
        return f"/albums/{self.album_id}"

    @property
    def artists(self) -> str:
        return line_of(self.credits)

    @property
    def artist_url(self) -> str | None:
        performers = [credit for credit in self.credits if credit.role == "performer"]
        return performers[0].url if performers else None

    @property
    def cover(self) -> str | None:
        return self.picture.url(320) if self.picture else None

    @property
    def playable(self) -> bool:
        return self.state != WAITING

    def drawn(self, **more: Any) -> dict[str, Any]:
        """What the macro `track_row` takes, with `more` over it (state_words, play_count as a marked-up span)."""
        return {**{name: getattr(self, name) for name in _DRAWN}, **more}


@dataclass(frozen=True, slots=True)
class GenreName:
    """A genre as pages name it."""

    name: str
    slug: str

    @property
    def url(self) -> str:
        return f"/genres/{self.slug}"


@dataclass(frozen=True, slots=True)
class AlbumPage:
    """An album with all that its page shows."""

    id: int
    title: str
    kind: str
    artist_id: int
    artist_name: str
    description: str
    release_on: date | None
    published_at: datetime | None
    genres: tuple[GenreName, ...]
    picture: Picture | None
    credits: tuple[Credit, ...]
    tracks: tuple[TrackRow, ...]

    @property
    def url(self) -> str:
        return f"/albums/{self.id}"

    @property
    def studio_url(self) -> str:
        return f"/studio/albums/{self.id}"

    @property
    def artists(self) -> str:
        return line_of(self.credits)

    @property
    def is_published(self) -> bool:
        return self.published_at is not None

    @property
    def year(self) -> int | None:
        return self.release_on.year if self.release_on else None

    @property
    def duration_ms(self) -> int:
        return sum(track.duration_ms or 0 for track in self.tracks)

    @property
    def play_count(self) -> int:
        return sum(track.play_count for track in self.tracks)

    @property
    def playable_count(self) -> int:
        return sum(track.playable for track in self.tracks)

    @property
    def disc_numbers(self) -> list[int]:
        return sorted({track.disc_number for track in self.tracks})


@dataclass(frozen=True, slots=True)
class GenreCard:
    """A genre in a list, with one of its covers."""

    id: int
    name: str
    slug: str
    album_count: int
    picture: Picture | None

    @property
    def url(self) -> str:
        return f"/genres/{self.slug}"
