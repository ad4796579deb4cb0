"""Background work of playlists: covers, digests, closed accounts, the end of what is old."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from musicapp.catalog.tasks import draw_artwork, drawn_before
from musicapp.core.db import db, reading
from musicapp.jobs.context import JobContext
from musicapp.jobs.periodic import periodic
from musicapp.jobs.registry import JobFailedError, job_kind
from musicapp.playlists import services
from musicapp.playlists.errors import PlaylistError
from musicapp.playlists.services import purge as old


@job_kind("make_playlist_cover")
def make_playlist_cover(job: JobContext) -> dict[str, Any]:
    """Arguments: key of the picture. Result: artwork_id. The owner of the job is who chose the picture."""
    if drawn := drawn_before(job):
        return drawn
    artwork_id = draw_artwork(job)
    try:
        services.set_cover(job.subject_id, job.owner_id or 0, artwork_id)
    except PlaylistError as error:
        db.session.rollback()
        raise JobFailedError(str(error)) from error
    db.session.commit()
    return {"artwork_id": artwork_id}


@job_kind("forget_playlist_user")
def forget_playlist_user(job: JobContext) -> None:
    """Takes a closed account out of all playlists."""
    services.forget_user(job.subject_id)
    db.session.commit()


@job_kind("playlist_digest")
def playlist_digest(job: JobContext) -> dict[str, Any] | None:
    """Arguments: user_id, from_version, to_version. Ends with PlaylistDigestDue, where there is something to tell."""
    told = services.tell_digest(
        job.subject_id, job.arguments["user_id"], job.arguments["from_version"], job.arguments["to_version"]
    )
    db.session.commit()
    return {"changes_by": len(told.parts)} if told else None


@periodic("playlists.purge", words=_l("Ends deleted playlists, old changes and old invitations, corrects totals"))
def purge() -> dict[str, int]:
    """Daily: removes deleted playlists, old changes and invitations, and corrects totals. A short write at a time."""
    removed = changes = totals = 0
    while count := old.purge_deleted():
        db.session.commit()
        removed += count
    with reading():
        db.session.rollback()
        with_old = old.playlists_with_old_changes()
        db.session.rollback()
    for playlist_id in with_old:
        try:
            changes += old.purge_history(playlist_id)
        except PlaylistError:  # purged meanwhile by another worker
            db.session.rollback()
        db.session.commit()
    invitations = old.purge_invitations()
    db.session.commit()
    last_id = 0
    while True:
        with reading():
            last_id, wrong = old.wrong_totals(last_id)
            db.session.rollback()
        for playlist_id, stored_ms, true_ms in wrong:
            old.correct_total(playlist_id, stored_ms, true_ms)
        db.session.commit()
        totals += len(wrong)
        if not last_id:
            break
    return {"playlists": removed, "changes": changes, "invitations": invitations, "totals": totals}
