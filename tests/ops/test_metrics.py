"""/metrics says the site's sums, to those who may know them."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.parser import text_string_to_metric_families

from musicapp import create_app
from musicapp.core import metrics as counted
from musicapp.core.db import db, utc_now
from musicapp.core.metrics import BUCKETS_MS, Latency
from musicapp.jobs import services
from musicapp.jobs.models import Job
from musicapp.jobs.registry import KINDS, JobKind
from tests.people import register, sign_in
from tests.servers import RedisServer
from tests.test_statements import statements_of


def figures(text: str) -> dict[tuple[str, ...], float]:
    """(name, values of its labels in the order of their names) -> value, as Prometheus' own parser reads it."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def asked(client: FlaskClient, **headers: str) -> dict[tuple[str, ...], float]:
    response = client.get("/metrics", headers=headers)
    assert response.status_code == 200, response.text
    assert response.headers["Content-Type"].startswith("text/plain")
    return figures(response.text)


def test_figures_are_of_the_whole_site_and_not_of_one_process(environ: dict[str, str]) -> None:
    one, other = (create_app(environ, TESTING=True) for _ in range(2))
    before = asked(one.test_client())
    for app in (one, other):
        app.test_client().get("/healthz")
        app.test_client().get("/nowhere")
        app.test_client().get("/albums/7?token=x")
        app.extensions["metrics"].send()
    found = asked(one.test_client())
    assert found["musicapp_http_requests_total", "GET", "/healthz", "200"] == 2
    assert found["musicapp_http_requests_total", "GET", "(none)", "404"] == 2
    assert found["musicapp_http_requests_total", "GET", "/albums/<album_id>", "404"] == 2
    assert found["musicapp_http_requests_total", "GET", "/metrics", "200"] >= 1
    assert found["musicapp_http_request_duration_seconds_count", "GET", "/healthz"] == 2
    assert found["musicapp_http_request_duration_seconds_bucket", "+Inf", "GET", "/healthz"] == 2
    assert before["musicapp_up", "database"] == found["musicapp_up", "redis"] == found["musicapp_up", "storage"] == 1
    assert found["musicapp_database_size_bytes",] > 10_000
    for app in (one, other):
        with app.app_context():
            db.engine.dispose()
        app.extensions["redis"].close()


def test_jobs_and_queues_are_counted(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "hum", JobKind("hum", "media", 3, lambda _: None))
    with app.app_context():
        late, later, failed = (services.add("hum") for _ in range(3))
        db.session.get_one(Job, late).run_at = utc_now() - timedelta(seconds=90)
        db.session.get_one(Job, later).run_at = utc_now() + timedelta(hours=1)
        services.change(db.session.get_one(Job, failed), "failed", finished_at=utc_now())
        db.session.commit()
    with statements_of(app) as statements:
        found = asked(app.test_client())
    assert len(statements) <= 12
    assert found["musicapp_jobs", "hum", "queued"] == 2
    assert found["musicapp_jobs", "hum", "failed"] == 1
    assert found["musicapp_queue_waiting", "media"] == 1
    assert found["musicapp_queue_waiting", "default"] == 0
    assert 90 <= found["musicapp_queue_oldest_seconds", "media"] < 200
    assert found["musicapp_queue_tickets", "media"] == 3
    assert found["musicapp_plays_total",] == 0
    assert {name: found["musicapp_workers", name] for name in ("default", "media")} == {"default": 0, "media": 0}


@pytest.mark.one_database
def test_only_who_may_know_reads_them(app: Flask) -> None:
    app.config["METRICS_TOKEN"] = "s3cret"
    app.config["SITE_URL"] = "https://music.example.org"
    far = app.test_client()
    far.environ_base["REMOTE_ADDR"] = "203.0.113.9"
    near = app.test_client()

    refused = far.get("/metrics")
    assert (refused.status_code, refused.headers["WWW-Authenticate"]) == (401, 'Bearer realm="metrics"')
    assert "musicapp_" not in refused.text
    assert far.get("/metrics", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert far.get("/metrics", headers={"Authorization": "Basic czNjcmV0"}).status_code == 401
    assert asked(far, Authorization="Bearer s3cret")

    assert asked(near)
    for forwarded in ("X-Forwarded-For", "Forwarded", "Via", "X-Real-IP"):
        assert near.get("/metrics", headers={forwarded: "127.0.0.1"}).status_code == 401
    # a proxy on this machine that says nothing but the host's name
    assert near.get("/metrics", base_url="http://music.example.org").status_code == 401
    app.config["METRICS_ALLOWED"] = "none"
    assert near.get("/metrics").status_code == 401
    app.config["METRICS_ALLOWED"] = "203.0.113.0/24"
    assert asked(far)

    app.config["METRICS_ALLOWED"] = "none"
    assert sign_in(app, register(app, "bob")).get("/metrics").status_code == 401
    assert asked(sign_in(app, register(app, "admin", role="admin")))


@pytest.mark.one_database
def test_an_empty_token_opens_nothing(app: Flask) -> None:
    app.config.update(METRICS_ALLOWED="none", METRICS_TOKEN=None)
    for header in ("Bearer ", "Bearer None", "Bearer"):
        assert app.test_client().get("/metrics", headers={"Authorization": header}).status_code == 401


@pytest.mark.one_database
def test_without_redis_the_rest_is_said(environ: dict[str, str], own_redis: RedisServer) -> None:
    app = create_app({**environ, "REDIS_URL": own_redis.url}, TESTING=True)
    client = app.test_client()
    client.get("/healthz")
    own_redis.stop()
    found = asked(client)
    assert (found["musicapp_up", "redis"], found["musicapp_up", "database"]) == (0, 1)
    assert ("musicapp_queue_waiting", "default") in found
    own_redis.start()
    again = asked(client)
    assert again["musicapp_http_requests_total", "GET", "/healthz", "200"] == 1, "what was counted meanwhile is lost"
    with app.app_context():
        db.engine.dispose()
    app.extensions["redis"].close()


@pytest.mark.one_database
def test_a_slow_request_leaves_a_line_without_what_stood_in_its_address(
    environ: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    app = create_app({**environ, "SLOW_REQUEST_MS": "0"}, TESTING=True)
    admin = sign_in(app, register(app, "admin", role="admin"))
    with caplog.at_level(logging.WARNING, logger="musicapp.core.measuring"):
        admin.get("/albums/123456?secret=hush")
        admin.get("/reset/t0ken")
    assert "GET /albums/<album_id> {'album_id': 123456}" in caplog.text
    with app.app_context():
        slow = counted.slow_requests()
    assert slow[0]["route"] == "/reset/<token>"
    assert slow[1]["ids"] == {"album_id": 123456}
    assert slow[1]["statements"] >= 1
    assert slow[1]["request_id"]
    assert "t0ken" not in str(slow)
    assert "hush" not in str(slow)
    app.extensions["redis"].close()


def test_a_quantile_lies_within_its_bucket() -> None:
    counts = [0] * (len(BUCKETS_MS) + 1)
    counts[BUCKETS_MS.index(50)] = 98
    counts[BUCKETS_MS.index(1000)] = 1
    counts[-1] = 1
    latency = Latency(tuple(counts), 12_000)
    assert 25 < latency.quantile_ms(0.5) < 50
    assert 750 < latency.quantile_ms(0.99) <= 1000
    assert latency.quantile_ms(1.0) == BUCKETS_MS[-1]
    assert Latency((0,) * len(counts), 0).quantile_ms(0.5) == 0
