"""The short way must answer as the long one does: each request is sent both ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient

from musicapp.playback.lane import FOUND_TRACK, StreamLane
from tests.playback.conftest import House

pytestmark = pytest.mark.one_database

CHROME = {"Accept": "*/*", "User-Agent": "Mozilla/5.0 Chrome/156.0.0.0 Safari/537.36"}


@pytest.fixture
def long_way(app: Flask) -> Callable[..., Any]:
    """The app without its lane."""
    around: Any = app.wsgi_app
    while not isinstance(around._onward, StreamLane):
        around = around._onward
    lane = around._onward

    def ask(method: str, url: str, headers: dict[str, str]) -> Any:
        around._onward = lane._onward
        try:
            return app.test_client().open(url, method=method, headers=headers)
        finally:
            around._onward = lane

    return ask


@pytest.fixture
def seen(app: Flask) -> list[str]:
    """Paths of the requests that came through to Flask."""
    paths: list[str] = []
    app.before_request_funcs.setdefault(None, []).append(lambda: paths.append(request.path))
    return paths


@pytest.mark.parametrize(
    ("method", "query", "headers"),
    [
        ("GET", "", {}),
        ("HEAD", "", {}),
        ("GET", "", {"Range": "bytes=100-199"}),
        ("GET", "", {"Range": "bytes=-5"}),
        ("GET", "", {"Range": "bytes=999999999-"}),
        ("GET", "", {"If-Modified-Since": "Sun, 01 Mar 2026 12:00:00 GMT"}),
        ("GET", "", {"If-Match": '"other"'}),
        ("GET", "", {"Range": "bytes=5-", "If-Range": '"other"'}),
        ("GET", "?quality=low", {}),
        ("GET", "?quality=original&formats=flac,mp3", {"Range": "bytes=0-0"}),
        ("GET", "", {"Accept": "audio/mpeg"}),
        ("GET", "", {"User-Agent": "AppleCoreMedia/1.0.0.21F90 (iPhone)"}),
    ],
)
def test_both_ways_give_the_same_answer(
    house: House,
    client: FlaskClient,
    long_way: Callable[..., Any],
    seen: list[str],
    method: str,
    query: str,
    headers: dict[str, str],
) -> None:
    url = f"/tracks/{house.ready}/stream{query}"
    short = client.open(url, method=method, headers={**CHROME, **headers})
    assert seen == []
    long = long_way(method, url, {**CHROME, **headers})
    assert len(seen) == 1
    assert (short.status_code, short.data) == (long.status_code, long.data)
    own = {"Date", "Vary", "X-Request-ID"}
    said = {name: value for name, value in long.headers if name not in own}
    assert {name: value for name, value in short.headers if name not in own} == said
    assert set(short.vary) <= set(long.vary)


def test_nginx_gets_the_same_order_both_ways(
    house: House, client: FlaskClient, long_way: Callable[..., Any], seen: list[str]
) -> None:
    house.app.config["USE_X_ACCEL_REDIRECT"] = True
    url = f"/tracks/{house.ready}/stream"
    short, long = client.get(url, headers=CHROME), long_way("GET", url, CHROME)
    assert short.headers["X-Accel-Redirect"] == long.headers["X-Accel-Redirect"]
    assert len(seen) == 1


@pytest.mark.parametrize("what", ["stream?quality=best", "stream?formats=wav", "waveform", "preview", "stream/"])
def test_what_is_not_simple_goes_to_flask(house: House, client: FlaskClient, seen: list[str], what: str) -> None:
    client.get(f"/tracks/{house.ready}/{what}", headers=CHROME).close()
    assert len(seen) == 1


def test_rights_that_depend_on_the_viewer_go_to_flask(house: House, client: FlaskClient, seen: list[str]) -> None:
    client.get(f"/tracks/{house.draft}/stream")
    client.get("/tracks/999999/stream")
    client.post(f"/tracks/{house.ready}/stream")
    assert len(seen) == 3
    house.app.config["PUBLIC_LISTENING"] = False
    assert client.get(f"/tracks/{house.ready}/stream").status_code == 401


def test_a_client_cannot_say_what_the_lane_found(house: House, client: FlaskClient) -> None:
    header = FOUND_TRACK.replace(".", "-")
    assert client.get(f"/tracks/{house.draft}/stream", headers={header: "1"}).status_code == 404


def test_the_path_must_be_the_whole_path(house: House, client: FlaskClient, seen: list[str]) -> None:
    for path in (
        f"/x/tracks/{house.ready}/stream",
        f"/tracks/{house.ready}/stream%0A",
        f"/tracks/0{house.ready}/stream",
    ):
        client.get(path).close()
    assert len(seen) == 3
