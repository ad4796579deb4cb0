"""What a stop does to work under way: nothing is lost, nothing is counted, nothing is left behind."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from flask import Flask
from sqlalchemy import select

from deploy.supervision import _STOP_WAIT_SECONDS, WORKER_ENVIRON
from musicapp import create_app
from musicapp.core.db import db, reading
from musicapp.jobs import services
from musicapp.jobs.models import Job
from tests.run import stopping_kinds
from tests.run.made_site import command_of
from tests.servers import REPOSITORY, Site, wait_for

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


@pytest.fixture
def workers(site: Site) -> Site:
    site.environ |= {"DIARY": str(site.folder / "diary"), "PYTHONPATH": str(REPOSITORY), **WORKER_ENVIRON}
    (site.folder / "diary").touch()
    site.migrate()
    return site


@pytest.fixture
def ledger(workers: Site) -> Iterator[Flask]:
    app = create_app(workers.environ)
    stopping_kinds.declare()
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def start_worker(site: Site, name: str, concurrency: int) -> None:
    command = ["celery", "-A", "tests.run.stopping_kinds", "worker", "-Q", "default", "-c", str(concurrency)]
    site.run(name, [*command, "-n", f"{name}@%h", "--without-gossip", "--without-mingle", "-l", "INFO"])


def jobs() -> dict[str, Job]:
    with reading():
        found = {job.kind: job for job in db.session.scalars(select(Job))}
        db.session.expunge_all()
        db.session.rollback()
    return found


def test_a_worker_that_is_told_to_stop_gives_its_jobs_back_as_if_they_had_not_begun(
    workers: Site, ledger: Flask
) -> None:
    diary = Path(workers.environ["DIARY"])
    start_worker(workers, "first", 3)
    for kind in ("polite", "stubborn", "short"):
        services.add(kind, arguments={"seconds": 60})
    db.session.commit()
    wait_for(lambda: len(diary.read_text().split()) == 3, 40, "all three have begun")
    worker = psutil.Process(workers.processes["first"].pid)
    wait_for(lambda: any("ffmpeg" in command_of(one) for one in worker.children(recursive=True)), what="ffmpeg runs")
    family = worker.children(recursive=True)

    began = time.monotonic()
    workers.kill("first", signal.SIGTERM)
    assert time.monotonic() - began < _STOP_WAIT_SECONDS
    assert psutil.wait_procs(family, timeout=3)[1] == [], "a child, or its ffmpeg, outlived the worker"

    found = jobs()
    assert found["short"].state == "succeeded", "what is soon done is let finish"
    for kind in ("polite", "stubborn"):
        job = found[kind]
        assert (job.state, job.attempts, job.step, job.claim_token, job.error) == ("queued", 0, "", None, None), kind
        assert job.started_at is None

    # Nothing waits for a heartbeat to be missed: the tickets are there, and another worker goes on at once.
    for job in db.session.scalars(select(Job)):
        job.arguments = {"seconds": 0}
    db.session.commit()
    start_worker(workers, "second", 1)
    wait_for(lambda: {job.state for job in jobs().values()} == {"succeeded"}, 40, "the second worker does them")
    assert {job.attempts for job in jobs().values()} == {1}
