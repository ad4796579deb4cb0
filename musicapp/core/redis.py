"""Redis: one way to make a client, with limits that keep a page quick when Redis is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeVar

import redis.connection
from flask import Flask, current_app
from redis import Redis
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError, TimeoutError
from redis.retry import Retry

RedisUnavailable = (RedisConnectionError, TimeoutError, ResponseError)
"""What to catch where the work goes on without Redis: it is away, or refuses writes as its disk or memory is full."""

HUNG_REST_SECONDS = 5.0
"""How long nobody asks a Redis that took a connection and then didn't answer: each try costs the whole time-out."""

__all__ = ["RedisError", "RedisUnavailable", "init_redis", "new_redis_client", "redis_client"]

T = TypeVar("T")

# redis-py 7.4 reads both when a unix socket's connection times out, and fails with AttributeError. Kombu uses it, too.
for _name in ("host", "port"):
    if not hasattr(redis.connection.UnixDomainSocketConnection, _name):
        setattr(redis.connection.UnixDomainSocketConnection, _name, None)


class _Patience(Retry):
    """Two quick tries for a Redis that refuses; one for a Redis that hangs, and then none at all for a while.

    A page asks Redis a dozen times. Shared by the connections of one client.
    """

    def __init__(self) -> None:
        # A page waits at most about 0.1 s for a Redis that is away.
        super().__init__(ExponentialBackoff(cap=0.1, base=0.02), 2, supported_errors=(RedisConnectionError,))
        self._rest_until = 0.0

    def __deepcopy__(self, _memo: Any) -> _Patience:
        return self  # each connection copies it, and would have to find out for itself

    def call_with_retry(self, do: Callable[[], T], *args: Any, **options: Any) -> T:
        if time.monotonic() < self._rest_until:
            raise RedisConnectionError("Redis did not answer a moment ago.")
        try:
            return super().call_with_retry(do, *args, **options)
        except TimeoutError:
            self._rest_until = time.monotonic() + HUNG_REST_SECONDS
            raise


def new_redis_client(url: str, **options: Any) -> Redis:
    """A client with short time-outs. `options` override redis-py's own names; Pub/Sub wants socket_timeout=None."""
    settings: dict[str, Any] = {
        "socket_timeout": 1.0,
        "socket_connect_timeout": 0.5,
        "retry": _Patience(),
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
