"""Jobs of this room: pictures are made and removed outside requests."""

from __future__ import annotations

from flask import current_app
from flask_babel import lazy_gettext as _l

from musicapp.accounts import queries, services
from musicapp.accounts.avatars import delete_avatar, make_avatar
from musicapp.audio.errors import ArtworkError
from musicapp.core.db import db, utc_now
from musicapp.core.storage import store
from musicapp.jobs.context import JobContext
from musicapp.jobs.periodic import periodic
from musicapp.jobs.registry import JobFailedError, RetryLater, job_kind


@job_kind("resize_avatar", queue="default")
def resize_avatar(job: JobContext) -> None:
    """Makes the sizes of an uploaded picture and shows it. Run twice, it finds the upload gone and does nothing."""
    source = store().path(job.arguments["source_key"])
    if "avatar_key" in job.arguments:  # a worker died after it was shown
        source.unlink(missing_ok=True)
        return
    if not source.exists():
        return
    try:
        avatar_key = make_avatar(source)
    except ArtworkError as error:
        if error.reason == "disk_full":
            raise RetryLater(60, str(error)) from error
        source.unlink(missing_ok=True)
        raise JobFailedError(str(error)) from error
    if queries.user_by_id(job.subject_id) is None:
        db.session.rollback()
        delete_avatar(avatar_key)
    else:
        services.set_avatar(job.subject_id, avatar_key)
        job.remember(avatar_key=avatar_key)
        db.session.commit()
    source.unlink(missing_ok=True)


@job_kind("delete_avatar", queue="default")
def delete_avatar_files(job: JobContext) -> None:
    """Removes the files of a picture that nobody shows any more."""
    delete_avatar(job.arguments["avatar_key"])


@periodic("accounts.purge_sessions", words=_l("Forgets devices that are signed out or can't come back"))
def purge_sessions() -> int:
    """Daily: forgets the rows of devices that are signed out, or can't come back."""
    removed = services.purge_sessions(unseen_since=utc_now() - current_app.permanent_session_lifetime)
    db.session.commit()
    return removed


@periodic("accounts.purge_invitations", words=_l("Forgets invitations that were used or ran out"))
def purge_invitations() -> dict[str, int]:
    """Daily. Links in mails are signed and leave no rows."""
    removed = services.purge_invitations()
    db.session.commit()
    return {"invitations": removed}
