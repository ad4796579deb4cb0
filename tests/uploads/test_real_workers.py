"""The pipeline in real workers, one of which is killed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from flask import Flask

from musicapp import create_app
from musicapp.catalog.models import Rendition, Track
from musicapp.core.db import db
from musicapp.jobs.models import Job
from tests.audio import make
from tests.servers import Site, wait_for
from tests.uploads.conftest import Cast, accept, make_cast, only_upload, rows, stored_files

pytestmark = pytest.mark.real


@pytest.fixture
def workers(site: Site) -> Iterator[tuple[Site, Flask, Cast]]:
    """A worker for each queue and the clock; the test itself is the web."""
    site.migrate()
    app = create_app(site.environ)
    cast = make_cast(app)
    site.start_worker("default")
    site.start_worker("media")
    site.start_beat()
    yield site, app, cast
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()


def encoders_of(site: Site) -> list[psutil.Process]:
    """ffmpeg processes that work in this site's store."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = " ".join(process.info["cmdline"] or [])
        if "ffmpeg" in words and str(site.instance) in words:
            found.append(process)
    return found


@pytest.mark.timeout(300)
def test_worker_killed_while_encoding_loses_nothing_and_leaves_nothing(
    workers: tuple[Site, Flask, Cast], tmp_path: Path
) -> None:
    site, app, cast = workers
    accept(app, cast, make.tone(tmp_path / "long.flac", seconds=400))
    wait_for(lambda: encoders_of(site), 60, "ffmpeg at work")
    assert len(rows(app, Track)) == 1  # it plays from its original already
    site.kill("worker-media")
    wait_for(lambda: not encoders_of(site), 20, "ffmpeg to end with its worker")
    site.start_worker("media")
    wait_for(lambda: only_upload(app).state == "ready", 200, "the track to be ready")

    def encoding() -> Job:
        [job] = [job for job in rows(app, Job) if job.kind == "encode_track"]
        return job

    wait_for(lambda: encoding().state == "succeeded", 20, "the job's end")
    assert encoding().attempts == 2
    assert len(rows(app, Rendition)) == 3
    media = Path(app.config["MEDIA_PATH"])
    wait_for(lambda: not list((media / "scratch").iterdir()), 20, "an empty scratch folder")
    assert stored_files(media) == ["originals"] + ["renditions"] * 5
