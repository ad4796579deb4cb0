"""What both ways in ask before they take bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from flask import abort, request
from flask_babel import gettext as _

from musicapp.catalog.queries import may_edit_album
from musicapp.core.db import db, reading

# Longer than a mobile network's lost packets, shorter than a person's patience: a client that went away without
# saying so holds its file until then.
SILENCE_SECONDS = 20.0


def album_to_fill(user_id: int, raw_id: str) -> int:
    """The id of an album that this user may add to. Ends the request with 400 or 404; leaves no transaction open."""
    if not (raw_id.isascii() and raw_id.isdigit() and len(raw_id) < 10):
        abort(400, _("Upload-Metadata has no album_id."))
    with reading():
        if not may_edit_album(user_id, int(raw_id)):
            abort(404)
        db.session.rollback()
    return int(raw_id)


@contextmanager
def long_body() -> Iterator[None]:
    """While a body of any length is read: what is too much is said file by file, by quota and disk.

    A client that lost its network says nothing, for ever; gunicorn would wait as long, and the file with it.
    """
    request.max_content_length = sys.maxsize
    socket = request.environ.get("gunicorn.socket")
    if socket is None:
        yield
        return
    socket.settimeout(SILENCE_SECONDS)
    try:
        yield
    finally:
        socket.settimeout(None)
