"""The daily or weekly digest: what waited for its reader, grouped by kind."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask_babel import force_locale
from sqlalchemy import select

from musicapp.accounts.queries import user_by_id
from musicapp.catalog.models import Artist
from musicapp.catalog.queries import cards_of_albums
from musicapp.core.db import db
from musicapp.notifications.kinds import KINDS
from musicapp.notifications.letters.music import album_line
from musicapp.notifications.letters.playlists import playlist_line
from musicapp.notifications.letters.writing import Letter, Line, Occasion, cover_of, site_url, write
from musicapp.notifications.models import Announcement, DigestEntry

MOST_LINES = 25
"""Of one kind; how many more there are is said below them."""


@dataclass(frozen=True, slots=True)
class Group:
    """What is told of one kind."""

    heading: str
    lines: tuple[Line, ...]
    more_count: int = 0


def digest(occasion: Occasion) -> Letter | None:
    """Arguments: entry_ids, frequency ("daily" or "weekly"). None when nothing of it is there any more."""
    user = user_by_id(occasion.user_id)
    if user is None:
        return None
    entries = db.session.scalars(
        select(DigestEntry)
        .where(DigestEntry.user_id == user.id, DigestEntry.id.in_(occasion.arguments["entry_ids"]))
        .order_by(DigestEntry.id.desc())
    ).all()
    with force_locale(user.locale):
        groups = groups_of(entries, user.id)
    if not groups:
        return None
    return write(
        occasion,
        user,
        groups=groups,
        count=sum(len(group.lines) + group.more_count for group in groups),
        is_weekly=occasion.arguments.get("frequency") == "weekly",
    )


def groups_of(entries: Sequence[DigestEntry], user_id: int) -> list[Group]:
    """In the order of the kinds; a kind that nobody here can put into words stands as its name, with its link."""
    groups = []
    for name, kind in KINDS.items():
        of_kind = [entry for entry in entries if entry.kind == name]
        if not of_kind:
            continue
        lines = _LINES.get(name, _other_lines)(of_kind, user_id)
        if lines:
            more = max(0, len(lines) - MOST_LINES)
            groups.append(Group(str(kind.words), tuple(lines[:MOST_LINES]), more))
    return groups


def _albums(entries: Sequence[DigestEntry], _user_id: int) -> list[Line]:
    ids = list(dict.fromkeys(entry.subject_id for entry in entries if entry.subject_id is not None))
    return [album_line(card) for card in cards_of_albums(ids) if card.published_at is not None]


def _announcements(entries: Sequence[DigestEntry], _user_id: int) -> list[Line]:
    found = (
        select(Announcement.id, Announcement.title, Announcement.artist_id, Artist.name)
        .outerjoin(Artist, Artist.id == Announcement.artist_id)
        .where(Announcement.id.in_([entry.subject_id for entry in entries]))
        .order_by(Announcement.id.desc())
    )
    return [
        Line(
            row.title,
            site_url(f"/announcements/{row.id}"),
            cover_of(row.name or row.title, None),
            (row.name,) if row.name else (),
        )
        for row in db.session.execute(found)
    ]


def _playlists(entries: Sequence[DigestEntry], user_id: int) -> list[Line]:
    """One line per playlist, over all that its entries tell of."""
    spans: dict[int, tuple[int, int]] = {}
    for entry in entries:
        known: dict[str, Any] = entry.arguments
        if entry.subject_id is not None:
            first, last = spans.get(entry.subject_id, (known["from_version"], known["to_version"]))
            spans[entry.subject_id] = (min(first, known["from_version"]), max(last, known["to_version"]))
    lines = (playlist_line(id, user_id, *span) for id, span in spans.items())
    return [line for line in lines if line is not None]


def _other_lines(entries: Sequence[DigestEntry], _user_id: int) -> list[Line]:
    return [
        Line(str(KINDS[entry.kind].words), site_url("/notifications"), cover_of(str(KINDS[entry.kind].words), None))
        for entry in entries
    ]


_LINES = {"new_release": _albums, "announcement": _announcements, "playlist_changed": _playlists}
