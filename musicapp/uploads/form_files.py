"""A plain form's files: the body goes to disk while it is parsed, however large it is.

A file that can't be taken is read to its end and thrown away: a browser that is cut off midway shows its own error
page, and nobody learns the reason.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from flask import Request
from werkzeug.formparser import FormDataParser

from musicapp.core.pages import size_words
from musicapp.uploads.errors import NoRoomError
from musicapp.uploads.incoming import FILE_MODE, PIECE_BYTES, ROOM_CHECK_BYTES, without_blocking_others, write_piece

MAX_FILES = 1000


class FormFile(io.RawIOBase):
    """One file of a form, written as it comes. `refusal` says why it was thrown away, if it was."""

    def __init__(self, path: Path, filename: str, max_bytes: int, free_bytes: Callable[[], int]) -> None:
        self.path = path
        self.filename = filename
        self.size_bytes = 0
        self.refusal: str | None = None
        self._max_bytes = max_bytes
        self._free_bytes = free_bytes
        self._checked_at_bytes = -ROOM_CHECK_BYTES
        self._waiting = bytearray()
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, FILE_MODE)

    def writable(self) -> bool:
        return True

    def write(self, piece: Any, /) -> int:
        if self.refusal is None:
            self._waiting += piece
            if len(self._waiting) >= PIECE_BYTES:
                self._write_waiting()
        return len(piece)

    def _write_waiting(self) -> None:
        """What the parser gives is small; this writes it in larger pieces."""
        try:
            self._take(bytes(self._waiting))
        except NoRoomError:
            self._refuse("The server's disk is full. Try again later, or tell the operator.")
        self._waiting.clear()

    def _take(self, piece: bytes) -> None:
        if self.size_bytes + len(piece) > self._max_bytes:
            self._refuse(f"It is larger than {size_words(self._max_bytes)}, which is what you may send.")
            return
        if self.size_bytes - self._checked_at_bytes >= ROOM_CHECK_BYTES:
            self._checked_at_bytes = self.size_bytes
            if self._free_bytes() < len(piece):
                raise NoRoomError
        self.size_bytes += without_blocking_others(partial(write_piece, self._file, piece))

    def _refuse(self, words: str) -> None:
        self.refusal = words
        self.path.unlink(missing_ok=True)

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """The parser rewinds a part when it is complete: the moment to make it safe on disk."""
        if self.refusal is None:
            self._write_waiting()
        if self.refusal is None:
            without_blocking_others(partial(os.fsync, self._file))
        return 0

    def close(self) -> None:
        if not self.closed:
            os.close(self._file)
        super().close()


def read_form_files(request: Request, folder: Path, *, max_bytes: int, free_bytes: Callable[[], int]) -> list[FormFile]:
    """Writes the files of a multipart request into `folder`; a file input left empty gives none.

    `max_bytes` is for each file. Raises werkzeug's ClientDisconnected and RequestEntityTooLarge (too many parts).
    """
    files: list[FormFile] = []

    def open_part(
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        file = FormFile(folder / str(len(files)), filename or "", max_bytes, free_bytes)
        files.append(file)
        return cast(IO[bytes], file)

    parser = FormDataParser(
        stream_factory=open_part,
        max_form_memory_size=request.max_form_memory_size,
        max_form_parts=MAX_FILES,
        silent=False,
    )
    try:
        parser.parse(request.stream, request.mimetype, request.content_length, request.mimetype_params)
    finally:
        for file in files:
            file.close()
    return [file for file in files if file.filename]
