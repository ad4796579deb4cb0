"""What operators decided: albums that they took down or gave back, reports that they answered."""

from __future__ import annotations

from musicapp.accounts.queries import user_by_id
from musicapp.catalog.models import Album
from musicapp.core.db import db
from musicapp.notifications.letters.writing import Letter, Occasion, site_url, write
from musicapp.notifications.notices.words import decided_line, moderated_line


def album_moderated(occasion: Occasion) -> Letter | None:
    """Subject: the album. Arguments: is_down, reason, and count where others of the artist went with it.

    None when it was decided otherwise meanwhile.
    """
    user = user_by_id(occasion.user_id)
    album = db.session.get(Album, occasion.subject_id)
    is_down = bool(occasion.arguments["is_down"])
    if user is None or album is None or album.deleted_at is not None:
        return None
    if is_down != (album.taken_down_at is not None):
        return None
    count = int(occasion.arguments.get("count", 1))
    return write(
        occasion,
        user,
        title=album.title,
        artist_name=album.artist.name,
        count=count,
        is_down=is_down,
        reason=occasion.arguments["reason"],
        line=moderated_line(count, occasion.arguments["reason"], is_down=is_down),
        link=site_url(f"/studio/albums/{album.id}" if count == 1 else "/studio/"),
    )


def report_decided(occasion: Occasion) -> Letter | None:
    """Arguments: state (dismissed or acted), about, url, words. What was reported may be gone by now."""
    user = user_by_id(occasion.user_id)
    if user is None:
        return None
    state = occasion.arguments["state"]
    return write(
        occasion,
        user,
        about=occasion.arguments["about"],
        line=decided_line(state),
        words=occasion.arguments["words"],
        link="" if state == "acted" else site_url(occasion.arguments["url"] or "/"),
    )
