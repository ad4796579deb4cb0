"""What people who make music hear of: their albums, their uploads, silence, figures."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

from sqlalchemy import select

from musicapp.accounts.queries import user_by_id
from musicapp.catalog.models import Album, Artist
from musicapp.core.db import db
from musicapp.notifications.letters.music import COVER_PX, card_of
from musicapp.notifications.letters.writing import Letter, Occasion, cover_of, site_url, write
from musicapp.notifications.silence import last_sign_of
from musicapp.stats import queries as stats
from musicapp.uploads.models import FAILED, Upload

MOST_FILES = 10
"""Names of files that a mail about uploads lists."""


def album_created(occasion: Occasion) -> Letter | None:
    """Subject: the album, a draft or published by now."""
    user = user_by_id(occasion.user_id)
    album = db.session.get(Album, occasion.subject_id)
    if user is None or album is None or album.deleted_at is not None:
        return None
    return write(
        occasion,
        user,
        title=album.title,
        artist_name=album.artist.name,
        is_published=album.is_published,
        # Nobody's mail program may fetch the cover of a draft.
        cover=cover_of(album.title, None),
        link=site_url(f"/albums/{album.id}"),
    )


def album_published(occasion: Occasion) -> Letter | None:
    """Subject: the album."""
    user = user_by_id(occasion.user_id)
    card = card_of(occasion.subject_id)
    if user is None or card is None or card.published_at is None:
        return None
    return write(
        occasion,
        user,
        title=card.title,
        artist_name=card.artists,
        cover=cover_of(card.title, card.picture, COVER_PX),
        link=site_url(card.url),
        announce_link=site_url(f"/studio/announcements/new?artist={card.artist_id}"),
    )


def uploads_ended(occasion: Occasion) -> Letter | None:
    """Subject: the album. Arguments: ready and failed, how many files of one sitting became that; upload_ids."""
    user = user_by_id(occasion.user_id)
    album = db.session.get(Album, occasion.subject_id)
    ready, failed = int(occasion.arguments.get("ready", 0)), int(occasion.arguments.get("failed", 0))
    count = failed if occasion.kind == "upload_failed" else ready
    if user is None or album is None or album.deleted_at is not None or not count:
        return None
    files = _failed_files(occasion.arguments.get("upload_ids", ())) if occasion.kind == "upload_failed" else []
    return write(
        occasion,
        user,
        title=album.title,
        cover=cover_of(album.title, None),
        is_published=album.is_published,
        count=count,
        ready_count=ready,
        files=files,
        more_count=max(0, count - len(files)) if files else 0,
        link=site_url(f"/studio/albums/{album.id}"),
    )


def _failed_files(upload_ids: Sequence[int]) -> list[tuple[str, str]]:
    """(name, reason) of failed files, as many as a mail lists, without those that were put right meanwhile."""
    found = (
        select(Upload.filename, Upload.error)
        .where(Upload.id.in_(upload_ids), Upload.state == FAILED)
        .order_by(Upload.id)
        .limit(MOST_FILES)
    )
    return [(row.filename, row.error or "") for row in db.session.execute(found)]


def artist_inactive(occasion: Occasion) -> Letter | None:
    """Subject: the artist. None when an album came meanwhile, or the reader has left."""
    user = user_by_id(occasion.user_id)
    artist = db.session.get(Artist, occasion.subject_id)
    if user is None or artist is None or artist.deleted_at is not None:
        return None
    last = last_sign_of(artist.id)
    if last is None or last.is_recent:
        return None
    return write(
        occasion,
        user,
        artist_name=artist.name,
        days=last.days_ago,
        title=last.album_title,
        link=site_url("/studio/"),
    )


def artist_figures(occasion: Occasion) -> Letter | None:
    """Arguments: artist_ids, first_day (ISO) of the seven. None when all figures are nought in both weeks."""
    user = user_by_id(occasion.user_id)
    if user is None:
        return None
    first_day = date.fromisoformat(occasion.arguments["first_day"])
    weeks = [week for week in stats.weeks_of_artists(occasion.arguments["artist_ids"], first_day) if not week.is_silent]
    if not weeks:
        return None
    return write(
        occasion,
        user,
        weeks=weeks,
        from_day=first_day,
        to_day=first_day + timedelta(days=6),
        link=site_url("/studio/"),
    )
