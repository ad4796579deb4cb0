"""Work of the catalog: pictures become artwork in several sizes or are refused in words; what was deleted ends."""

from __future__ import annotations

import shutil
from typing import Any

from flask_babel import lazy_gettext as _l

from musicapp.audio.artwork import make_artwork
from musicapp.audio.errors import ArtworkError
from musicapp.catalog import queries, services
from musicapp.core.db import db
from musicapp.core.storage import store
from musicapp.jobs.context import JobContext
from musicapp.jobs.periodic import periodic
from musicapp.jobs.registry import JobFailedError, RetryLater, job_kind


@job_kind("make_album_cover")
def make_album_cover(job: JobContext) -> dict[str, Any] | None:
    """Arguments: key of the picture, only_if_none. Result: artwork_id, or nothing where the album keeps its cover."""
    if drawn := drawn_before(job):
        return drawn
    only_if_none = bool(job.arguments.get("only_if_none"))
    album = queries.album_by_id(job.subject_id)
    is_unwanted = album is None or (only_if_none and album.cover_id is not None)
    db.session.rollback()  # no transaction stays open while the picture is drawn
    if is_unwanted:
        store().delete(job.arguments["key"])
        return None
    artwork_id = draw_artwork(job)
    if not services.set_album_cover(job.subject_id, artwork_id, only_if_none=only_if_none):
        db.session.rollback()
        return None
    db.session.commit()
    return {"artwork_id": artwork_id}


@job_kind("make_artist_picture")
def make_artist_picture(job: JobContext) -> dict[str, Any] | None:
    """Arguments: key of the picture. Result: artwork_id."""
    if drawn := drawn_before(job):
        return drawn
    artwork_id = draw_artwork(job)
    services.set_artist_picture(job.subject_id, artwork_id)
    db.session.commit()
    return {"artwork_id": artwork_id}


def drawn_before(job: JobContext) -> dict[str, Any] | None:
    """The result, where a worker died after the picture was shown and before it could say so."""
    return {"artwork_id": job.arguments["artwork_id"]} if "artwork_id" in job.arguments else None


def draw_artwork(job: JobContext) -> int:
    """Draws the sizes, moves them into the store and adds the row, uncommitted. Refused pictures are deleted.

    That it is drawn stands in the job from the same commit on: two rows would share the original, and the unused one
    takes it along when it goes.
    """
    original_key: str = job.arguments["key"]
    source = store().path(original_key)
    if not source.exists():
        raise JobFailedError("The picture is gone. Choose it again.")
    job.step("Drawing the picture in all sizes")
    scratch = store().scratch_dir()
    try:
        made = make_artwork(source, scratch)
        key = store().new_key("artworks")
        for image in made.images:
            # A rename: scratch is on the store's own file system.
            image.path.replace(store().path(f"{key}-{image.size}{image.path.suffix}"))
    except ArtworkError as error:
        if error.reason == "disk_full":
            raise RetryLater(60, str(error)) from error
        store().delete(original_key)
        raise JobFailedError(str(error)) from error
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    artwork_id = services.add_artwork(
        key=key,
        original_key=original_key,
        sha256=made.sha256,
        width=made.width,
        height=made.height,
        sizes=sorted({image.size for image in made.images}),
        color=made.color,
    )
    job.remember(artwork_id=artwork_id)
    return artwork_id


@periodic("catalog.delete_drafts_of_nobody", words=_l("Deletes drafts that nobody can open any more"))
def delete_drafts_of_nobody() -> dict[str, int]:
    """Daily: drafts of artists without members, such as deleted users leave behind."""
    drafts = 0
    while deleted := services.delete_drafts_of_nobody():
        db.session.commit()
        drafts += deleted
    db.session.rollback()
    return {"drafts": drafts}


@periodic("catalog.purge", words=_l("Ends what was deleted a month ago, and pictures that nothing shows"))
def purge() -> dict[str, int]:
    """Daily: removes what was deleted a month ago, and the files of pictures that nothing shows."""
    rows = pictures = 0
    while removed := services.purge_deleted():
        db.session.commit()
        rows += removed
    while keys := services.forget_unused_artwork():
        db.session.commit()
        pictures += len(keys)
        for key in keys:
            path = store().path(key)
            for file in (path, *path.parent.glob(f"{path.name}-*")):
                file.unlink(missing_ok=True)
    db.session.rollback()
    return {"rows": rows, "pictures": pictures}
