"""A stored file as an HTTP answer: by nginx where there is one, else in pieces that let everybody else have a turn."""

from __future__ import annotations

import hashlib
import os
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from io import FileIO
from pathlib import Path
from urllib.parse import quote

from flask import Response, current_app, request
from werkzeug.http import parse_etags, unquote_etag

from musicapp.core.storage import store
from musicapp.playback.ranges import answer, last_modified

PIECE_BYTES = 256 * 1024
"""Read and sent between two turns of the other greenlets: about 0.1 ms from the page cache."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of the store and how browsers are to take it."""

    key: str
    mime: str
    made_at: datetime
    name: str
    """What it is called when saved, with its suffix."""
    cache_control: str
    is_as_uploaded: bool = False
    """A stranger made these bytes: never a page, whatever a browser thinks of them."""


class Pieces:
    """The bytes of `file` from `start` to `stop`; a WSGI server iterates, then closes it.

    Holds nothing but the open file: no database session, no request.
    """

    def __init__(self, file: FileIO, start: int, stop: int) -> None:
        self._file = file
        self._start = start
        self._stop = stop

    def __iter__(self) -> Iterator[bytes]:
        descriptor = self._file.fileno()
        position = self._start
        try:
            while position < self._stop:
                piece = os.pread(descriptor, min(PIECE_BYTES, self._stop - position), position)
                if not piece:
                    # Cut by somebody behind our back: ending early makes the server drop the connection.
                    raise OSError(f"the stored file ends at byte {position}, before {self._stop}")
                position += len(piece)
                yield piece
                # Under gevent this lets the others run. A socket with room never blocks, so without it the next
                # piece, and the next request of the same connection, go out while everybody else waits.
                time.sleep(0)
        finally:
            self._file.close()

    def close(self) -> None:
        self._file.close()


@lru_cache(maxsize=4096)
def etag_of(key: str) -> str:
    """Strong: a key's bytes never change. Hashed, because keys are nobody's business."""
    return hashlib.blake2s(key.encode(), digest_size=12).hexdigest()


def _nginx_etag_of(path: Path) -> str:
    found = path.stat()
    return f"{int(found.st_mtime):x}-{found.st_size:x}"


def is_named_by_request(key: str) -> bool:
    """True where the request's If-Range or If-Match names this very file, by our ETag or by nginx's.

    A player that has read the beginning of a file goes on with the same one, although a better one exists now.
    """
    named = unquote_etag(request.headers.get("If-Range", ""))[0]
    etags = {named} if named else set(parse_etags(request.headers.get("If-Match")).as_set(include_weak=True))
    if not etags:
        return False
    if etag_of(key) in etags:
        return True
    path = store().path(key)
    return current_app.config["USE_X_ACCEL_REDIRECT"] and path.exists() and _nginx_etag_of(path) in etags


def send_stored(stored: StoredFile) -> Response:
    """Answers a GET or HEAD request with the file, or the part of it that is asked for.

    Raises FileNotFoundError when the store has lost it.
    """
    path = store().path(stored.key)
    headers = {
        "Content-Type": stored.mime,
        "Content-Disposition": _disposition(stored.name),
        "Cache-Control": stored.cache_control,
        "Accept-Ranges": "bytes",
        "X-Content-Type-Options": "nosniff",
    }
    if stored.is_as_uploaded:
        headers["Content-Security-Policy"] = "sandbox"
    if current_app.config["USE_X_ACCEL_REDIRECT"]:
        path.stat()
        # nginx answers conditions and ranges itself, from the file.
        headers["X-Accel-Redirect"] = "/_media/" + quote(stored.key)
        return Response(status=200, headers=headers)

    headers["ETag"] = f'"{etag_of(stored.key)}"'
    headers["Last-Modified"] = last_modified(stored.made_at)
    file = FileIO(path)
    size_bytes = os.fstat(file.fileno()).st_size
    part = answer(
        request.method, request.headers, size_bytes=size_bytes, etag=etag_of(stored.key), modified_at=stored.made_at
    )
    if part.status in {304, 412, 416}:
        file.close()
        if part.status == 304:
            del headers["Content-Type"]
        if part.status == 416:
            headers["Content-Range"] = f"bytes */{size_bytes}"
        return Response(status=part.status, headers=headers)
    headers["Content-Length"] = str(part.stop - part.start)
    if part.status == 206:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size_bytes}"
    if request.method == "HEAD":
        file.close()
        return Response(status=part.status, headers=headers)
    return Response(Pieces(file, part.start, part.stop), status=part.status, headers=headers, direct_passthrough=True)


@lru_cache(maxsize=4096)
def _disposition(name: str) -> str:
    """`inline` with a name that no file system and no header parser can take amiss."""
    safe = "".join("_" if letter in '/\\:*?"<>|%' or not letter.isprintable() else letter for letter in name)
    stem, dot, suffix = safe.rpartition(".")
    stem = stem[:120].strip(" .") or "track"
    ascii_stem = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().strip(" .") or "track"
    plain = f'inline; filename="{ascii_stem}{dot}{suffix}"'
    return plain if ascii_stem == stem else f"{plain}; filename*=UTF-8''{quote(stem + dot + suffix, safe='')}"
