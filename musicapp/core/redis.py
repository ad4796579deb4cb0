"""Redis: one way to make a client, with limits that keep a page quick when Redis is away."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, TimeoutError
from redis.retry import Retry

RedisUnavailable = (RedisConnectionError, TimeoutError)
"""What to catch where the work goes on without Redis."""

__all__ = ["RedisError", "RedisUnavailable", "init_redis", "new_redis_client", "redis_client"]


def new_redis_client(url: str, **options: Any) -> Redis:
    """A client with short time-outs. `options` override redis-py's own names; Pub/Sub wants socket_timeout=None."""
    settings: dict[str, Any] = {
        "socket_timeout": 2.0,
        "socket_connect_timeout": 0.5,
        # Two quick tries: a page waits at most about 0.1 s for a Redis that is away.
        "retry": Retry(ExponentialBackoff(cap=0.1, base=0.02), 2),
        "health_check_interval": 25,
        "max_connections": 200,
        "decode_responses": False,
    }
    return Redis.from_url(url, **{**settings, **options})


def init_redis(app: Flask) -> None:
    app.extensions["redis"] = new_redis_client(app.config["REDIS_URL"])


def redis_client() -> Redis:
    """This process's client. Raises RedisUnavailable from its calls when Redis is away."""
    client: Redis = current_app.extensions["redis"]
    return client
