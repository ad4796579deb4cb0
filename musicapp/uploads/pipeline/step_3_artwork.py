"""Step 3: a cover found inside the file becomes the album's, where the album has none yet."""

from __future__ import annotations

import io

from sqlalchemy import exists, select

from musicapp.audio.facts import EmbeddedCover
from musicapp.catalog import services as catalog
from musicapp.catalog.models import Album
from musicapp.core.db import db, reading
from musicapp.core.storage import DiskFullError
from musicapp.jobs.models import QUEUED, RUNNING, Job
from musicapp.jobs.registry import RetryLater
from musicapp.uploads.pipeline.step_2_encode import DISK_FULL_RETRY_S, Source


def offer_cover(source: Source, cover: EmbeddedCover | None) -> bool:
    """Gives the picture to the job that checks and resizes it; True if wanted. A bad one fails there alone."""
    if cover is None or not _is_wanted(source.album_id):
        return False
    try:
        key = catalog.keep_picture(io.BytesIO(cover.content), "")
    except DiskFullError as error:
        raise RetryLater(DISK_FULL_RETRY_S, str(error)) from error
    try:
        catalog.ask_for_album_cover(source.album_id, key, owner_id=source.owner_id, only_if_none=True)
        db.session.commit()
    except BaseException:
        db.session.rollback()
        catalog.forget_picture(key)
        raise
    return True


def _is_wanted(album_id: int) -> bool:
    """Every track of an album carries the same picture: the first one that is looked at will do."""
    under_way = exists().where(
        Job.kind == "make_album_cover", Job.subject_id == album_id, Job.state.in_((QUEUED, RUNNING))
    )
    with reading():
        wanted = db.session.scalar(select(Album.id).where(Album.id == album_id, Album.cover_id.is_(None), ~under_way))
        db.session.rollback()
    return wanted is not None
