"""The newsletter: what was published since a reader's last one, from artists they follow first, every morning.

The new albums are read once for each part of a job, and readers a chunk at a time, so ten thousand readers are a few
dozen statements.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from musicapp.catalog.models import Album, AlbumCredit, ArtistMember
from musicapp.core.db import db, insert_into, reading, utc_now
from musicapp.jobs.context import JobContext
from musicapp.jobs.periodic import periodic
from musicapp.jobs.registry import job_kind
from musicapp.library.models import ArtistFollow
from musicapp.notifications import mornings, posting
from musicapp.notifications.models import SENDING, SENT, WAITING, Delivery
from musicapp.notifications.readers import readers_of_mail

NEWSLETTER = "newsletter"
TASK = "notifications.send_newsletters"
LOOKED_BACK = timedelta(days=7)
MOST_ALBUMS = 12
MOST_NEW_ALBUMS = 5_000
"""Of one week on the whole site; the newest of them count."""
CHUNK_READERS = 500


@dataclass(frozen=True, slots=True)
class NewAlbum:
    id: int
    published_at: datetime
    artist_ids: frozenset[int]
    """Whom it names, and in whose studio it was made."""


@dataclass(frozen=True, slots=True)
class Had:
    """What a reader's newsletters of the last days held, and up to when the last one looked."""

    until: datetime
    album_ids: frozenset[int]


@periodic(TASK, words=_l("Send the newsletter where it is morning"))
def send_newsletters() -> dict[str, int]:
    """Every minute: a job for each time zone in which NEWSLETTER_AT has come, one for each day there."""
    return {"time_zones": mornings.add_jobs(NEWSLETTER, TASK, current_app.config["NEWSLETTER_AT"], utc_now())}


@job_kind(NEWSLETTER, queue="default", max_attempts=posting.MAX_ATTEMPTS)
def send_newsletter(job: JobContext) -> dict[str, int]:
    """Arguments: time_zone, day, until. Result: what the mails came to (posting.send_waiting)."""
    if not job.arguments.get("is_filled"):
        until = datetime.fromisoformat(job.arguments["until"])
        with reading():
            albums = new_albums(until)
            db.session.rollback()
        while not job.arguments.get("is_filled"):
            job.check_cancelled()
            _add_deliveries(job, albums, until)
    return posting.send_waiting(job)


def new_albums(until: datetime) -> list[NewAlbum]:
    """What everybody may hear and was published in the week before, newest first; two statements."""
    is_new = (
        Album.deleted_at.is_(None),
        Album.published_at > until - LOOKED_BACK,
        Album.published_at <= until,
    )
    rows = db.session.execute(
        select(Album.id, Album.published_at, Album.artist_id)
        .where(*is_new)
        .order_by(Album.published_at.desc(), Album.id.desc())
        .limit(MOST_NEW_ALBUMS)
    ).all()
    named: dict[int, set[int]] = {row.id: {row.artist_id} for row in rows}
    credits = select(AlbumCredit.album_id, AlbumCredit.artist_id).join(Album, Album.id == AlbumCredit.album_id)
    for album_id, artist_id in db.session.execute(credits.where(*is_new)):
        named.get(album_id, set()).add(artist_id)
    return [NewAlbum(row.id, row.published_at, frozenset(named[row.id])) for row in rows if row.published_at]


def choose(
    albums: Sequence[NewAlbum], *, followed: Collection[int], own: Collection[int], had: Had | None
) -> tuple[list[int], list[int]]:
    """(all album ids in order, those of followed artists among them) for one reader; empty when there is nothing.

    `albums` newest first; `followed` and `own` are artist ids. Nobody is told of their own albums, nor of one twice
    that was hidden for a while and published again.
    """
    fresh = [
        album
        for album in albums
        if (had is None or (album.published_at > had.until and album.id not in had.album_ids))
        and album.artist_ids.isdisjoint(own)
    ]
    first = [album.id for album in fresh if not album.artist_ids.isdisjoint(followed)][:MOST_ALBUMS]
    others = [album.id for album in fresh if album.artist_ids.isdisjoint(followed)]
    return [*first, *others[: MOST_ALBUMS - len(first)]], first


def _add_deliveries(job: JobContext, albums: Sequence[NewAlbum], until: datetime) -> None:
    """Deliveries of the readers that follow the one remembered, in a short transaction of its own."""
    with reading():
        readers = readers_of_mail(NEWSLETTER, job.arguments["time_zone"], job.arguments.get("filled_to", 0))
        user_ids = list(db.session.scalars(readers.limit(CHUNK_READERS)))
        rows = _rows(job, user_ids, albums, until) if user_ids and albums else []
        db.session.rollback()
    if rows:
        db.session.execute(insert_into(Delivery).on_conflict_do_nothing(), rows)
    if len(user_ids) < CHUNK_READERS or not albums:
        job.remember(is_filled=True)
    else:
        job.remember(filled_to=user_ids[-1])
    db.session.commit()


def _rows(
    job: JobContext, user_ids: Sequence[int], albums: Sequence[NewAlbum], until: datetime
) -> list[dict[str, Any]]:
    known = frozenset().union(*(album.artist_ids for album in albums))
    followed = _artists_by_user(ArtistFollow, user_ids, known)
    own = _artists_by_user(ArtistMember, user_ids, known)
    had = had_by_user(user_ids, until)
    rows = []
    for user_id in user_ids:
        ids, first = choose(albums, followed=followed.get(user_id, ()), own=own.get(user_id, ()), had=had.get(user_id))
        if ids:
            arguments = {"album_ids": ids, "followed_ids": first, "until": until.isoformat()}
            reason = f"{NEWSLETTER}/{user_id}/{job.arguments['day']}"
            rows.append(
                {"job_id": job.id, "kind": NEWSLETTER, "user_id": user_id, "reason": reason, "arguments": arguments}
            )
    return rows


def _artists_by_user(
    table: type[ArtistFollow] | type[ArtistMember], user_ids: Sequence[int], known: Collection[int]
) -> Mapping[int, set[int]]:
    """User id -> those of the known artists that stand in the table beside them."""
    found: dict[int, set[int]] = {}
    for user_id, artist_id in db.session.execute(
        select(table.user_id, table.artist_id).where(table.user_id.in_(user_ids))
    ):
        if artist_id in known:
            found.setdefault(user_id, set()).add(artist_id)
    return found


def had_by_user(user_ids: Sequence[int], until: datetime) -> dict[int, Had]:
    """What the readers' last newsletters held, as far back as this one looks. One that never arrived is none."""
    found = (
        select(Delivery.user_id, Delivery.arguments)
        .where(Delivery.kind == NEWSLETTER, Delivery.user_id.in_(user_ids))
        .where(Delivery.state.in_((WAITING, SENDING, SENT)), Delivery.created_at > until - LOOKED_BACK * 2)
    )
    had: dict[int, Had] = {}
    for user_id, arguments in db.session.execute(found):
        if user_id is not None and "until" in arguments:
            last, before = datetime.fromisoformat(arguments["until"]), had.get(user_id)
            ids = frozenset(arguments["album_ids"]) | (before.album_ids if before else frozenset())
            had[user_id] = Had(max(last, before.until) if before else last, ids)
    return had
