"""Reports, and what they are about."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import aliased

from musicapp.accounts.models import User
from musicapp.catalog.models import Album, Artist, ArtistMember, Track
from musicapp.core.db import db
from musicapp.ops.models import Report
from musicapp.playlists.models import Playlist

PER_PAGE = 40
STATES = ("open", "dismissed", "acted")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a report is about, now. `words` is its name, `url` where everybody finds it."""

    kind: str
    id: int
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class ReportRow:
    """A report. `subject` None: it is gone for good. `reporter` None: the account is closed."""

    id: int
    subject_kind: str
    subject_id: int
    subject: Subject | None
    reason: str
    words: str
    state: str
    reporter_id: int | None
    reporter: str | None
    decided_by: str | None
    decision_words: str
    created_at: datetime
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReportList:
    rows: list[ReportRow]
    next_after: int | None


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who answers for what is reported."""

    id: int
    username: str
    is_suspended: bool


def reports(state: str = "open", after: int | None = None) -> ReportList:
    """Open ones the oldest first, as they wait; decided ones the newest first."""
    waits = state == "open"
    found = _reports().where(Report.state == state).order_by(Report.id if waits else Report.id.desc())
    if after is not None:
        found = found.where(Report.id > after if waits else Report.id < after)
    found = found.limit(PER_PAGE + 1)
    rows = _rows(found)
    return ReportList(rows[:PER_PAGE], rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else None)


def report_counts() -> dict[str, int]:
    """State -> how many."""
    rows = db.session.execute(select(Report.state, func.count()).group_by(Report.state))
    counted = {row[0]: row[1] for row in rows}
    return {state: counted.get(state, 0) for state in STATES}


def report_by_id(report_id: int) -> ReportRow | None:
    rows = _rows(_reports().where(Report.id == report_id))
    return rows[0] if rows else None


def reports_about(
    subjects: Sequence[tuple[str, int]], *, limit: int, tracks_of_album_id: int | None = None
) -> list[ReportRow]:
    """The latest about any of these (kind, id), and about tracks of an album."""
    conditions = [and_(Report.subject_kind == kind, Report.subject_id == id) for kind, id in subjects]
    if tracks_of_album_id is not None:
        tracks = select(Track.id).where(Track.album_id == tracks_of_album_id)
        conditions.append(and_(Report.subject_kind == "track", Report.subject_id.in_(tracks)))
    return _rows(_reports().where(or_(*conditions)).order_by(Report.id.desc()).limit(limit))


def people_behind(subject: Subject) -> list[Person]:
    """Who made it: the user, an artist's members, the owner of a playlist."""
    found: Any = select(User.id, User.username, User.suspended_at).where(User.deleted_at.is_(None)).limit(20)
    if subject.kind == "user":
        found = found.where(User.id == subject.id)
    elif subject.kind == "playlist":
        found = found.join(Playlist, Playlist.owner_id == User.id).where(Playlist.id == subject.id)
    else:
        found = found.join(ArtistMember, ArtistMember.user_id == User.id)
        if subject.kind == "artist":
            found = found.where(ArtistMember.artist_id == subject.id)
        elif subject.kind == "album":
            found = found.join(Album, Album.artist_id == ArtistMember.artist_id).where(Album.id == subject.id)
        else:
            found = found.join(Album, Album.artist_id == ArtistMember.artist_id)
            found = found.join(Track, Track.album_id == Album.id).where(Track.id == subject.id)
    return [
        Person(row.id, row.username, row.suspended_at is not None)
        for row in db.session.execute(found.order_by(User.username_key))
    ]


def subjects_of(wanted: Iterable[tuple[str, int]]) -> dict[tuple[str, int], Subject]:
    """(kind, id) -> what it is, a statement per kind; what is gone for good is missing."""
    ids: dict[str, set[int]] = {}
    for kind, id in wanted:
        ids.setdefault(kind, set()).add(id)
    return {
        (kind, row.id): Subject(kind, row.id, row.words, f"{_ADDRESSES[kind]}/{row.address}")
        for kind, of_kind in ids.items()
        for row in db.session.execute(_NAMES[kind](of_kind))
    }


_ADDRESSES = {
    "user": "/people",
    "artist": "/artists",
    "album": "/albums",
    "track": "/tracks",
    "playlist": "/playlists",
}


def _named(id: Any, words: Any, address: Any) -> Any:
    def statement(ids: Collection[int]) -> Any:
        return select(id.label("id"), words.label("words"), address.label("address")).where(id.in_(ids))

    return statement


_NAMES: dict[str, Any] = {
    "user": _named(User.id, User.username, User.username),
    "artist": _named(Artist.id, Artist.name, Artist.id),
    "album": _named(Album.id, Album.title, Album.id),
    "track": _named(Track.id, Track.title, Track.id),
    "playlist": _named(Playlist.id, Playlist.name, Playlist.id),
}


def _reports() -> Any:
    reporter, decider = aliased(User), aliased(User)
    return (
        select(Report, reporter.username.label("reporter"), decider.username.label("decided_by"))
        .outerjoin(reporter, and_(reporter.id == Report.reporter_id, reporter.deleted_at.is_(None)))
        .outerjoin(decider, decider.id == Report.decided_by_id)
    )


def _rows(found: Any) -> list[ReportRow]:
    rows = db.session.execute(found).all()
    subjects = subjects_of((row.Report.subject_kind, row.Report.subject_id) for row in rows)
    return [
        ReportRow(
            id=row.Report.id,
            subject_kind=row.Report.subject_kind,
            subject_id=row.Report.subject_id,
            subject=subjects.get((row.Report.subject_kind, row.Report.subject_id)),
            reason=row.Report.reason,
            words=row.Report.words,
            state=row.Report.state,
            reporter_id=row.Report.reporter_id,
            reporter=row.reporter,
            decided_by=row.decided_by,
            decision_words=row.Report.decision_words,
            created_at=row.Report.created_at,
            decided_at=row.Report.decided_at,
        )
        for row in rows
    ]
