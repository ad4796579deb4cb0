"""Step 3: a cover found inside the file becomes the album's, where the album has none yet."""

from __future__ import annotations

from sqlalchemy import exists, select

from musicapp.audio.facts import EmbeddedCover
from musicapp.catalog import services as catalog
from musicapp.catalog.models import Album
from musicapp.core.db import db, reading
from musicapp.core.storage import store
from musicapp.jobs.models import QUEUED, RUNNING, Job
from musicapp.uploads.pipeline.step_2_encode import Source


def offer_cover(source: Source, cover: EmbeddedCover | None) -> bool:
    """Gives the picture to the job that checks and resizes it; True if wanted. A bad one fails there alone."""
    if cover is None or not _is_wanted(source.album_id):
        return False
    kept = store()
    key = kept.new_key("originals")
    try:
        kept.path(key).write_bytes(cover.content)
        catalog.ask_for_album_cover(source.album_id, key, owner_id=source.owner_id, only_if_none=True)
        db.session.commit()
    except BaseException:
        db.session.rollback()
        kept.delete(key)
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
