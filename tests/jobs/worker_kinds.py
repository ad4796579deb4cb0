"""A worker that knows one more kind of job: it sleeps and writes a diary of what began and what ended."""

from __future__ import annotations

import os
import time
from pathlib import Path

from musicapp.jobs.context import JobContext
from musicapp.jobs.registry import KINDS, JobKind


def _write(line: str) -> None:
    with Path(os.environ["DIARY"]).open("a") as diary:
        diary.write(line + "\n")


def sleepy(job: JobContext) -> None:
    name, seconds = job.arguments["name"], job.arguments["seconds"]
    _write(f"begin:{name}:{job.attempt}")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        job.check_cancelled()
        time.sleep(0.01)  # the job's work
    _write(f"end:{name}:{job.attempt}")


def declare() -> None:
    KINDS["sleepy"] = JobKind("sleepy", "default", 3, sleepy)


if "DIARY" in os.environ:
    from celery_worker import app, flask_app

    declare()
    __all__ = ["app", "flask_app"]
