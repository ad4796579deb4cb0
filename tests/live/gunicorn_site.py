"""The app that the handover tests run under gunicorn: the live room alone, `row` fragments of any size."""

# Before anything else is imported, as in wsgi.py.
from gevent import monkey

monkey.patch_all()

import os  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from flask import Flask  # noqa: E402
from flask_babel import Babel  # noqa: E402

from musicapp.core.db import db  # noqa: E402
from musicapp.live import routes  # noqa: E402
from musicapp.live.hub import Hub, live_hub  # noqa: E402
from musicapp.live.registry import Registry  # noqa: E402
from musicapp.live.ring import Ring  # noqa: E402

registry = Registry()
registry.fragment("row")(lambda ref: f'<li id="row-{ref}"></li>')
registry.fragment("large")(lambda ref: f'<li id="row-{ref}">{"x" * 100_000}</li>')
registry.topic("home")(lambda viewer, number: True)

app = Flask("live-under-gunicorn")
app.config.update(
    REDIS_URL=os.environ["REDIS_URL"],
    SITE_URL="http://localhost",
    LIVE_MAX_STREAMS=1000,
    LIVE_HANDOVER=os.environ.get("LIVE_HANDOVER") != "no",
    SQLALCHEMY_DATABASE_URI="sqlite://",
)
db.init_app(app)
Babel(app)
app.register_blueprint(routes.blueprint)
app.extensions["live_hub"] = Hub(
    app, registry, merge_seconds=0, beat_seconds=1, ring=Ring(max_bytes=int(os.environ.get("RING_BYTES", 2**20)))
)


@app.after_request
def add_header(response: Any) -> Any:
    response.headers["X-After"] = "yes"
    return response


@app.get("/count")
def count() -> dict[str, int]:
    return {"streams": live_hub().stream_count, "descriptors": len([*Path("/proc/self/fd").iterdir()])}
