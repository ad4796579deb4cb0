"""A small app with the live room only, fragments that need no tables, and pages that listen."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis
from flask import Flask
from flask_babel import Babel

from musicapp.core.db import db, listen_to_engine
from musicapp.live import routes
from musicapp.live.hub import Hub
from musicapp.live.log import LiveLog
from musicapp.live.publisher import publisher
from musicapp.live.registry import Registry
from tests.live.listening import HttpPage, Page
from tests.servers import RedisServer

MakeApp = Callable[..., Flask]


class Counted:
    """Fragments that count how often they were rendered."""

    def __init__(self) -> None:
        self.renderings: list[int] = []

    def render(self, ref: int) -> str:
        self.renderings.append(ref)
        return f'<li id="row-{ref}">row {ref}, rendering {self.renderings.count(ref)}</li>'


@pytest.fixture
def counted() -> Counted:
    return Counted()


@pytest.fixture
def registry(counted: Counted) -> Registry:
    registry = Registry()
    registry.fragment("row")(counted.render)
    registry.topic("home")(lambda viewer, number: True)
    registry.topic("album")(lambda viewer, number: True)
    registry.topic("secret")(lambda viewer, number: False)
    return registry


@pytest.fixture
def make_app(tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch) -> Iterator[MakeApp]:
    monkeypatch.setattr("musicapp.live.listener.LOOK_SECONDS", 0.05)  # tests stop it often
    apps: list[Flask] = []

    def make(redis_url: str, **hub_options: object) -> Flask:
        app = Flask("live-tests")
        app.config.update(
            REDIS_URL=redis_url,
            SITE_URL="http://localhost",
            SECRET_KEY="x",
            LIVE_MAX_STREAMS=1000,
            SQLALCHEMY_DATABASE_URI=f"sqlite:///{tmp_path / f'{len(apps)}.db'}",
        )
        db.init_app(app)
        Babel(app)
        app.register_blueprint(routes.blueprint)
        app.extensions["live_hub"] = Hub(app, registry, **hub_options)  # type: ignore[arg-type]
        with app.app_context():
            listen_to_engine(db.engine)
            publisher()
        apps.append(app)
        return app

    yield make
    for app in apps:
        app.extensions["live_hub"].stop()
        app.extensions["live_hub"].wait_until_stopped()
        app.extensions["live_publisher"].close()
        with app.app_context():
            db.session.remove()
            db.engine.dispose()


@pytest.fixture(autouse=True)
def closed_pages() -> Iterator[None]:
    yield
    while HttpPage.opened:
        HttpPage.opened.pop().close()


@pytest.fixture
def clean_redis(redis_server: RedisServer) -> RedisServer:
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
    return redis_server


@pytest.fixture
def live_app(make_app: MakeApp, clean_redis: RedisServer) -> Flask:
    return make_app(clean_redis.url)


@pytest.fixture
def hub(live_app: Flask) -> Hub:
    made: Hub = live_app.extensions["live_hub"]
    return made


@pytest.fixture
def log(clean_redis: RedisServer) -> Iterator[LiveLog]:
    with redis.Redis.from_url(clean_redis.url) as client:
        yield LiveLog(client)


@pytest.fixture
def page(hub: Hub) -> Callable[..., Page]:
    """Opens a page on the hub without HTTP: `page("album-3", after=cursor)`."""
    return lambda *topics, **options: Page.on(hub, *topics, **options)
