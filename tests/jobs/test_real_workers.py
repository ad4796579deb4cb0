"""Kills and restarts with real workers. The kinds used here are declared in tests/jobs/worker_kinds.py."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from flask import Flask
from sqlalchemy import select

from musicapp import create_app
from musicapp.accounts.models import User
from musicapp.core.db import db, reading
from musicapp.jobs import services
from musicapp.jobs.models import Job
from tests.jobs import worker_kinds
from tests.servers import REPOSITORY, Site, wait_for

pytestmark = pytest.mark.real


class WorkerSite(Site):
    """A site whose workers also know this test's kinds."""

    def start_worker(self, queues: str, name: str | None = None, concurrency: int = 1) -> None:
        name = name or f"worker-{queues}"
        command = ["celery", "-A", "tests.jobs.worker_kinds", "worker", "-Q", queues, "-c", str(concurrency)]
        self.run(name, [*command, "-n", f"{name}@%h", "--without-gossip", "--without-mingle", "-l", "INFO"])


@pytest.fixture
def workers(site: Site) -> WorkerSite:
    site.__class__ = WorkerSite
    assert isinstance(site, WorkerSite)
    site.environ["DIARY"] = str(site.folder / "diary")
    site.environ["PYTHONPATH"] = str(REPOSITORY)
    Path(site.environ["DIARY"]).touch()
    site.migrate()
    return site


@pytest.fixture
def ledger(workers: WorkerSite) -> Iterator[Flask]:
    app = create_app(workers.environ)
    worker_kinds.declare()
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def diary(site: Site) -> list[str]:
    return Path(site.environ["DIARY"]).read_text().split()


def states(app: Flask) -> list[str]:
    # Without `reading` this look would take the write lock and starve the workers it waits for.
    with reading():
        found = list(db.session.scalars(select(Job.state).order_by(Job.id)))
        db.session.rollback()
    return found


def user(name: str) -> int:
    row = User(username=name, username_key=name, email=f"{name}@example.org", password_hash="x")
    db.session.add(row)
    db.session.commit()
    user_id = row.id
    db.session.rollback()
    return user_id


def test_job_of_a_killed_worker_is_done_by_the_next(workers: WorkerSite, ledger: Flask) -> None:
    workers.start_worker("default")
    workers.start_beat()
    services.add("sleepy", arguments={"name": "one", "seconds": 60})
    db.session.commit()
    wait_for(lambda: "begin:one:1" in diary(workers), 30, "the job to begin")
    workers.kill("worker-default")
    workers.start_worker("default")
    wait_for(lambda: "begin:one:2" in diary(workers), 40, "the job to begin anew")
    job = db.session.scalars(select(Job).execution_options(populate_existing=True)).one()
    services.cancel(job)
    db.session.commit()
    wait_for(lambda: states(ledger) == ["cancelled"], 20, "the job to stop")


def test_jobs_survive_a_redis_that_forgets_everything(workers: WorkerSite, ledger: Flask) -> None:
    for number in range(5):
        services.add("sleepy", arguments={"name": str(number), "seconds": 0})
    db.session.commit()
    with redis.Redis.from_url(workers.redis.url) as client:
        client.flushall()
    workers.start_worker("default")
    workers.start_beat()
    wait_for(lambda: states(ledger) == ["succeeded"] * 5, 40, "all jobs")
    assert sorted(diary(workers)) == sorted(f"{act}:{n}:1" for n in range(5) for act in ("begin", "end"))


def test_jobs_added_while_redis_is_down_are_done_when_it_is_back(workers: WorkerSite, ledger: Flask) -> None:
    workers.start_worker("default")
    workers.start_beat()
    services.add("sleepy", arguments={"name": "first", "seconds": 0})
    db.session.commit()
    wait_for(lambda: states(ledger) == ["succeeded"], 30, "the first job")
    workers.redis.stop()
    for name in ("second", "third"):
        services.add("sleepy", arguments={"name": name, "seconds": 0})
        db.session.commit()
    assert states(ledger) == ["succeeded", "queued", "queued"]
    workers.redis.start()
    wait_for(lambda: states(ledger) == ["succeeded"] * 3, 60, "the other two jobs")


def test_one_users_hundred_jobs_do_not_stand_in_front_of_anothers_one(workers: WorkerSite, ledger: Flask) -> None:
    alice, bob = user("alice"), user("bob")
    for number in range(100):
        services.add("sleepy", owner_id=alice, arguments={"name": f"alice{number}", "seconds": 0.05})
    services.add("sleepy", owner_id=bob, arguments={"name": "bob", "seconds": 0.05})
    db.session.commit()
    workers.start_worker("default", concurrency=2)
    wait_for(lambda: "end:bob:1" in diary(workers), 40, "bob's job")
    before_bob = [line for line in diary(workers)[: diary(workers).index("begin:bob:1")] if line.startswith("begin")]
    assert len(before_bob) <= 3


def test_two_workers_never_do_the_same_job_at_once(workers: WorkerSite, ledger: Flask) -> None:
    for number in range(60):
        services.add("sleepy", arguments={"name": str(number), "seconds": 0.01})
    db.session.commit()
    workers.start_worker("default", "worker-a", concurrency=2)
    workers.start_worker("default", "worker-b", concurrency=2)
    wait_for(lambda: states(ledger) == ["succeeded"] * 60, 60, "all jobs")
    begun = [line for line in diary(workers) if line.startswith("begin")]
    assert len(begun) == len(set(begun)) == 60


def test_worker_reports_and_its_silence_is_noticed(
    workers: WorkerSite, ledger: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    from musicapp.jobs import queries

    workers.start_worker("default")
    wait_for(lambda: ledger.extensions["redis"].get("worker-seen:default"), 30, "the worker's report")
    assert queries.silent_queues(["default"]) == []
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert queries.silent_queues(["default"]) == ["default"]
