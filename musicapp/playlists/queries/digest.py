"""Digests: what others changed in a playlist since somebody was last told."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, or_, select

from musicapp.accounts.models import User
from musicapp.catalog.queries import TrackRow, visible_rows
from musicapp.core.db import db
from musicapp.playlists.models import Playlist, PlaylistChange, PlaylistEntry, PlaylistFollow, PlaylistMember
from musicapp.playlists.queries.people import Person, people_by_id

MOST_TRACKS = 20


@dataclass(frozen=True, slots=True)
class PersonsPart:
    """What one person did."""

    by: Person | None
    added_count: int
    removed_count: int
    moved_count: int
    is_edited: bool
    """Name, description, cover or who may see it."""


@dataclass(frozen=True, slots=True)
class Digest:
    """What others changed between two versions of a playlist, for one user."""

    playlist_id: int
    name: str
    from_version: int
    to_version: int
    first_at: datetime
    last_at: datetime
    parts: tuple[PersonsPart, ...]
    """Who did most comes first."""
    added_tracks: tuple[TrackRow, ...]
    """Of the tracks that came, those that this user may see, at most MOST_TRACKS, newest first."""


def digest_of(playlist_id: int, user_id: int, from_version: int, to_version: int) -> Digest | None:
    """The changes after from_version up to to_version that are not this user's own; None where there are none.

    Changes that were taken back again are left out, and so are the undos themselves.
    """
    name = db.session.scalar(select(Playlist.name).where(Playlist.id == playlist_id, Playlist.deleted_at.is_(None)))
    changes = db.session.execute(
        select(PlaylistChange.version, PlaylistChange.user_id, PlaylistChange.summary, PlaylistChange.created_at)
        .where(
            PlaylistChange.playlist_id == playlist_id,
            PlaylistChange.version > from_version,
            PlaylistChange.version <= to_version,
            by_others(user_id),
        )
        .order_by(PlaylistChange.version)
    ).all()
    if name is None or not changes:
        return None
    people = people_by_id(change.user_id for change in changes)
    summaries: dict[int | None, list[dict[str, Any]]] = {}
    for change in changes:
        summaries.setdefault(change.user_id, []).append(change.summary)
    return Digest(
        playlist_id=playlist_id,
        name=name,
        from_version=from_version,
        to_version=to_version,
        first_at=changes[0].created_at,
        last_at=changes[-1].created_at,
        parts=tuple(
            PersonsPart(
                people.get(who) if who else None,
                sum(summary.get("added_count", 0) for summary in done),
                sum(summary.get("removed_count", 0) for summary in done),
                sum(summary.get("moved_count", 0) for summary in done),
                any("fields" in summary for summary in done),
            )
            for who, done in sorted(summaries.items(), key=lambda pair: -len(pair[1]))
        ),
        added_tracks=_tracks_that_came(playlist_id, user_id, from_version),
    )


def _tracks_that_came(playlist_id: int, user_id: int, from_version: int) -> tuple[TrackRow, ...]:
    """Tracks by others that stand in the playlist since then, newest first."""
    # An entry is written a moment before the change that tells of it.
    told_at = db.session.scalar(
        select(func.max(PlaylistChange.created_at)).where(
            PlaylistChange.playlist_id == playlist_id, PlaylistChange.version <= from_version
        )
    )
    found = (
        select(PlaylistEntry.track_id)
        .where(
            PlaylistEntry.playlist_id == playlist_id,
            PlaylistEntry.removed_at.is_(None),
            or_(PlaylistEntry.added_by_id.is_(None), PlaylistEntry.added_by_id != user_id),
        )
        .order_by(PlaylistEntry.added_at.desc(), PlaylistEntry.order_key)
        .limit(MOST_TRACKS * 2)
    )
    if told_at is not None:
        found = found.where(PlaylistEntry.added_at > told_at)
    wanted = list(dict.fromkeys(db.session.scalars(found)))
    seen = visible_rows(wanted, user_id)
    return tuple(seen[id_] for id_ in wanted if id_ in seen)[:MOST_TRACKS]


def by_others(user_id: Any) -> ColumnElement[bool]:
    """Conditions for a change that is news for a user: somebody else's, and still in force."""
    return (
        or_(PlaylistChange.user_id.is_(None), PlaylistChange.user_id != user_id)
        & PlaylistChange.undone_version.is_(None)
        & (PlaylistChange.kind != "undone")
    )


@dataclass(frozen=True, slots=True)
class DueDigest:
    """Somebody who has something to be told of."""

    playlist_id: int
    user_id: int
    from_version: int
    to_version: int


def due_digests(wanted_by: Select[Any]) -> list[DueDigest]:
    """Those members and followers among `wanted_by` (user ids) who have changes by others that none told of.

    Who has muted a playlist is left out. Two statements.
    """
    due: list[DueDigest] = []
    for table in (PlaylistMember, PlaylistFollow):
        news = exists().where(
            PlaylistChange.playlist_id == table.playlist_id,
            PlaylistChange.version > table.digested_version,
            by_others(table.user_id),
        )
        found = (
            select(table.playlist_id, table.user_id, table.digested_version, Playlist.version)
            .join(Playlist, Playlist.id == table.playlist_id)
            .join(User, User.id == table.user_id)
            .where(
                table.wants_digest.is_(True),
                table.user_id.in_(wanted_by),
                table.digested_version < Playlist.version,
                Playlist.deleted_at.is_(None),
                User.deleted_at.is_(None),
                User.suspended_at.is_(None),
                news,
            )
            .order_by(table.playlist_id, table.user_id)
        )
        if table is PlaylistFollow:
            found = found.where(Playlist.visibility != "private")
        due += [DueDigest(*row) for row in db.session.execute(found)]
    return due
