"""What crashes and people who walk away leave behind, found from time to time. Everything here commits by itself."""

from __future__ import annotations

import logging
import re
import shutil
import time
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from sqlalchemy import select

from musicapp.accounts.models import User
from musicapp.catalog.models import Artwork, Original, Rendition, Track
from musicapp.core.db import db, reading, utc_now
from musicapp.core.storage import store
from musicapp.jobs.models import Job
from musicapp.live import services as live
from musicapp.uploads import queries, services
from musicapp.uploads.incoming import size_on_disk
from musicapp.uploads.limits import current_limits
from musicapp.uploads.models import Upload

log = logging.getLogger(__name__)

# Younger files may be on their way between the disk and the commit, and an encoding may take hours.
LEFT_BEHIND_AFTER_S = 24 * 3600
BATCH = 500
KINDS_OF_FILES = ("originals", "renditions", "pictures", "artworks", "avatar-sources", "avatars")
"""Top folders of the store. The sizes of a picture share one key: `artworks/ab/<uuid>` has `…-320.webp` and more."""
_SIZE = re.compile(r"-\d+\.\w+$")


def remove_expired() -> int:
    """Gives up uploads that nobody continued in time, bytes and all; returns how many."""
    with reading():
        expired = queries.expired_upload_ids(utc_now())
        db.session.rollback()
    for upload_id in expired:
        album_id = services.expire_upload(upload_id)
        live.note(f"studio-{album_id}", "uploads", album_id)
        db.session.commit()
    return len(expired)


def remove_abandoned() -> int:
    """Removes files that nobody wanted looked at again after a cancelled or failed probe; returns how many."""
    abandoned = queries.abandoned_uploads(utc_now() - current_limits().unfinished_for)
    for upload in abandoned:
        services.fail_upload(upload, "It was never tried again and was removed. Send the file again.")
        live.note(f"studio-{upload.album_id}", "uploads", upload.album_id)
    db.session.commit()
    return len(abandoned)


def finish_complete() -> int:
    """Sends uploads to work whose last byte came just before the server died; returns how many."""
    with reading():
        waiting = [(upload.id, upload.key, upload.size_bytes) for upload in queries.receiving_uploads()]
        db.session.rollback()
    finished = 0
    for upload_id, key, size_bytes in waiting:
        if size_on_disk(store().path(key)) == size_bytes:
            finished += services.finish_upload(upload_id)
            db.session.commit()
    return finished


def remove_scratch_folders() -> int:
    """Removes scratch folders in which nothing has changed for a day; returns how many."""
    folders = [folder for folder in (store().root / "scratch").glob("*") if _is_left_behind(folder)]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return len(folders)


def remove_orphans() -> int:
    """Removes files older than a day that no row names; returns how many."""
    removed = 0
    files = (path for kind in KINDS_OF_FILES for path in (store().root / kind).rglob("*"))
    old = (path for path in files if path.is_file() and _is_left_behind(path))
    while batch := {path: _key_of(path) for path in islice(old, BATCH)}:
        with reading():
            named = set(_named(set(batch.values())))
            db.session.rollback()
        for path, key in batch.items():
            if key not in named:
                log.info("removing %s: no row names it", path)
                path.unlink(missing_ok=True)
                removed += 1
    return removed


def _key_of(path: Path) -> str:
    key = str(path.relative_to(store().root))
    return _SIZE.sub("", key) if key.startswith(("artworks/", "avatars/")) else key


def _named(keys: Collection[str]) -> Iterator[str]:
    """Those of the keys that something still needs."""
    columns = (
        Upload.key,
        Original.key,
        Artwork.key,
        Artwork.original_key,
        Rendition.key,
        Track.waveform_key,
        Track.preview_key,
        User.avatar_key,
        # Pictures wait for their job under the key that it carries; a failed one may be tried again.
        Job.arguments["key"].as_string(),
        Job.arguments["source_key"].as_string(),
    )
    for column in columns:
        yield from filter(None, db.session.scalars(select(column).where(column.in_(keys))))


def _is_left_behind(path: Path) -> bool:
    try:
        return time.time() - path.stat().st_mtime > LEFT_BEHIND_AFTER_S
    except FileNotFoundError:
        return False
