"""Bytes on their way to disk, where clients misbehave."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from flask import Flask

from musicapp.uploads import incoming
from musicapp.uploads.errors import UploadGoneError, UploadOverflowError
from musicapp.uploads.routes.door import SILENCE_SECONDS, long_body

PLENTY = 2**40


class Source:
    """A body that comes in these pieces; an exception among them is raised."""

    def __init__(self, *pieces: bytes | Exception) -> None:
        self.pieces = list(pieces)

    def read(self, _size: int, /) -> bytes:
        piece = self.pieces.pop(0) if self.pieces else b""
        if isinstance(piece, Exception):
            raise piece
        return piece


def test_client_that_falls_silent_keeps_what_has_arrived(tmp_path: Path) -> None:
    path = tmp_path / "a/file"
    there = incoming.append(
        path, Source(b"abc", TimeoutError()), offset_bytes=0, size_bytes=10, free_bytes=lambda: PLENTY
    )
    assert (there, path.read_bytes()) == (3, b"abc")


def test_body_without_a_length_can_not_write_past_the_end(tmp_path: Path) -> None:
    with pytest.raises(UploadOverflowError):
        incoming.append(
            tmp_path / "file", Source(b"abc", b"defg"), offset_bytes=0, size_bytes=5, free_bytes=lambda: PLENTY
        )
    assert (tmp_path / "file").read_bytes() == b"abc"


def test_file_removed_midway_ends_the_upload(tmp_path: Path) -> None:
    path = tmp_path / "file"

    class Removing(Source):
        def read(self, size: int, /) -> bytes:
            if len(self.pieces) == 1:
                path.unlink()
            return super().read(size)

    with pytest.raises(UploadGoneError):
        incoming.append(path, Removing(b"abc", b"def"), offset_bytes=0, size_bytes=9, free_bytes=lambda: PLENTY)
    assert not path.exists()


def test_memory_holds_one_piece_at_a_time(tmp_path: Path) -> None:
    asked = []

    class Endless(Source):
        def read(self, size: int, /) -> bytes:
            asked.append(size)
            return bytes(size) if len(asked) <= 40 else b""

    size_bytes = 40 * incoming.PIECE_BYTES
    incoming.append(tmp_path / "file", Endless(), offset_bytes=0, size_bytes=size_bytes, free_bytes=lambda: PLENTY)
    assert (tmp_path / "file").stat().st_size == size_bytes
    assert max(asked) == incoming.PIECE_BYTES == 256 * 1024


def test_silence_is_limited_while_bytes_come_and_not_afterwards(app: Flask) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, app.test_request_context("/", environ_overrides={"gunicorn.socket": ours}):
        with long_body():
            assert ours.gettimeout() == SILENCE_SECONDS
        assert ours.gettimeout() is None
