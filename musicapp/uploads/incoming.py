"""Bytes on their way to disk. Knows files and streams; no database, no request.

The size of the file on disk is the only truth about what has arrived: a server killed at any moment costs nothing,
because nothing else has to agree with it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Protocol, TypeVar

from gevent import get_hub
from gevent.monkey import is_module_patched
from werkzeug.exceptions import ClientDisconnected

from musicapp.uploads.errors import NoRoomError, UploadBusyError, UploadGoneError, UploadOverflowError, WrongOffsetError

PIECE_BYTES = 256 * 1024
# nginx sends originals by X-Accel-Redirect and runs as another user; the instance's own folder keeps others out.
FILE_MODE = 0o644
# How often the reserve is looked at: free space can't shrink by more than this unseen by one upload.
ROOM_CHECK_BYTES = 8 * 1024**2
# A connection that was just cut lets go of its file within moments; the client that comes back waits that long.
LOCK_WAIT_SECONDS = 2.0

DISK_FULL_WORDS = "The server's disk is full. What has arrived is kept: try again later, or tell the operator."


T = TypeVar("T")


class ByteSource(Protocol):
    """Where bytes come from: a request's body."""

    def read(self, size: int, /) -> bytes: ...


def size_on_disk(path: Path) -> int:
    """How many bytes have arrived. A file that does not exist yet has none."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def append(path: Path, source: ByteSource, *, offset_bytes: int, size_bytes: int, free_bytes: Callable[[], int]) -> int:
    """Writes what `source` gives behind byte `offset_bytes` and returns how many bytes are on disk then.

    Returns early, keeping what came, when the client goes away. A file that is complete (`size_bytes`) is safe on
    disk on return. `free_bytes()` says how much may be written. Raises UploadBusyError, WrongOffsetError, NoRoomError
    (what came is kept), UploadOverflowError (nothing past `size_bytes` is written), UploadGoneError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
    try:
        with _locked(file):
            at_bytes = os.fstat(file).st_size
            if at_bytes != offset_bytes:
                raise WrongOffsetError
            at_bytes = _write_all(file, source, at_bytes, size_bytes, free_bytes)
            if at_bytes == size_bytes:
                without_blocking_others(partial(os.fsync, file))
            return at_bytes
    finally:
        os.close(file)


def _write_all(file: int, source: ByteSource, at_bytes: int, size_bytes: int, free_bytes: Callable[[], int]) -> int:
    checked_at_bytes = -ROOM_CHECK_BYTES
    while True:
        try:
            piece = source.read(PIECE_BYTES)
        except (ClientDisconnected, OSError):  # gone, or silent for too long: see routes.door.long_body
            return at_bytes
        if not piece:
            return at_bytes
        if at_bytes + len(piece) > size_bytes:
            raise UploadOverflowError
        if at_bytes - checked_at_bytes >= ROOM_CHECK_BYTES:
            if free_bytes() < len(piece):
                raise NoRoomError(DISK_FULL_WORDS)
            checked_at_bytes = at_bytes
        if os.fstat(file).st_nlink == 0:
            raise UploadGoneError
        at_bytes += without_blocking_others(partial(write_piece, file, piece))


def write_piece(file: int, piece: bytes) -> int:
    """Writes the whole piece and returns its length. Raises NoRoomError when the disk is full."""
    rest = memoryview(piece)
    try:
        while rest:
            rest = rest[os.write(file, rest) :]
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise NoRoomError(DISK_FULL_WORDS) from error
        raise
    return len(piece)


@contextmanager
def _locked(file: int) -> Iterator[None]:
    """Holds the file against every other request, in this process or another. It ends with the process, too."""
    deadline = time.monotonic() + LOCK_WAIT_SECONDS
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise UploadBusyError from None
            time.sleep(0.05)
    yield  # closing the file lets it go


def without_blocking_others(work: Callable[[], T]) -> T:
    """Does something that waits for the disk and returns its result; other greenlets go on meanwhile.

    Where bytes come faster than the disk takes them, Linux holds every write for up to 0.2 s, and in a gevent process
    everybody's music would wait with it. The price is some 0.1 ms for each call.
    """
    return get_hub().threadpool.apply(work) if is_module_patched("socket") else work()
