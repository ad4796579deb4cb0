"""What bench/live.py runs under gunicorn: musicapp itself with one more fragment, or the usual way to stream events."""

# Before anything else is imported, as in wsgi.py.
from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
from collections.abc import Iterator  # noqa: E402

import redis  # noqa: E402
from flask import Flask, Response  # noqa: E402

from bench.live_fragment import CHANNEL, fragment_html  # noqa: E402


def musicapp_with_a_fragment() -> Flask:
    """The whole site; topic `bench`, whose fragment `row` carries the instant of its publishing as its id."""
    from musicapp import create_app
    from musicapp.live.registry import fragment, topic

    fragment("row", topic="bench")(fragment_html)
    topic("bench")(lambda viewer, number: True)
    return create_app(LIVE_HANDOVER=os.environ.get("LIVE_HANDOVER") != "no")


def one_subscription_per_client() -> Flask:
    """What flask-sse does: each open page has a Redis connection and a generator."""
    app = Flask("one-subscription-per-client")
    pool = redis.ConnectionPool.from_url(os.environ["REDIS_URL"], max_connections=20_000)

    @app.get("/live")
    def live() -> Response:
        def events() -> Iterator[bytes]:
            with redis.Redis(connection_pool=pool).pubsub() as pubsub:  # type: ignore[no-untyped-call]
                pubsub.subscribe(CHANNEL)
                yield b": open\n\n"
                for message in pubsub.listen():
                    if message["type"] == "message":
                        yield b"data: " + message["data"] + b"\n\n"

        return Response(events(), mimetype="text/event-stream")

    return app


app = one_subscription_per_client() if os.environ.get("BENCH_SUBJECT") == "naive" else musicapp_with_a_fragment()
