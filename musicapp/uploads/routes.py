"""Files come in: resumable by the tus protocol at /uploads/, or all at once from a plain form."""

from __future__ import annotations

import shutil
from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import signed_in_id
from musicapp.catalog.queries import may_edit_album
from musicapp.core.db import db, reading, utc_now
from musicapp.core.security import public
from musicapp.core.storage import store
from musicapp.live import services as live
from musicapp.uploads import incoming, queries, services, tus
from musicapp.uploads.errors import (
    NoRoomError,
    UploadBusyError,
    UploadGoneError,
    UploadOverflowError,
    UploadRefusedError,
    WrongOffsetError,
)
from musicapp.uploads.filenames import clean_filename
from musicapp.uploads.form_files import FormFile, read_form_files
from musicapp.uploads.limits import current_limits
from musicapp.uploads.models import CANCELLED, RECEIVING, Upload

blueprint = Blueprint("uploads", __name__, template_folder="templates")
protocol = Blueprint("tus", __name__, url_prefix="/uploads")

# Longer than a mobile network's lost packets, shorter than a person's patience: a client that went away without
# saying so holds its file until then.
SILENCE_SECONDS = 20.0


class InsufficientStorage(HTTPException):
    """507. werkzeug has none."""

    code = 507
    description = services.NO_DISK


protocol.before_request(lambda: tus.check_version(request))
protocol.after_request(tus.add_headers)


@protocol.route("/", methods=["OPTIONS"])
@protocol.route("/<token>", methods=["OPTIONS"])
@public
def describe(token: str = "") -> Response:
    return tus.describe_server(Response(status=204), current_limits().file_bytes)


@protocol.post("/", provide_automatic_options=False)
def create() -> Response:
    user_id = signed_in_id()
    size_bytes = tus.read_length(request)
    header = request.headers.get("Upload-Metadata", "")
    words = tus.read_metadata(header)
    album_id = _album_to_fill(user_id, words.get("album_id", ""))
    announced = services.Announced(user_id, album_id, words.get("filename", ""), size_bytes, header)
    try:
        upload = services.open_upload(announced)
    except NoRoomError as error:
        raise InsufficientStorage(str(error)) from error
    except UploadRefusedError as error:
        abort(413, str(error))
    if size_bytes == 0:  # nothing will follow; the pipeline says what is wrong with an empty file
        services.finish_upload(upload.id)
    response = tus.describe_upload(Response(status=201), upload, 0)
    response.headers["Location"] = _address(upload.token)
    db.session.commit()
    return response


@protocol.route("/<token>", methods=["HEAD"], provide_automatic_options=False)
def find_offset(token: str) -> Response:
    upload = _own_upload(token)
    offset_bytes = _offset_bytes(upload)
    if offset_bytes == upload.size_bytes and services.finish_upload(upload.id):
        db.session.commit()  # the server died between the last byte and its note
    return tus.describe_upload(Response(status=200), upload, offset_bytes)


@protocol.patch("/<token>", provide_automatic_options=False)
def receive(token: str) -> Response:
    offset_bytes = tus.read_offset(request)
    upload = _own_upload(token)
    if offset_bytes + (request.content_length or 0) > upload.size_bytes:
        abort(413, _("More bytes came than were announced."))
    if upload.state == RECEIVING:
        offset_bytes = _append_body(upload, offset_bytes)
        _note_offset(upload, offset_bytes)
    elif offset_bytes != upload.size_bytes:
        abort(409, _("This file is complete."))
    return tus.describe_upload(Response(status=204), upload, offset_bytes)


@protocol.delete("/<token>", provide_automatic_options=False)
def terminate(token: str) -> Response:
    upload = _own_upload(token)
    if services.cancel_upload(upload):
        live.note(f"studio-{upload.album_id}", "uploads", upload.album_id)
    db.session.commit()
    return Response(status=204)


@protocol.post("/<token>", provide_automatic_options=False)
def override_method(token: str) -> Response:
    """For clients in places where only GET and POST get through."""
    doors = {"PATCH": receive, "DELETE": terminate, "HEAD": find_offset}
    door = doors.get(request.headers.get("X-HTTP-Method-Override", ""))
    return door(token) if door else abort(405)


