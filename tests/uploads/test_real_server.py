"""Uploads to real gunicorn processes, which may be killed."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from flask import Flask

from musicapp import create_app
from musicapp.core.db import db
from tests.people import sign_in
from tests.servers import Site, wait_for
from tests.uploads.conftest import Cast, make_cast, only_upload, path_of

pytestmark = pytest.mark.real

CONTENT = os.urandom(6_000_000)


@dataclass
class Web:
    """A site whose web processes run, with alice signed in."""

    site: Site
    app: Flask
    cast: Cast
    session: requests.Session
    cookie: str

    def create(self) -> str:
        answer = self.session.post(
            self.site.url + "/uploads/",
            headers={
                "Upload-Length": str(len(CONTENT)),
                "Upload-Metadata": "filename YS5tcDM=,album_id MQ==",
            },
            timeout=10,
        )
        assert answer.status_code == 201, answer.text
        return answer.headers["Location"]

    def offset(self, address: str) -> int:
        answer = self.session.head(address, timeout=10)
        assert answer.status_code == 200
        return int(answer.headers["Upload-Offset"])

    def patch(self, address: str, offset_bytes: int) -> requests.Response:
        return self.session.patch(
            address,
            data=CONTENT[offset_bytes:],
            headers={"Upload-Offset": str(offset_bytes), "Content-Type": "application/offset+octet-stream"},
            timeout=30,
        )

    def begin(self, address: str, offset_bytes: int, sent_bytes: int) -> socket.socket:
        """A PATCH that promises the rest of the file and stays open behind `sent_bytes` of it."""
        connection = socket.create_connection(("127.0.0.1", self.site.port))
        head = (
            f"PATCH {urlsplit(address).path} HTTP/1.1\r\nHost: 127.0.0.1:{self.site.port}\r\n"
            f"Cookie: session={self.cookie}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset_bytes}\r\n"
            f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(CONTENT) - offset_bytes}\r\n\r\n"
        )
        connection.sendall(head.encode() + CONTENT[offset_bytes : offset_bytes + sent_bytes])
        return connection

    def file(self) -> Path:
        return path_of(self.app, only_upload(self.app))


@pytest.fixture
def web(site: Site) -> Iterator[Web]:
    site.migrate()
    site.start_web()
    app = create_app(site.environ)
    cast = make_cast(app)
    cookie = sign_in(app, cast.alice).get_cookie("session")
    assert cookie is not None
    with requests.Session() as session:
        session.cookies.set("session", cookie.value)
        session.headers["Tus-Resumable"] = "1.0.0"
        yield Web(site, app, cast, session, cookie.value)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()


def test_killed_web_server_costs_nothing_that_was_on_disk(web: Web) -> None:
    address = web.create()
    with web.begin(address, 0, 3_000_000):
        wait_for(lambda: web.file().exists() and web.file().stat().st_size > 2_000_000, what="bytes on disk")
        web.site.kill("web")
    web.site.start_web()
    there = web.offset(address)
    assert there >= 2_000_000
    assert web.patch(address, there).status_code == 204
    assert web.file().read_bytes() == CONTENT
    assert only_upload(web.app).state == "received"


def test_cut_connection_keeps_what_has_arrived_and_lets_go_of_the_file(web: Web) -> None:
    address = web.create()
    web.begin(address, 0, 1_234_567).close()
    wait_for(lambda: web.offset(address) == 1_234_567, what="every byte that was sent")
    assert web.patch(address, 1_234_567).status_code == 204
    assert web.file().read_bytes() == CONTENT


def test_two_at_once_can_not_spoil_a_file(web: Web) -> None:
    address = web.create()
    with web.begin(address, 0, 2_000_000):
        there = wait_for(lambda: web.offset(address), what="the first bytes")
        assert web.patch(address, there).status_code == 423
    there = wait_for(lambda: web.offset(address) == 2_000_000 and 2_000_000, what="the rest of the first")
    assert web.patch(address, there).status_code == 204
    assert web.file().read_bytes() == CONTENT


def test_others_are_served_while_a_client_is_slow(web: Web) -> None:
    address = web.create()
    with web.begin(address, 0, 1000), web.begin(web.create(), 0, 1000):
        for _ in range(20):
            assert requests.get(web.site.url + "/healthz", timeout=5).status_code == 200
