"""A Redis that is there and does not do what it should."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator

import pytest
from flask import Flask

from musicapp import create_app
from musicapp.core.redis import RedisUnavailable, redis_client
from musicapp.jobs.services import send_ticket
from tests.servers import RedisServer, wait_for


@pytest.fixture
def app_on_own_redis(environ: dict[str, str], own_redis: RedisServer) -> Iterator[Flask]:
    app = create_app({**environ, "REDIS_URL": own_redis.url}, TESTING=True)
    with app.app_context():
        yield app
    app.extensions["redis"].close()


def answers() -> bool:
    try:
        return bool(redis_client().ping())
    except RedisUnavailable:
        return False


def test_redis_that_hangs_costs_one_time_out_and_not_one_for_each_question(
    app_on_own_redis: Flask, own_redis: RedisServer
) -> None:
    assert answers()
    assert own_redis.process is not None
    own_redis.process.send_signal(signal.SIGSTOP)
    try:
        began_at = time.monotonic()
        for _ in range(20):
            with pytest.raises(RedisUnavailable):
                redis_client().get("some key")
        # The broker's own connection would wait for half a minute.
        assert not send_ticket(app_on_own_redis.extensions["celery"], "hum", "default")
        assert time.monotonic() - began_at < 3
    finally:
        own_redis.process.send_signal(signal.SIGCONT)
    wait_for(answers, 15, "Redis to be asked again")


def test_redis_without_memory_counts_as_away(app_on_own_redis: Flask) -> None:
    redis_client().config_set("maxmemory", "1")
    with pytest.raises(RedisUnavailable):
        redis_client().set("some key", "some value")
    assert answers()