def _album_to_fill(user_id: int, raw_id: str) -> int:
    if not (raw_id.isascii() and raw_id.isdigit() and len(raw_id) < 10):
        abort(400, _("Upload-Metadata has no album_id."))
    with reading():
        if not may_edit_album(user_id, int(raw_id)):
            abort(404)
        db.session.rollback()
    return int(raw_id)


def _address(token: str) -> str:
    # Behind a proxy that ends TLS and is not trusted by a setting, request.scheme would be http, and refused.
    is_secure = request.is_secure or urlsplit(current_app.config["SITE_URL"]).scheme == "https"
    return url_for("uploads.tus.find_offset", token=token, _external=True, _scheme="https" if is_secure else "http")


def _own_upload(token: str) -> Upload:
    """The viewer's upload, without a transaction left open: bytes may come for hours."""
    with reading():
        upload = queries.upload_by_token(token, signed_in_id())
        if upload is None:
            abort(404, _("There is no such upload."))
        db.session.expunge(upload)
        db.session.rollback()
    if upload.state == CANCELLED or (upload.state == RECEIVING and upload.expires_at < utc_now()):
        abort(410, _("This upload was removed. Send the file again."))
    return upload


def _offset_bytes(upload: Upload) -> int:
    return incoming.size_on_disk(store().path(upload.key)) if upload.state == RECEIVING else upload.size_bytes


def _append_body(upload: Upload, offset_bytes: int) -> int:
    _limit_silence(SILENCE_SECONDS)
    kept = store()
    try:
        return incoming.append(
            kept.path(upload.key),
            request.stream,
            offset_bytes=offset_bytes,
            size_bytes=upload.size_bytes,
            free_bytes=kept.free_bytes,
        )
    except UploadBusyError:
        abort(423, _("Another request is sending this file right now."))
    except WrongOffsetError:
        abort(409, _("The file continues at another byte. Ask where with HEAD."))
    except UploadOverflowError:
        abort(413, _("More bytes came than were announced."))
    except UploadGoneError:
        abort(410, _("This upload was removed. Send the file again."))
    except NoRoomError as error:
        raise InsufficientStorage(str(error)) from error
    finally:
        _limit_silence(None)


def _note_offset(upload: Upload, offset_bytes: int) -> None:
    if offset_bytes == upload.size_bytes:
        services.finish_upload(upload.id)
    else:
        services.record_offset(upload.id, offset_bytes)
    db.session.commit()


def _limit_silence(seconds: float | None) -> None:
    """A client that lost its network says nothing, for ever; gunicorn would wait as long, and the file with it."""
    socket = request.environ.get("gunicorn.socket")
    if socket is not None:
        socket.settimeout(seconds)


@blueprint.post("/albums/<int:album_id>/uploads")
def receive_form(album_id: int) -> BaseResponse:
    """The form without scripts: every file in one request, then back to the album's studio page."""
    user_id = signed_in_id()
    _album_to_fill(user_id, str(album_id))
    with reading():
        max_bytes = min(current_limits().file_bytes, queries.kept_by(user_id).left_bytes)
        db.session.rollback()
    scratch = store().scratch_dir()
    _limit_silence(SILENCE_SECONDS)
    try:
        files = read_form_files(request, scratch, max_bytes=max_bytes, free_bytes=store().free_bytes)
        refusals = [refusal for file in files if (refusal := _accept(user_id, album_id, file))]
        db.session.commit()
    finally:
        _limit_silence(None)
        shutil.rmtree(scratch, ignore_errors=True)
    _say_what_came(files, refusals)
    return redirect(f"/studio/albums/{album_id}", 303)


def _accept(user_id: int, album_id: int, file: FormFile) -> str | None:
    """Takes one file of the form; the reason in words where it is refused."""
    refusal = file.refusal
    if refusal is None:
        try:
            services.accept_upload(user_id=user_id, album_id=album_id, filename=file.filename, file=file.path)
        except UploadRefusedError as error:
            refusal = str(error)
    return f"{clean_filename(file.filename)}: {refusal}" if refusal else None


def _say_what_came(files: list[FormFile], refusals: list[str]) -> None:
    for refusal in refusals:
        flash(refusal, "error")
    if not files:
        flash(_("Choose at least one audio file first."), "error")
    elif len(refusals) < len(files):
        flash(_("Your files are here. They play as soon as they have been looked at."), "success")


blueprint.register_blueprint(protocol)
