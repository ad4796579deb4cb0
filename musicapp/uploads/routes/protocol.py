"""The tus protocol at /uploads/: resumable files. Who speaks it is signed in by the session cookie."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, abort, current_app, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from musicapp.accounts.identity import signed_in_id
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
from musicapp.uploads.limits import current_limits
from musicapp.uploads.models import CANCELLED, RECEIVING, Upload
from musicapp.uploads.routes.door import album_to_fill, long_body

protocol = Blueprint("tus", __name__, url_prefix="/uploads")


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
    album_id = album_to_fill(user_id, words.get("album_id", ""))
    announced = services.Announced(user_id, album_id, words.get("filename", ""), size_bytes, header)
    try:
        upload = services.open_upload(announced)
    except NoRoomError as error:
        raise InsufficientStorage(str(error)) from error
    except UploadRefusedError as error:
        abort(413, str(error))
    if size_bytes == 0:  # nothing will follow; the pipeline says what is wrong with an empty file
        store().path(upload.key).touch()
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
    kept = store()
    try:
        with long_body():
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


def _note_offset(upload: Upload, offset_bytes: int) -> None:
    if offset_bytes == upload.size_bytes:
        services.finish_upload(upload.id)
    else:
        services.record_offset(upload.id, offset_bytes)
    db.session.commit()
