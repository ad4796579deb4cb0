"""Queues, workers, the live channel, the cache and slow requests at the desk, with Redis and without."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from types import SimpleNamespace

import pytest
from flask import Flask

from musicapp import create_app
from musicapp.core import cache
from musicapp.core.db import db, reading, utc_now
from musicapp.core.processes import children_of, memory_bytes, process_name
from musicapp.core.redis import redis_client
from musicapp.jobs import services
from musicapp.jobs.models import Job
from musicapp.jobs.registry import KINDS, JobKind
from musicapp.jobs.reports import forget_worker, report_worker, workers_seen
from musicapp.live import services as live_services
from musicapp.live.hub import live_hub
from musicapp.live.ring import WsgiStream
from musicapp.ops.queries.live import live
from musicapp.ops.queries.queues import queues
from musicapp.ops.queries.workers import workers
from tests.people import register, sign_in
from tests.servers import RedisServer, wait_for
from tests.test_statements import statements_of

PAGES = ("/admin/queues", "/admin/workers", "/admin/live", "/admin/cache", "/admin/requests")


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    before = dict(KINDS)
    KINDS["hum"] = JobKind("hum", "media", 3, lambda _: None)
    yield
    KINDS.clear()
    KINDS.update(before)


def add(state: str, **columns: object) -> int:
    job = db.session.get_one(Job, services.add("hum"))
    services.change(job, state, **columns)
    db.session.commit()
    return job.id


def test_a_queue_says_its_length_its_oldest_job_and_its_rate(context: Flask) -> None:
    now = utc_now()
    add("queued", run_at=now - timedelta(minutes=3))
    add("queued", run_at=now - timedelta(minutes=1))
    add("queued", run_at=now + timedelta(hours=1))
    add("running", started_at=now)
    for minutes in (1, 2, 30):
        add("succeeded", finished_at=now - timedelta(minutes=minutes))
    add("failed", finished_at=now - timedelta(minutes=4))
    add("succeeded", finished_at=now - timedelta(hours=2))
    with statements_of(context) as statements:
        found = queues()
    assert len(statements) == 2
    media = next(queue for queue in found.queues if queue.name == "media")
    assert (media.due, media.later, media.running) == (2, 1, 1)
    assert media.oldest_s == pytest.approx(180, abs=20)
    assert (media.ended_5, media.ended_60, media.failed_60) == (3, 4, 1)
    assert media.per_minute_5 == pytest.approx(0.6)
    assert [kind.name for kind in found.kinds] == ["hum"]
    assert found.tickets is not None
    assert found.tickets["media"] == 9, "one ticket left for each job that was added"
    assert "default" in found.tickets


def test_a_worker_says_what_it_does_and_is_forgotten_when_it_ends(context: Flask) -> None:
    busy_with = add("running", started_at=utc_now(), worker="media@here/77", step="encode")
    lost = add("running", started_at=utc_now(), worker="media@gone/78")
    consumer = SimpleNamespace(hostname="media@here", pool=SimpleNamespace(limit=2))
    report_worker(redis_client(), consumer, ["media"])
    redis_client().set("beat-seen", time.time() - 7)
    found = workers()
    assert found.workers is not None
    [worker] = found.workers
    assert (worker.seen.name, worker.seen.queues, worker.seen.concurrency) == ("media@here", ("media",), 2)
    assert worker.seen.memory_bytes > 10_000_000
    assert [(doing.job_id, doing.step) for doing in worker.doing] == [(busy_with, "encode")]
    assert [doing.job_id for doing in found.unclaimed] == [lost]
    assert found.beat_s == pytest.approx(7, abs=5)
    forget_worker(redis_client(), consumer)
    assert workers_seen(redis_client()) == []


@pytest.mark.one_database
def test_live_channel_is_counted_by_process(context: Flask) -> None:
    hub = live_hub()
    stream = WsgiStream(frozenset({"home"}))
    hub.add(stream)
    hub.join(stream, None, replays=False)
    context.extensions["metrics"].send()
    live_services.publish_now("home", "no_such_fragment", 1)
    live_services.poke("home")
    db.session.commit()
    wait_for(lambda: hub.figures.events == 2, what="the hub hears both updates")
    wait_for(lambda: hub.figures.sent == 1, what="the poke is sent")
    found = live()
    assert found is not None
    [process] = found.processes
    assert process.name == process_name()
    assert (found.streams, found.published, process.opened) == (1, 2, 1)
    assert found.events_per_second > 0
    assert found.sent_per_second > 0
    stream.resync()
    stream.close()


@pytest.mark.one_database
def test_pages_show_the_figures(app: Flask) -> None:
    admin = sign_in(app, register(app, "admin", role="admin"))
    kind: cache.Kind[int] = cache.Kind("album_card", int)
    with app.app_context():
        add("queued", run_at=utc_now() - timedelta(minutes=30))
        add("running", started_at=utc_now(), worker="media@here/77")
        report_worker(redis_client(), SimpleNamespace(hostname="media@here", pool=SimpleNamespace(limit=2)), ["media"])
        db.session.rollback()  # the cache is not asked inside a transaction that writes
        with reading():
            for _ in range(2):
                kind.get(7, lambda: 7)
    for address in PAGES:
        with statements_of(app) as statements:
            page = admin.get(address)
        assert page.status_code == 200
        assert len(statements) <= 5, address
        assert f'hx-get="{address}" hx-trigger="every ' in page.text, "the page renews itself"
    assert "30 min" in admin.get("/admin/queues").text
    assert "media@here" in admin.get("/admin/workers").text
    assert process_name() in admin.get("/admin/live").text
    assert re.search(
        r"album card</td><td class=\"number\">1</td><td class=\"number\">1</td>", admin.get("/admin/cache").text
    )
    assert "/admin/queues" in admin.get("/admin/requests").text


@pytest.mark.one_database
def test_pages_say_what_is_unknown_while_redis_is_away(environ: dict[str, str], own_redis: RedisServer) -> None:
    app = create_app({**environ, "REDIS_URL": own_redis.url}, TESTING=True)
    admin = sign_in(app, register(app, "admin", role="admin"))
    with app.app_context():
        add("running", started_at=utc_now(), worker="media@here/77")
    own_redis.stop()
    for address in PAGES:
        page = admin.get(address)
        assert page.status_code == 200
        assert "Redis is away" in page.text
    assert "In the hands of workers" in admin.get("/admin/workers").text
    with app.app_context():
        db.engine.dispose()
    app.extensions["redis"].close()


def test_memory_and_children_are_read_from_the_system() -> None:
    assert memory_bytes() > 10_000_000
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        assert child.pid in children_of(os.getpid())
        assert memory_bytes(child.pid) > 0
        child.communicate(b"\n")
