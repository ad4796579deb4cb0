"""What the studio's album page sees of uploads, live. Who may hear `studio-<album>` is the catalog's word."""

from __future__ import annotations

from flask import render_template

from musicapp.core.db import db
from musicapp.live.frames import Partial
from musicapp.live.registry import fragment
from musicapp.uploads.models import Upload
from musicapp.uploads.rows import upload_row


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
