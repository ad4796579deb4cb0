from __future__ import annotations

import time
from pathlib import Path

from flask import Flask

from musicapp import create_app
from musicapp.core.db import db
from musicapp.core.redis import redis_client
from musicapp.core.storage import store
from tests.servers import RedisServer


def report_workers(app: Flask, seconds_ago: float = 0) -> None:
    with app.app_context():
        for queue in ("default", "media"):
            redis_client().set(f"worker-seen:{queue}", time.time() - seconds_ago)
        redis_client().set("beat-seen", time.time() - seconds_ago)


def test_process_is_well_whatever_it_stands_on(environ: dict[str, str], tmp_path: Path) -> None:
    app = create_app({**environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'empty' / 'no.db'}"})
    response = app.test_client().get("/healthz")
    assert (response.status_code, response.json) == (200, {"status": "ok"})


def test_ready_when_every_part_answers(app: Flask) -> None:
    report_workers(app)
    response = app.test_client().get("/readyz")
    assert response.status_code == 200
    assert response.json is not None
    assert response.json["status"] == "ok"
    assert set(response.json["parts"]) == {"database", "storage", "redis", "worker_default", "worker_media", "beat"}


def test_silent_workers_are_named_but_pages_go_on(app: Flask) -> None:
    report_workers(app, seconds_ago=90)
    response = app.test_client().get("/readyz")
    assert response.status_code == 200
    assert response.json is not None
    assert response.json["status"] == "degraded"
    assert "No worker of the queue media" in response.json["parts"]["worker_media"]["words"]
    assert response.json["parts"]["beat"]["words"].startswith("The clock has been silent")
    assert 89 <= response.json["parts"]["worker_media"]["seconds_since_seen"] <= 120


def test_without_redis_it_is_degraded(environ: dict[str, str], own_redis: RedisServer) -> None:
    app = create_app({**environ, "REDIS_URL": own_redis.url})
    own_redis.stop()
    response = app.test_client().get("/readyz")
    assert response.status_code == 200
    assert response.json is not None
    assert response.json["parts"]["redis"]["status"] == response.json["parts"]["beat"]["status"] == "degraded"
    with app.app_context():
        db.engine.dispose()
    app.extensions["redis"].close()


def test_without_a_database_it_is_503(environ: dict[str, str], tmp_path: Path) -> None:
    app = create_app({**environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'empty' / 'no.db'}"})
    response = app.test_client().get("/readyz")
    assert response.status_code == 503
    assert response.json is not None
    assert response.json["parts"]["database"]["status"] == "failing"
    with app.app_context():
        db.engine.dispose()


def test_without_a_media_store_it_is_503(app: Flask) -> None:
    with app.app_context():
        root = store().root
    root.parent.mkdir(parents=True, exist_ok=True)
    root.write_text("a file where the folder should be")
    response = app.test_client().get("/readyz")
    assert response.status_code == 503
    assert response.json is not None
    assert response.json["parts"]["storage"]["status"] == "failing"
