"""What the studio's album page sees of uploads, live. Who may hear `studio-<album>` is the catalog's word."""

from __future__ import annotations

from flask import render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from musicapp.catalog.models import Track
from musicapp.core.db import db
from musicapp.jobs import presenting
from musicapp.jobs.queries import JobView
from musicapp.live.frames import Partial
from musicapp.live.registry import fragment
from musicapp.uploads.models import Upload
from musicapp.uploads.rows import upload_row

presenting.call(probe_upload=_l("Look into a file"), encode_track=_l("Encode a track"))


@presenting.presents("probe_upload")
def probe_job_in_words(job: JobView) -> presenting.Shown:
    upload = db.session.get(Upload, job.subject_id or 0)
    if upload is None:
        return presenting.Shown(presenting.words_of(job.kind))
    return presenting.Shown(upload.filename, f"/studio/albums/{upload.album_id}", _("Open the album"))


@presenting.presents("encode_track")
def encode_job_in_words(job: JobView) -> presenting.Shown:
    track = db.session.get(Track, job.subject_id or 0)
    if track is None or track.deleted_at is not None:
        return presenting.Shown(presenting.words_of(job.kind))
    title = _("Encode “%(title)s”", title=track.title)
    return presenting.Shown(title, f"/studio/albums/{track.album_id}", _("Open the album"))


@fragment("upload", topic="studio")
def render_upload(upload_id: int) -> str | Partial:
    upload = db.session.get(Upload, upload_id)
    row = upload_row(upload) if upload else None
    if row is None:
        return Partial.remove(f"upload-{upload_id}")
    return render_template("uploads/_upload_row.html", row=row)


@fragment("uploads", topic="studio")
def render_uploads(album_id: int) -> Partial:
    """The whole list: rows come and go, and with each the others' places in the queue."""
    return Partial("#uploads", render_template("uploads/_upload_list.html", album_id=album_id))
