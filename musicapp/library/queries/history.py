"""What somebody has heard: every play, and what it was played from. Nobody else ever sees it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import and_, or_, select

from musicapp.core.db import LARGEST_ID, db
from musicapp.playback.models import Play

RECENT_PLAYS = 400
"""So far back home looks for what was played lately."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NUMBERED = re.compile(r"([a-z]+)-([0-9]{1,10})")


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """One play. Its track may be gone, or hidden, by now."""

    id: int
    track_id: int
    album_id: int
    started_at: datetime
    source: str
    device: str

    @property
    def from_what(self) -> tuple[str, int | None]:
        """("album", 3) for the source album-3; ("search", None) for one without a number."""
        return split_source(self.source)


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """Plays, latest first. `next_key` is where older ones begin, None at the end."""

    rows: list[HistoryRow]
    next_key: str | None


@dataclass(frozen=True, slots=True)
class RecentlyPlayed:
    """An album or a playlist that something was played from."""

    kind: str
    id: int
    played_at: datetime


def split_source(source: str) -> tuple[str, int | None]:
    """A source's kind and number. A number that no id can have is none."""
    match = _NUMBERED.fullmatch(source)
    if match is None or int(match[2]) > LARGEST_ID:
        return source, None
    return match[1], int(match[2])


def history(user_id: int, *, limit: int, before: str | None = None) -> HistoryPage:
    """A page of a user's plays; `before` is the next_key of the page above. What is no key shows the latest."""
    found = (
        select(Play.id, Play.track_id, Play.album_id, Play.started_at, Play.source, Play.device)
        .where(Play.user_id == user_id, Play.deleted_at.is_(None))
        .order_by(Play.started_at.desc(), Play.id.desc())
        .limit(limit + 1)
    )
    if key := _read_key(before):
        at, last_id = key
        found = found.where(or_(Play.started_at < at, and_(Play.started_at == at, Play.id < last_id)))
    rows = [HistoryRow(*row) for row in db.session.execute(found)]
    return HistoryPage(rows[:limit], _key_of(rows[limit - 1]) if len(rows) > limit else None)


def _key_of(row: HistoryRow) -> str:
    return f"{(row.started_at - _EPOCH) // timedelta(microseconds=1)}-{row.id}"


def _read_key(key: str | None) -> tuple[datetime, int] | None:
    micros, _, last_id = (key or "").partition("-")
    try:
        return _EPOCH + timedelta(microseconds=int(micros)), min(max(int(last_id), 0), LARGEST_ID)
    except (ValueError, OverflowError):
        return None


def recently_played(user_id: int, limit: int = 12) -> list[RecentlyPlayed]:
    """Albums and playlists that a user's last plays came from, latest first, each once; in one statement.

    A track that was not started from a playlist stands for its album. Whether the user may still see them is for
    whoever shows them.
    """
    found = (
        select(Play.album_id, Play.source, Play.started_at)
        .where(Play.user_id == user_id, Play.deleted_at.is_(None))
        .order_by(Play.started_at.desc(), Play.id.desc())
        .limit(RECENT_PLAYS)
    )
    seen: dict[tuple[str, int], datetime] = {}
    for album_id, source, started_at in db.session.execute(found):
        kind, number = split_source(source)
        key = ("playlist", number) if kind == "playlist" and number is not None else ("album", album_id)
        seen.setdefault(key, started_at)
    return [RecentlyPlayed(kind, id, at) for (kind, id), at in list(seen.items())[:limit]]
