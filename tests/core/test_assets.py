from __future__ import annotations

import gzip
from pathlib import Path

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient

from musicapp.core.assets import Assets, script_modules, static_url


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """No statement runs here, so one kind is enough."""
    return f"sqlite:///{tmp_path / 'musicapp.db'}"


def address(app: Flask, name: str) -> str:
    with app.test_request_context():
        return static_url(name)


def test_a_file_below_the_version_is_kept_for_ever_and_one_below_another_is_asked_for_again(
    app: Flask, client: FlaskClient
) -> None:
    kept = client.get(address(app, "css/app.css"))
    assert "immutable" in kept.headers["Cache-Control"]
    assert client.get("/assets/0123456789ab/css/app.css").headers["Cache-Control"] == "no-cache"


def test_text_is_compressed_as_the_browser_likes_it(app: Flask, client: FlaskClient) -> None:
    name = address(app, "js/page.js")
    plain = client.get(name).data
    small = client.get(name, headers={"Accept-Encoding": "gzip, br"})
    assert small.headers["Content-Encoding"] == "br"
    assert small.headers["Vary"] == "Accept-Encoding"
    assert brotli.decompress(small.data) == plain
    assert gzip.decompress(client.get(name, headers={"Accept-Encoding": "gzip"}).data) == plain
    assert len(plain) < (Path(str(app.static_folder)) / "js/page.js").stat().st_size
    again = client.get(name, headers={"Accept-Encoding": "br", "If-None-Match": small.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_what_is_no_text_and_what_is_vendored_stays_as_it_is(app: Flask, client: FlaskClient) -> None:
    for name in ("vendor/htmx.org-4.0.1/htmx.min.js", "icons.svg"):
        assert client.get(address(app, name)).data == (Path(str(app.static_folder)) / name).read_bytes()


@pytest.mark.parametrize("name", ["nothing.js", "../config.py", "js", "%2e%2e/config.py"])
def test_nothing_else_is_served(client: FlaskClient, name: str) -> None:
    assert client.get(f"/assets/x/{name}").status_code == 404


def test_the_version_follows_every_file(tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a{}")
    first = Assets(tmp_path).version
    (tmp_path / "b.css").write_text("b{}")
    assert Assets(tmp_path).version != first


def test_pages_preload_the_scripts_that_the_first_one_imports(app: Flask, client: FlaskClient) -> None:
    with app.test_request_context():
        modules = script_modules()
    page = client.get("/login").text
    assert len(modules) > 5
    for module in modules[1:]:
        assert f'<link rel="modulepreload" href="{module}">' in page
    for module in modules:
        assert client.get(module).status_code == 200


def test_scripts_and_everything_else_stay_small(app: Flask, client: FlaskClient) -> None:
    folder = Path(str(app.static_folder))

    def size(path: Path) -> int:
        name = path.relative_to(folder).as_posix()
        with client.get(address(app, name), headers={"Accept-Encoding": "gzip"}) as answer:
            return len(answer.data)

    own = sum(size(path) for path in (folder / "js").rglob("*.js"))
    served = [
        p for p in folder.rglob("*") if p.suffix in {".css", ".svg", ".woff2", ".js"} and "js" not in p.parts[-2:]
    ]
    others = sum(size(path) for path in served if not path.is_relative_to(folder / "js"))
    assert own < 60_000
    assert others < 150_000


def test_pages_are_sent_small_and_whole(client: FlaskClient) -> None:
    plain = client.get("/login").data
    small = client.get("/login", headers={"Accept-Encoding": "br"})
    assert small.headers["Content-Encoding"] == "br"
    assert "Accept-Encoding" in small.headers["Vary"]
    assert len(small.data) < len(plain) / 2
    assert brotli.decompress(small.data).startswith(b"<!doctype html>")
