"""The shipped nginx configuration before gunicorn with the shipped configuration: both real."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import requests

from tests.run.conftest import clean_environ, start
from tests.run.nginx import fill_in, nginx_command, write_configuration
from tests.servers import free_port, wait_for

pytestmark = pytest.mark.real
BYTES = bytes(range(256)) * 400


@pytest.fixture(scope="module")
def flower() -> Iterator[ThreadingHTTPServer]:
    """Stands in for Flower: answers with what it was asked."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = f"flower was asked for {self.path}\n{self.headers}".encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(asked)))
            self.end_headers()
            self.wfile.write(asked)

        do_POST = do_GET  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, flower: ThreadingHTTPServer) -> Iterator[str]:
    """The address of nginx before the tiny app."""
    folder = tmp_path_factory.mktemp("nginx")
    app_port, port = free_port(), free_port()
    listen = f"listen 127.0.0.1:{port} default_server;\n"
    configuration = write_configuration(folder, app_port, listen, flower_port=flower.server_port)
    (folder / "media" / "renditions").mkdir()
    (folder / "media" / "renditions" / "one.opus").write_bytes(BYTES)
    web = start(
        [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "tests.run.tiny_app:app"],
        folder / "gunicorn.log",
        environ=clean_environ(HOST="127.0.0.1", PORT=str(app_port), WEB_CONCURRENCY="1"),
    )
    nginx = start(nginx_command(configuration), folder / "nginx.log")
    try:
        wait_for(lambda: answers(f"http://127.0.0.1:{port}/"), what="the app answers through nginx")
        yield f"http://127.0.0.1:{port}"
    finally:
        for program in (nginx, web):
            program.terminate()
            program.wait(15)


def answers(address: str) -> bool:
    try:
        return requests.get(address, timeout=2).status_code == 200
    except requests.RequestException:
        return False


def test_a_redirect_of_the_app_is_answered_with_the_file_and_its_ranges(site: str) -> None:
    whole = requests.get(f"{site}/stream/renditions/one.opus", timeout=5)
    assert (whole.status_code, whole.content) == (200, BYTES)
    assert whole.headers["Content-Type"] == "audio/ogg"
    assert whole.headers["Cache-Control"] == "private, max-age=60"
    assert whole.headers["X-Content-Type-Options"] == "nosniff"

    part = requests.get(f"{site}/stream/renditions/one.opus", headers={"Range": "bytes=1000-1999"}, timeout=5)
    assert (part.status_code, part.content) == (206, BYTES[1000:2000])
    assert part.headers["Content-Range"] == f"bytes 1000-1999/{len(BYTES)}"

    beyond = requests.get(f"{site}/stream/renditions/one.opus", headers={"Range": "bytes=9999999-"}, timeout=5)
    assert beyond.status_code == 416


def test_a_file_that_has_not_changed_is_not_sent_again(site: str) -> None:
    first = requests.get(f"{site}/stream/renditions/one.opus", timeout=5)
    again = requests.get(
        f"{site}/stream/renditions/one.opus", headers={"If-None-Match": first.headers["ETag"]}, timeout=5
    )
    assert (again.status_code, again.content) == (304, b"")


def test_media_can_not_be_fetched_around_the_app(site: str) -> None:
    assert requests.get(f"{site}/_media/renditions/one.opus", timeout=5).status_code == 404


def test_a_live_event_arrives_before_the_next_one_is_sent(site: str) -> None:
    headers = {"Accept-Encoding": "gzip", "Accept": "text/event-stream"}
    with requests.get(f"{site}/live", headers=headers, stream=True, timeout=10) as stream:
        lines = stream.iter_lines(chunk_size=1)
        assert next(lines) == b"data: first"
        # The app waits for this before it writes the second event: a proxy that buffers would hang above.
        requests.get(f"{site}/release", timeout=5)
        assert [line for line in lines if line] == [b"data: second"]


def test_an_upload_reaches_the_app_while_it_is_still_being_sent(site: str) -> None:
    host, port = site.removeprefix("http://").split(":")
    half = b"x" * 300_000
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        head = (
            f"POST /uploads/ HTTP/1.1\r\nHost: {host}\r\nContent-Length: {2 * len(half)}\r\nConnection: close\r\n\r\n"
        )
        connection.sendall(head.encode() + half)
        wait_for(
            lambda: int(requests.get(f"{site}/received", timeout=5).text) > 0,
            what="the app has read of the upload",
        )
        connection.sendall(half)
        assert b"204" in connection.recv(4096).split(b"\r\n")[0]
    assert int(requests.get(f"{site}/received", timeout=5).text) == 2 * len(half)


def test_the_app_learns_the_clients_address_and_only_from_nginx(site: str) -> None:
    sent = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example"}
    sent |= {"X-Forwarded-Port": "444", "X-Forwarded-Prefix": "/evil"}
    seen = dict(
        line.split(": ", 1) for line in requests.get(f"{site}/headers", headers=sent, timeout=5).text.split("\n")
    )
    assert seen["HTTP_X_FORWARDED_FOR"].split(", ")[-1] == "127.0.0.1"
    assert seen["HTTP_X_FORWARDED_PROTO"] == "http"
    assert seen["HTTP_X_FORWARDED_HOST"] == site.removeprefix("http://") == seen["HTTP_HOST"]
    assert "HTTP_X_FORWARDED_PORT" not in seen
    assert "HTTP_X_FORWARDED_PREFIX" not in seen


def test_static_files_come_from_nginx_compressed_and_are_asked_for_again(site: str) -> None:
    plain = requests.get(f"{site}/static/icons.svg", timeout=5)
    assert plain.status_code == 200
    assert plain.headers["Content-Encoding"] == "gzip"
    assert plain.headers["Cache-Control"] == "no-cache"


def test_flower_is_for_admins_and_learns_no_session(site: str) -> None:
    def ask(who: str, method: str = "GET") -> requests.Response:
        address = f"{site}/flower/tasks?limit=5"
        headers = {"Cookie": f"who={who}"} if who else {}
        return requests.request(method, address, headers=headers, timeout=5, allow_redirects=False)

    admin = ask("admin")
    assert (admin.status_code, admin.text.split("\n")[0]) == (200, "flower was asked for /flower/tasks?limit=5")
    assert "Cookie" not in admin.text
    for method in ("GET", "POST"):
        stranger = ask("", method)
        assert (stranger.status_code, stranger.headers["Location"]) == (303, "/login?next=/flower/")
        bob = ask("bob", method)
        assert (bob.status_code, bob.text) == (404, "nothing here")
    assert ask("admin", "POST").status_code == 200
    asked_from_outside = requests.get(f"{site}/flower-auth", headers={"Cookie": "who=admin"}, timeout=5)
    assert asked_from_outside.status_code == 404


def test_the_tls_variant_is_accepted_by_nginx(tmp_path: Path) -> None:
    if not shutil.which("openssl"):
        pytest.skip("openssl, which makes the certificate of this test, is not on PATH")
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost"]
        + ["-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem")],
        check=True,
        capture_output=True,
    )
    listen = fill_in("listen-tls.conf.template", {}).replace("/etc/nginx/tls", str(tmp_path))
    listen = listen.replace("listen 443", f"listen 127.0.0.1:{free_port()}")
    configuration = write_configuration(tmp_path, free_port(), listen)
    checked = subprocess.run([*nginx_command(configuration), "-t"], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stderr
