"""The yardsticks of upload.py: the least that can take a file, and what Flask does with a form by itself."""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
import shutil  # noqa: E402
import tempfile  # noqa: E402
from collections.abc import Callable, Iterable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from flask import Flask, request  # noqa: E402

PIECE_BYTES = 256 * 1024


def bare(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Copies the body into a file and waits for the disk, in pieces of the same size as ours."""
    if environ["REQUEST_METHOD"] == "POST":
        with tempfile.TemporaryFile(dir=os.environ["UPLOAD_FOLDER"]) as file:
            left_bytes = int(environ["CONTENT_LENGTH"])
            while left_bytes and (piece := environ["wsgi.input"].read(min(PIECE_BYTES, left_bytes))):
                file.write(piece)
                left_bytes -= len(piece)
            file.flush()
            os.fsync(file.fileno())
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


form = Flask(__name__)


@form.route("/", methods=["GET", "POST"])
def take() -> str:
    """request.files as everybody uses it: parsed into a temporary file, then copied to where it belongs."""
    for file in request.files.values():
        target = Path(os.environ["UPLOAD_FOLDER"]) / "taken"
        with target.open("wb") as to:
            shutil.copyfileobj(file.stream, to)
            os.fsync(to.fileno())
        target.unlink()
    return "ok"
