"""A worker with kinds of jobs that take for ever: one looks whether it should stop, the others never do."""

from __future__ import annotations

import os
import time
from pathlib import Path

from musicapp.audio.ffmpeg import ffmpeg_path, run_ffmpeg
from musicapp.jobs.context import JobContext
from musicapp.jobs.registry import KINDS, JobKind

ENDLESS = ["-re", "-f", "lavfi", "-i", "sine=frequency=440", "-f", "null", "-"]


def _write(line: str) -> None:
    with Path(os.environ["DIARY"]).open("a") as diary:
        diary.write(line + "\n")


def polite(job: JobContext) -> None:
    """An encoding: ffmpeg runs, and each tick says how far it is."""
    _write(f"polite:{job.attempt}")
    if job.arguments["seconds"]:
        run_ffmpeg(
            ffmpeg_path(), ENDLESS, time_limit_s=300, on_progress=lambda _ms, _speed: job.progress(1, "encoding")
        )


def stubborn(job: JobContext) -> None:
    """Hangs, as a mail server may make it."""
    _write(f"stubborn:{job.attempt}")
    time.sleep(job.arguments["seconds"])


def short(job: JobContext) -> None:
    """Is soon done, so it is let finish."""
    _write(f"short:{job.attempt}")
    time.sleep(min(1.5, job.arguments["seconds"]))
    _write(f"short done:{job.attempt}")


def declare() -> None:
    for run in (polite, stubborn, short):
        KINDS[run.__name__] = JobKind(run.__name__, "default", 3, run)


if "DIARY" in os.environ:
    from celery_worker import app, flask_app

    declare()
    __all__ = ["app", "flask_app"]
