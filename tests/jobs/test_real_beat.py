"""Two real beats and a real worker: each tick once, and the clock goes on when a beat is killed; `flask tasks`."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from musicapp import create_app
from musicapp.core.db import db, reading
from musicapp.core.redis import redis_client
from musicapp.jobs import periodic
from musicapp.jobs.models import PeriodicRun
from musicapp.jobs.periodic import PERIODIC, PeriodicTask, run_periodic, seconds_since_beat
from tests.servers import RedisServer, Site, wait_for

SWEEP_SECONDS = 2


class Clocks(Site):
    """A site with more than one beat, as somebody may start by mistake."""

    def start_another_beat(self, name: str) -> None:
        command = ["celery", "-A", "celery_worker", "beat", "-s", str(self.folder / name), "--pidfile="]
        self.run(name, [*command, "-l", "INFO"])


@pytest.fixture
def clocks(tmp_path: Path, own_redis: RedisServer) -> Iterator[Clocks]:
    site = Clocks(tmp_path, own_redis, JOB_SWEEP_SECONDS=str(SWEEP_SECONDS))
    site.migrate()
    yield site
    site.stop()
    print(site.output())


@pytest.fixture
def here(clocks: Clocks) -> Iterator[Flask]:
    """This process's own look at the site's database and Redis."""
    app = create_app(clocks.environ, TESTING=True)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()


def sweeps() -> list[float]:
    """When the sweep began, in seconds."""
    with reading():
        found = db.session.scalars(
            select(PeriodicRun.started_at).where(PeriodicRun.task == "jobs.sweep").order_by(PeriodicRun.id)
        )
        began = [at.timestamp() for at in found]
        db.session.rollback()
    return began


@pytest.mark.real
@pytest.mark.timeout(240)
def test_two_beats_tick_once_and_the_second_takes_over(clocks: Clocks, here: Flask) -> None:
    clocks.start_worker("default")
    wait_for(lambda: len(sweeps()) == 1, 40, "the worker's own first sweep")
    for name in ("beat-a", "beat-b"):
        clocks.start_another_beat(name)
    wait_for(lambda: "another beat is running" in clocks.output(), 40, "the second beat to wait")
    begun = len(sweeps())
    wait_for(lambda: len(sweeps()) >= begun + 3, 40, "three sweeps")
    ticks = sweeps()[begun : begun + 3]
    assert all(later - earlier > SWEEP_SECONDS / 2 for earlier, later in pairwise(ticks)), ticks

    # A person asks for a run of its own meanwhile, in the worker.
    asked = here.test_cli_runner().invoke(args=["tasks", "run", "give up unfinished uploads", "--timeout", "60"])
    assert asked.exit_code == 0, asked.output
    assert asked.output.startswith("uploads.sweep is done, in ")
    assert "expired: 0\n" in asked.output

    leader = redis_client().get("beat-lock")
    first = "beat-a" if _leads(clocks, "beat-a") else "beat-b"
    clocks.kill(first)
    before, since = len(sweeps()), time.time()
    wait_for(lambda: len(sweeps()) >= before + 2, 60, "the second beat to take over")
    assert time.time() - since < 60
    assert redis_client().get("beat-lock") not in {leader, None}
    assert (seconds_since_beat() or 0) < 10


def _leads(clocks: Clocks, name: str) -> bool:
    """Only who leads opens its file."""
    return bool(list(clocks.folder.glob(f"{name}*")))


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_tasks_run_says_why_it_can_not(environ: dict[str, str], own_redis: RedisServer) -> None:
    app = create_app({**environ, "REDIS_URL": own_redis.url}, TESTING=True)

    def tasks(*arguments: str) -> tuple[int, str]:
        done = app.test_cli_runner().invoke(args=["tasks", *arguments])
        return done.exit_code, done.output

    code, words = tasks("list")
    assert code == 0
    assert re.search("^uploads.sweep .*Gives up unfinished uploads.*(give up unfinished uploads)", words, re.MULTILINE)
    code, words = tasks("run", "nothing.at_all")
    assert code == 1
    assert "There is no task 'nothing.at_all'. `flask --app wsgi tasks list` names them all." in words
    code, words = tasks("run", "uploads.sweep", "--timeout", "1")
    assert code == 1
    assert "No worker began uploads.sweep within 1 s." in words
    own_redis.stop()
    code, words = tasks("run", "uploads.sweep")
    assert code == 1
    assert "Redis does not answer" in words
    app.extensions["redis"].close()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_tasks_run_prints_what_failed(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("the disk is full")

    def work_here(name: str, started_by: str, token: str, *_: int) -> None:
        run_periodic(name, started_by=started_by, token=token)

    monkeypatch.setitem(PERIODIC, "uploads.sweep", PeriodicTask("uploads.sweep", "", "default", fail))
    monkeypatch.setattr(periodic, "_send", work_here)
    done = context.test_cli_runner().invoke(args=["tasks", "run", "uploads.sweep"])
    assert done.exit_code == 1
    assert "uploads.sweep failed. It failed: the disk is full." in done.output
