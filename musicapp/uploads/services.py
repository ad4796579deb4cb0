"""Writes of uploads. Nothing here commits; who calls does, once, as its last step."""

from __future__ import annotations

import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select, update

from musicapp.accounts.models import User
from musicapp.core.db import db, utc_now
from musicapp.core.effects import after_commit
from musicapp.core.events import publish
from musicapp.core.pages import size_words
from musicapp.core.storage import store
from musicapp.uploads.errors import NoRoomError, UploadRefusedError
from musicapp.uploads.events import UploadReceived
from musicapp.uploads.filenames import clean_filename
from musicapp.uploads.limits import current_limits
from musicapp.uploads.models import CANCELLED, FAILED, PROBED, READY, RECEIVED, RECEIVING, Upload
from musicapp.uploads.queries import kept_by

NO_DISK = "The server's disk has no room for this file. Try again later, or tell the operator."


@dataclass(frozen=True, slots=True)
class Announced:
    """A file that a client is about to send."""

    user_id: int
    album_id: int
    filename: str
    size_bytes: int
    metadata_header: str = ""


def open_upload(announced: Announced, *, is_on_disk: bool = False) -> Upload:
    """Makes the row that bytes can be sent to. Raises UploadRefusedError or NoRoomError in words.

    The whole size counts against the sender's quota from now on, so that two files at once can't pass it together.
    """
    check_room(announced.user_id, announced.size_bytes)
    if not is_on_disk and announced.size_bytes > store().free_bytes():
        raise NoRoomError(NO_DISK)
    upload = Upload(
        token=secrets.token_urlsafe(32),
        user_id=announced.user_id,
        album_id=announced.album_id,
        filename=clean_filename(announced.filename),
        size_bytes=announced.size_bytes,
        key=store().new_key("originals"),
        metadata_header=announced.metadata_header,
        state=RECEIVING,
        expires_at=utc_now() + current_limits().unfinished_for,
    )
    db.session.add(upload)
    db.session.flush()
    return upload


def check_room(user_id: int, size_bytes: int) -> None:
    """Raises UploadRefusedError where the file is too large or the user's quota is used up."""
    # Two files at once read the sums one after the other. SQLite has one writer anyway.
    db.session.execute(select(User.id).where(User.id == user_id).with_for_update())
    limits = current_limits()
    if size_bytes > limits.file_bytes:
        raise UploadRefusedError(
            f"The file has {size_words(size_bytes)}; this site takes at most {size_words(limits.file_bytes)}. "
            "Export it as FLAC, or in parts."
        )
    kept = kept_by(user_id)
    if size_bytes > kept.left_bytes:
        raise UploadRefusedError(
            f"The file has {size_words(size_bytes)} and you have {size_words(kept.left_bytes)} left of "
            f"{size_words(kept.quota_bytes)}. Delete tracks you no longer need, or ask the operator for more room."
        )
    check_hours(user_id, 0)


def check_hours(user_id: int, duration_ms: int, *, track_id: int | None = None) -> None:
    """Raises UploadRefusedError where so much more music would be more hours than the user may keep."""
    kept = kept_by(user_id, without_track_id=track_id)
    if duration_ms > kept.left_ms or kept.left_ms == 0:
        raise UploadRefusedError(kept.hours_words)


def record_offset(upload_id: int, offset_bytes: int) -> None:
    """Notes how far an upload is, for lists; the file itself is the truth."""
    db.session.execute(
        update(Upload)
        .where(Upload.id == upload_id, Upload.state == RECEIVING)
        # Whoever keeps sending is not cut off midway.
        .values(offset_bytes=offset_bytes, expires_at=utc_now() + current_limits().unfinished_for)
    )


def finish_upload(upload_id: int) -> bool:
    """Every byte is on disk: the file goes to work. False when it went there before, or was cancelled.

    The first statement writes, so this is safe even in a request that only reads otherwise.
    """
    row = db.session.execute(
        update(Upload)
        .where(Upload.id == upload_id, Upload.state == RECEIVING)
        .values(state=RECEIVED, offset_bytes=Upload.size_bytes, received_at=utc_now())
        .returning(Upload.user_id, Upload.album_id)
    ).one_or_none()
    if row is None:
        return False
    publish(UploadReceived(upload_id, user_id=row.user_id, album_id=row.album_id))
    return True


def accept_upload(*, user_id: int, album_id: int, filename: str, file: Path) -> int:
    """Takes a whole file that lies on the store's disk, such as a plain form's, and returns the upload's id.

    The file is moved into the store. Raises UploadRefusedError or NoRoomError, and then it stays where it was.
    """
    upload = open_upload(Announced(user_id, album_id, filename, file.stat().st_size), is_on_disk=True)
    shutil.move(file, store().path(upload.key))
    finish_upload(upload.id)
    return upload.id


def cancel_upload(upload: Upload) -> bool:
    """Ends an upload whose bytes are still coming; what came is removed after the commit. False if it is past that."""
    changed = db.session.execute(
        update(Upload)
        .where(Upload.id == upload.id, Upload.state == RECEIVING)
        .values(state=CANCELLED, finished_at=utc_now())
    )
    if changed.rowcount != 1:  # type: ignore[attr-defined]
        return False
    remove_file_after_commit(upload.key)
    return True


def expire_upload(upload_id: int) -> int:
    """Gives up an unfinished upload: bytes removed, reason kept for its row. Returns its album's id."""
    upload = db.session.get_one(Upload, upload_id)
    if cancel_upload(upload):
        upload.error = "It was not finished in time and was removed. Send the file again."
    return upload.album_id


def fail_upload(upload: Upload, words: str) -> None:
    """Refuses a file that came in whole: its bytes are removed after the commit, the reason stays."""
    upload.state = FAILED
    upload.error = words
    upload.finished_at = utc_now()
    remove_file_after_commit(upload.key)


def mark_probed(upload: Upload, track_id: int) -> None:
    """The track exists and the original belongs to it from now on."""
    upload.state = PROBED
    upload.track_id = track_id


def mark_ready(upload: Upload, words: str | None) -> None:
    """Everything is made. `words` say what could not be made of it, if anything."""
    upload.state = READY
    upload.error = words
    upload.finished_at = utc_now()


def remove_file_after_commit(key: str) -> None:
    """The file goes only if the row that says so is stored; a crash in between leaves it to the sweep."""
    kept = store()
    after_commit(lambda: kept.delete(key))


def dismiss_upload(upload: Upload) -> None:
    """Takes an upload off its page's list. A file that never became a track goes with it, after the commit."""
    if upload.track_id is None:
        remove_file_after_commit(upload.key)
    db.session.delete(upload)
