"""Room: what is kept, by kind and by user, and what a walk through the store found."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from musicapp.accounts.models import User
from musicapp.catalog.models import Album, Original, Rendition, Track
from musicapp.core.db import db
from musicapp.core.storage import store
from musicapp.jobs.models import ENDED, SUCCEEDED, Job
from musicapp.uploads.models import RECEIVING, Upload

MEASURE = "measure_storage"
MOST_USERS = 50


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that the store stands on; `free_bytes` leaves out the reserve."""

    total_bytes: int
    free_bytes: int

    @property
    def used_bytes(self) -> int:
        return max(0, self.total_bytes - self.free_bytes)

    @property
    def is_low(self) -> bool:
        return self.free_bytes < self.total_bytes / 10


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows of: bytes and files."""

    originals: tuple[int, int]
    deleted_originals: tuple[int, int]
    """Of tracks and albums that were deleted: still restorable, gone within a month."""
    renditions: tuple[int, int]
    unfinished: tuple[int, int]
    """Uploads that are still coming in; the bytes that are here."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What the last walk found: folder of the store -> (bytes, files)."""

    at: datetime
    folders: dict[str, tuple[int, int]] = field(default_factory=dict)

    def unaccounted(self, known: Known) -> int:
        """Bytes of originals that no row speaks of: files on their way in, and orphans."""
        spoken_of = known.originals[0] + known.deleted_originals[0] + known.unfinished[0]
        return max(0, self.folders.get("originals", (0, 0))[0] - spoken_of)


@dataclass(frozen=True, slots=True)
class Keeper:
    """A user and what is kept for them; `quota_bytes` None: the site's own."""

    id: int
    username: str
    bytes: int
    files: int
    quota_bytes: int | None


@dataclass(frozen=True, slots=True)
class StoragePage:
    disk: Disk | None
    known: Known
    measured: Measured | None
    running: Job | None
    keepers: list[Keeper]


def disk() -> Disk | None:
    """None where the store can't be reached."""
    try:
        kept = store()
        free_bytes = kept.free_bytes()  # makes the folder where nothing was ever kept
        return Disk(shutil.disk_usage(kept.root).total, free_bytes)
    except OSError:
        return None


def storage_page() -> StoragePage:
    """Sums in the database; the files themselves are counted by a job, as there may be a million of them."""
    return StoragePage(disk(), known(), _measured(), running_walk(), _keepers())


def known() -> Known:
    is_there = (Track.deleted_at.is_(None), Album.deleted_at.is_(None))
    sums = (
        select(
            func.coalesce(func.sum(Original.size_bytes).filter(*is_there), 0),
            func.count().filter(*is_there),
            func.coalesce(func.sum(Original.size_bytes), 0),
            func.count(),
        )
        .select_from(Original)
        .join(Track, Track.id == Original.track_id)
        .join(Album, Album.id == Track.album_id)
    )
    there_bytes, there, all_bytes, all_ = db.session.execute(sums).one()
    renditions = db.session.execute(select(func.coalesce(func.sum(Rendition.size_bytes), 0), func.count())).one()
    coming = select(func.coalesce(func.sum(Upload.offset_bytes), 0), func.count()).where(Upload.state == RECEIVING)
    unfinished = db.session.execute(coming).one()
    return Known(
        originals=(int(there_bytes), there),
        deleted_originals=(int(all_bytes) - int(there_bytes), all_ - there),
        renditions=(int(renditions[0]), renditions[1]),
        unfinished=(int(unfinished[0]), unfinished[1]),
    )


def running_walk() -> Job | None:
    """A walk that waits or is under way."""
    return db.session.scalars(
        select(Job).where(Job.kind == MEASURE, Job.state.not_in(ENDED)).order_by(Job.id.desc()).limit(1)
    ).first()


def _measured() -> Measured | None:
    found = select(Job).where(Job.kind == MEASURE, Job.state == SUCCEEDED).order_by(Job.id.desc()).limit(1)
    job = db.session.scalars(found).first()
    if job is None or job.finished_at is None:
        return None
    folders = (job.result or {}).get("folders", {})
    return Measured(job.finished_at, {name: (size, files) for name, (size, files) in sorted(folders.items())})


def _keepers() -> list[Keeper]:
    total = func.sum(Original.size_bytes).label("total")
    found = (
        select(User.id, User.username, total, func.count(), User.quota_bytes)
        .join(Original, Original.owner_id == User.id)
        .group_by(User.id)
        .order_by(total.desc(), User.id)
        .limit(MOST_USERS)
    )
    return [Keeper(id, name, int(size), files, quota) for id, name, size, files, quota in db.session.execute(found)]
