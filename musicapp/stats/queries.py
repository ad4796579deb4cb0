"""Reads of the tallies: the figures of a week, the days that are still to be counted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, distinct, func, select, union_all

from musicapp.catalog.models import Album, AlbumCredit, Artist, Track
from musicapp.catalog.queries.albums import PUBLISHED
from musicapp.core.db import db
from musicapp.library.models import AlbumLike, ArtistFollow, TrackLike
from musicapp.playback.models import Play
from musicapp.stats.credits import tracks_of_artists
from musicapp.stats.models import ArtistDay, TrackDay

MOST_TRACKS = 5


@dataclass(frozen=True, slots=True)
class Figure:
    """A count of this week and of the week before."""

    now: int = 0
    before: int = 0

    @property
    def change(self) -> int:
        return self.now - self.before

    @property
    def percent(self) -> int | None:
        """How much more or less than the week before; None where that was nought."""
        return round(100 * self.change / self.before) if self.before else None


@dataclass(frozen=True, slots=True)
class WeekOfArtist:
    """What an artist's week was like, beside the week before."""

    artist_id: int
    name: str
    plays: Figure
    listeners: Figure
    followers: Figure
    """New ones who still follow."""
    likes: Figure
    """Of tracks and albums, those that still stand."""
    top_tracks: tuple[tuple[str, int], ...]
    """(title, plays), most played first."""

    @property
    def figures(self) -> tuple[Figure, ...]:
        return (self.plays, self.listeners, self.followers, self.likes)

    @property
    def is_silent(self) -> bool:
        return not any(figure.now or figure.before for figure in self.figures)


def weeks_of_artists(artist_ids: Sequence[int], first_day: date) -> list[WeekOfArtist]:
    """Seven days (UTC) from `first_day` for each artist, in the order of the ids; deleted ones are left out.

    Ten statements however many artists they are. Plays come from the tallies; listeners of a week are counted from
    plays, since days can't be added up.
    """
    names = {row.id: row.name for row in db.session.execute(_names(artist_ids))}
    this, before = [_Week(start) for start in (first_day, first_day - timedelta(days=7))]
    counted: dict[str, list[dict[int, int]]] = {
        what: [_counts(of(artist_ids, week)) for week in (this, before)]
        for what, of in (("plays", _plays), ("listeners", _listeners), ("followers", _followers), ("likes", _likes))
    }

    def figure(what: str, artist_id: int) -> Figure:
        return Figure(*(int(counts.get(artist_id, 0)) for counts in counted[what]))

    tops = _top_tracks(artist_ids, this)
    return [
        WeekOfArtist(
            id,
            names[id],
            figure("plays", id),
            figure("listeners", id),
            figure("followers", id),
            figure("likes", id),
            tuple(tops.get(id, ())),
        )
        for id in artist_ids
        if id in names
    ]


class _Week:
    """Seven days (UTC), as dates and as instants."""

    def __init__(self, first_day: date) -> None:
        self.first, self.last = first_day, first_day + timedelta(days=6)
        self.since = datetime.combine(first_day, time(), UTC)
        self.until = self.since + timedelta(days=7)

    def has(self, instant: Any) -> tuple[Any, Any]:
        return instant >= self.since, instant < self.until


def _counts(found: Select[int, int]) -> dict[int, int]:
    return {row[0]: row[1] for row in db.session.execute(found)}


def _names(artist_ids: Sequence[int]) -> Select[int, str]:
    return select(Artist.id, Artist.name).where(Artist.id.in_(artist_ids), Artist.deleted_at.is_(None))


def _plays(artist_ids: Sequence[int], week: _Week) -> Select[int, int]:
    return (
        select(ArtistDay.artist_id, func.sum(ArtistDay.plays))
        .where(ArtistDay.artist_id.in_(artist_ids), ArtistDay.day.between(week.first, week.last))
        .group_by(ArtistDay.artist_id)
    )


def _listeners(artist_ids: Sequence[int], week: _Week) -> Select[int, int]:
    pairs = tracks_of_artists().subquery()
    return (
        select(pairs.c.artist_id, func.count(distinct(Play.listener)))
        .join(Play, Play.track_id == pairs.c.track_id)
        .where(pairs.c.artist_id.in_(artist_ids), *week.has(Play.started_at))
        .group_by(pairs.c.artist_id)
    )


def _followers(artist_ids: Sequence[int], week: _Week) -> Select[int, int]:
    return (
        select(ArtistFollow.artist_id, func.count())
        .where(ArtistFollow.artist_id.in_(artist_ids), *week.has(ArtistFollow.created_at))
        .group_by(ArtistFollow.artist_id)
    )


def _likes(artist_ids: Sequence[int], week: _Week) -> Select[int, int]:
    pairs = tracks_of_artists().subquery()
    of_tracks = (
        select(pairs.c.artist_id, TrackLike.user_id)
        .join(TrackLike, TrackLike.track_id == pairs.c.track_id)
        .where(pairs.c.artist_id.in_(artist_ids), *week.has(TrackLike.created_at))
    )
    of_albums = (
        select(AlbumCredit.artist_id, AlbumLike.user_id)
        .join(AlbumLike, AlbumLike.album_id == AlbumCredit.album_id)
        .where(AlbumCredit.artist_id.in_(artist_ids), *week.has(AlbumLike.created_at))
    )
    both = union_all(of_tracks, of_albums).subquery()
    return select(both.c.artist_id, func.count()).group_by(both.c.artist_id)


def _top_tracks(artist_ids: Sequence[int], week: _Week) -> dict[int, list[tuple[str, int]]]:
    """Artist id -> (title, plays) of the tracks that were heard most and that everybody may see."""
    pairs = tracks_of_artists().subquery()
    plays = func.sum(TrackDay.plays)
    place = func.row_number().over(partition_by=pairs.c.artist_id, order_by=(plays.desc(), Track.id))
    placed = (
        select(pairs.c.artist_id, Track.title, plays.label("plays"), place.label("place"))
        .join(Track, Track.id == pairs.c.track_id)
        .join(Album, Album.id == Track.album_id)
        .join(TrackDay, TrackDay.track_id == Track.id)
        .where(pairs.c.artist_id.in_(artist_ids), TrackDay.day.between(week.first, week.last))
        .where(Track.deleted_at.is_(None), *PUBLISHED)
        .group_by(pairs.c.artist_id, Track.id, Track.title)
        .subquery()
    )
    found = select(placed).where(placed.c.place <= MOST_TRACKS).order_by(placed.c.artist_id, placed.c.place)
    tops: dict[int, list[tuple[str, int]]] = {}
    for row in db.session.execute(found):
        tops.setdefault(row.artist_id, []).append((row.title, int(row.plays)))
    return tops


def first_day_to_tally(today: date, recounted_days: int) -> date | None:
    """Where counting begins: so many days before the last that was counted, or the first play. None without plays."""
    last: date | None = db.session.scalar(select(func.max(TrackDay.day)))
    if last is not None:
        return min(last, today) - timedelta(days=recounted_days)
    first: datetime | None = db.session.scalar(select(func.min(Play.started_at)))
    return first.date() if first else None
