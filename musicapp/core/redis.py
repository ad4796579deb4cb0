"""Redis: one way to make a client, with limits that keep a page quick when Redis is away."""

from __future__ import annotations

import time
from collections.abc import Callable
from socket import AF_UNIX, IPPROTO_TCP, SOCK_STREAM, TCP_NODELAY
from typing import Any, TypeVar

import redis.connection
from flask import Flask, current_app
from gevent.monkey import get_original, is_module_patched
from redis import ConnectionPool, Redis
from redis.backoff import ExponentialBackoff, NoBackoff
from redis.connection import Connection, UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError, TimeoutError
from redis.retry import Retry

RedisUnavailable = (RedisConnectionError, TimeoutError, ResponseError)
"""What to catch where the work goes on without Redis: it is away, or refuses writes as its disk or memory is full."""

HUNG_REST_SECONDS = 5.0
"""How long nobody asks a Redis that took a connection and then didn't answer: each try costs the whole time-out."""

UNYIELDING_TIMEOUT_S = 0.25

__all__ = [
    "RedisError",
    "RedisUnavailable",
    "init_redis",
    "new_redis_client",
    "redis_client",
    "unyielding_redis_client",
]

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


def unyielding_redis_client() -> Redis:
    """The same Redis, over sockets that gevent knows nothing of: no other greenlet runs while this one waits.

    For what must be said while SQLite's write lock is held. The whole process waits, so it does that only briefly.
    Without gevent, and with TLS, it is the usual client.
    """
    client: Redis = current_app.extensions["redis"]
    connection_class = _UNYIELDING.get(client.connection_pool.connection_class)
    if connection_class is None or not is_module_patched("socket"):
        return client
    if "redis_unyielding" not in current_app.extensions:
        options = {
            **client.connection_pool.connection_kwargs,
            "retry": Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,)),
            "socket_timeout": UNYIELDING_TIMEOUT_S,
            "socket_connect_timeout": UNYIELDING_TIMEOUT_S,
        }
        pool = ConnectionPool(connection_class=connection_class, **options)
        current_app.extensions["redis_unyielding"] = Redis(connection_pool=pool)
    found: Redis = current_app.extensions["redis_unyielding"]
    return found


class _UnyieldingTcp(Connection):
    def _connect(self) -> Any:
        failed: OSError = OSError(f"{self.host} has no address")
        for family, _, _, _, address in get_original("socket", "getaddrinfo")(self.host, self.port, 0, SOCK_STREAM):
            try:
                opened = _connected(self, family, address)
            except OSError as error:  # "localhost" is two addresses, and Redis may listen at one
                failed = error
            else:
                opened.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
                return opened
        raise failed


class _UnyieldingUnix(UnixDomainSocketConnection):
    def _connect(self) -> Any:
        return _connected(self, AF_UNIX, self.path)


_UNYIELDING = {Connection: _UnyieldingTcp, UnixDomainSocketConnection: _UnyieldingUnix}


def _connected(connection: Any, family: int, address: Any) -> Any:
    opened = get_original("socket", "socket")(family, SOCK_STREAM)
    try:
        opened.settimeout(connection.socket_connect_timeout)
        opened.connect(address)
        opened.settimeout(connection.socket_timeout)
    except OSError:
        opened.close()
        raise
    return opened
