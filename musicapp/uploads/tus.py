"""The tus 1.0 protocol: headers in, headers out. https://tus.io/protocols/resumable-upload"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC
from email.utils import format_datetime

from flask import Request, Response
from werkzeug.exceptions import BadRequest, PreconditionFailed, RequestEntityTooLarge, UnsupportedMediaType

from musicapp.uploads.models import RECEIVING, Upload

VERSION = "1.0.0"
EXTENSIONS = "creation,termination,expiration"
CONTENT_TYPE = "application/offset+octet-stream"
# Names and ids; whoever sends more wants something else.
METADATA_MAX_BYTES = 16 * 1024


def check_version(request: Request) -> None:
    """Raises PreconditionFailed (412) for another version than ours. OPTIONS asks without one."""
    if request.method != "OPTIONS" and request.headers.get("Tus-Resumable") != VERSION:
        raise PreconditionFailed(f"This server speaks tus {VERSION}: send the header Tus-Resumable: {VERSION}.")


def read_length(request: Request) -> int:
    """Upload-Length. Raises BadRequest for a missing one: lengths told later are not supported."""
    return _whole_number(request, "Upload-Length")


def read_offset(request: Request) -> int:
    """Upload-Offset of a PATCH. Raises UnsupportedMediaType for another body than bytes, BadRequest."""
    if request.mimetype != CONTENT_TYPE:
        raise UnsupportedMediaType(f"Send the bytes as Content-Type: {CONTENT_TYPE}.")
    return _whole_number(request, "Upload-Offset")


def _whole_number(request: Request, header: str) -> int:
    raw = request.headers.get(header, "")
    if not (raw.isascii() and raw.isdigit() and len(raw) <= 18):
        raise BadRequest(f"The header {header} is missing or no whole number.")
    return int(raw)


def read_metadata(header: str) -> dict[str, str]:
    """Upload-Metadata as words: `filename ZmlsZQ==,album_id Mw==`. Raises BadRequest for what is not that."""
    if len(header) > METADATA_MAX_BYTES:
        raise RequestEntityTooLarge("The header Upload-Metadata is too long.")
    words: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, encoded = pair.partition(" ")
        try:
            words[key] = base64.b64decode(encoded.strip(), validate=True).decode("utf-8", "replace")
        except binascii.Error:
            raise BadRequest(f"The value of {key!r} in Upload-Metadata is not Base64.") from None
    return words


def add_headers(response: Response) -> Response:
    """What every answer of this endpoint carries."""
    response.headers["Tus-Resumable"] = VERSION
    response.headers["Cache-Control"] = "no-store"
    if response.status_code == PreconditionFailed.code:
        response.headers["Tus-Version"] = VERSION
    return response


def describe_server(response: Response, max_bytes: int) -> Response:
    response.headers["Tus-Version"] = VERSION
    response.headers["Tus-Extension"] = EXTENSIONS
    response.headers["Tus-Max-Size"] = str(max_bytes)
    return response


def describe_upload(response: Response, upload: Upload, offset_bytes: int) -> Response:
    response.headers["Upload-Offset"] = str(offset_bytes)
    response.headers["Upload-Length"] = str(upload.size_bytes)
    if upload.metadata_header:
        response.headers["Upload-Metadata"] = upload.metadata_header
    if upload.state == RECEIVING:
        response.headers["Upload-Expires"] = format_datetime(upload.expires_at.astimezone(UTC), usegmt=True)
    return response
