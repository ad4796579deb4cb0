"""What members of an album do about its uploads: cancel, try again, take off the list."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, redirect
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import signed_in_id
from musicapp.catalog.queries import may_edit_album
from musicapp.core.db import db
from musicapp.core.pages import wants_fragment
from musicapp.jobs import services as jobs
from musicapp.jobs.models import ENDED
from musicapp.live import services as live
from musicapp.uploads import services
from musicapp.uploads.models import RECEIVING, Upload
from musicapp.uploads.routes.blueprint import blueprint
from musicapp.uploads.rows import album_uploads, current_job


@blueprint.app_context_processor
def list_for_templates() -> dict[str, Any]:
    """The catalog's studio page includes the list without knowing this room."""
    return {"uploads_of_album": album_uploads}


@blueprint.post("/studio/uploads/<int(max=2147483647):upload_id>/cancel")
def cancel(upload_id: int) -> BaseResponse:
    upload = _upload(upload_id)
    job = current_job(upload)
    if not services.cancel_upload(upload) and job is not None:
        jobs.cancel(job)
    return _done(upload.album_id)


@blueprint.post("/studio/uploads/<int(max=2147483647):upload_id>/retry")
def retry(upload_id: int) -> BaseResponse:
    upload = _upload(upload_id)
    job = current_job(upload)
    if job is not None:
        jobs.retry(job)
    return _done(upload.album_id)


@blueprint.post("/studio/uploads/<int(max=2147483647):upload_id>/dismiss")
def dismiss(upload_id: int) -> BaseResponse:
    upload = _upload(upload_id)
    job = current_job(upload)
    album_id = upload.album_id
    if upload.state != RECEIVING and (job is None or job.state in ENDED):
        services.dismiss_upload(upload)
    return _done(album_id)


def _upload(upload_id: int) -> Upload:
    upload = db.session.get(Upload, upload_id)
    if upload is None or not may_edit_album(signed_in_id(), upload.album_id):
        abort(404)
    return upload


def _done(album_id: int) -> BaseResponse:
    """htmx gets nothing: the change reaches the page live. A plain form goes back to the album."""
    live.note(f"studio-{album_id}", "uploads", album_id)
    db.session.commit()
    if wants_fragment():
        return Response(status=204)
    return redirect(f"/studio/albums/{album_id}", 303)
