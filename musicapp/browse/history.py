"""What the page of a listening history shows: plays by day, each with its track and with what it was started from."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import exists, or_, select

from musicapp.catalog.models import Album, Artist
from musicapp.catalog.queries import TrackRow, visible_rows
from musicapp.catalog.queries.rights import sees
from musicapp.core.db import db, utc_now
from musicapp.library import queries
from musicapp.library.queries import HistoryRow, ViewerState
from musicapp.playlists.models import Playlist, PlaylistMember

ROWS_PER_PAGE = 60


@dataclass(frozen=True, slots=True)
class Source:
    """Where a play was started: a kind that the template has words for, and a name and address where it has one."""

    kind: str
    name: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class PlayRow:
    """One play. `track` is None where it is gone or hidden."""

    id: int
    clock: datetime
    """In the reader's zone."""
    track: TrackRow | None
    source: Source
    device: str


@dataclass(frozen=True, slots=True)
class Day:
    on: date
    days_ago: int
    plays: list[PlayRow]


@dataclass(frozen=True, slots=True)
class HistoryPage:
    days: list[Day]
    next_key: str | None
    viewer_state: ViewerState


def history_page(user_id: int, before: str | None, time_zone: str) -> HistoryPage:
    """A page of the history in eight statements; days are those of the reader's zone."""
    found = queries.history(user_id, limit=ROWS_PER_PAGE, before=before)
    track_ids = {row.track_id for row in found.rows}
    tracks = visible_rows(track_ids, user_id)
    sources = _sources(found.rows, user_id)
    zone = ZoneInfo(time_zone)
    today = utc_now().astimezone(zone).date()
    plays = [
        PlayRow(row.id, row.started_at.astimezone(zone), tracks.get(row.track_id), sources[row.source], row.device)
        for row in found.rows
    ]
    return HistoryPage(
        days=[
            Day(on, (today - on).days, list(plays_of_day))
            for on, plays_of_day in groupby(plays, lambda play: play.clock.date())
        ],
        next_key=found.next_key,
        viewer_state=queries.viewer_state(user_id, track_ids=track_ids),
    )


def _sources(rows: Iterable[HistoryRow], user_id: int) -> dict[str, Source]:
    """Source as stored -> in words. A name that this user may not see, or that is gone, is left out."""
    ids: dict[str, set[int]] = {}
    split = {row.source: row.from_what for row in rows}
    for kind, number in split.values():
        if number is not None:
            ids.setdefault(kind, set()).add(number)
    names = {kind: _NAMES[kind](ids[kind], user_id) for kind in _NAMES.keys() & ids.keys()}
    return {
        source: Source(kind, names[kind][number], f"/{kind}s/{number}")
        if number in names.get(kind, {})
        else Source(kind)
        for source, (kind, number) in split.items()
    }


def _names(found: Any) -> dict[int, str]:
    return {row[0]: row[1] for row in db.session.execute(found)}


def _albums(ids: Collection[int], user_id: int) -> dict[int, str]:
    return _names(select(Album.id, Album.title).where(Album.id.in_(ids), Album.deleted_at.is_(None), sees(user_id)))


def _artists(ids: Collection[int], _user_id: int) -> dict[int, str]:
    return _names(select(Artist.id, Artist.name).where(Artist.id.in_(ids), Artist.deleted_at.is_(None)))


def _playlists(ids: Collection[int], user_id: int) -> dict[int, str]:
    has_joined = exists().where(PlaylistMember.playlist_id == Playlist.id, PlaylistMember.user_id == user_id)
    return _names(
        select(Playlist.id, Playlist.name).where(
            Playlist.id.in_(ids), Playlist.deleted_at.is_(None), or_(Playlist.visibility == "public", has_joined)
        )
    )


_NAMES = {"album": _albums, "artist": _artists, "playlist": _playlists}
