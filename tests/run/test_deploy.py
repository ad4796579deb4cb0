"""A new version goes out under load: no request is lost, open pages hear everything."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests
from flask import Flask

from deploy import renew
from deploy.renew import renew_web
from deploy.settings import StartError, read_settings
from musicapp import create_app
from musicapp.core.db import db
from musicapp.live import services as live
from tests.run.conftest import start
from tests.run.nginx import nginx_command, write_configuration
from tests.servers import Site, free_port, wait_for

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

TICKS_PER_SECOND = 10


class Load:
    """People who read pages and press a button, one request after the other, and count what they got."""

    def __init__(self, address: str, readers: int = 4) -> None:
        self.address = address
        self.answers: Counter[str] = Counter()
        self.lost: list[str] = []
        self.ended = threading.Event()
        self._threads = [threading.Thread(target=self._read, args=(number,)) for number in range(readers)]
        self._threads.append(threading.Thread(target=self._press))

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self._threads:
            thread.join(30)

    def _read(self, number: int) -> None:
        # Every second one keeps its connection, as browsers and nginx do; the others connect anew each time.
        with requests.Session() as session:
            if number % 2:
                session.headers["Connection"] = "close"
            while not self.ended.is_set():
                for path in ("/albums/", "/search?q=x", "/healthz"):
                    self._ask(session, "GET", path)
                    self.ended.wait(0.1)  # they read; a machine that is full only shows that it is full

    def _press(self) -> None:
        with requests.Session() as session:
            while not self.ended.is_set():
                self._ask(session, "POST", "/login", data={"username": "nobody", "password": "three green kettles"})
                self.ended.wait(0.3)

    def _ask(self, session: requests.Session, method: str, path: str, **more: object) -> None:
        try:
            answer = session.request(method, self.address + path, timeout=30, allow_redirects=False, **more)  # type: ignore[arg-type]
        except requests.RequestException as error:
            self.lost.append(f"{method} {path}: {error!r}")
            return
        self.answers[method] += 1
        if answer.status_code >= 500:
            self.lost.append(f"{method} {path}: {answer.status_code}")


class Page:
    """An open page: hears the ticks, and connects again from the last id when its stream ends."""

    def __init__(self, address: str, cursor: str) -> None:
        self.address = address
        self.heard: list[str] = []
        self.streams = 0
        self.refused: list[str] = []
        self.ended = threading.Event()
        self._last_id = cursor  # as it stands in the page
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        while not self.ended.is_set():
            headers = {"Last-Event-ID": self._last_id}
            try:
                with requests.get(
                    f"{self.address}/live?topics=home", headers=headers, stream=True, timeout=(10, 20)
                ) as stream:
                    if stream.status_code != 200:
                        self.refused.append(str(stream.status_code))
                        continue
                    self.streams += 1
                    for line in stream.iter_lines(chunk_size=1, decode_unicode=True):
                        if line.startswith("id:"):
                            self._last_id = line.removeprefix("id:").strip()
                        elif line.startswith("event: tick-"):
                            self.heard.append(line.removeprefix("event: "))
                        if self.ended.is_set():
                            return
            except requests.RequestException as error:
                if "NewConnectionError" in repr(error):
                    self.refused.append(repr(error))

    def stop(self) -> None:
        self.ended.set()
        self._thread.join(30)


class Ticks:
    """Says `tick-1`, `tick-2`, … to the home page's listeners until it is left."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.said = 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with self.app.app_context():
            while not self._ended.wait(1 / TICKS_PER_SECOND):
                self.say()

    def say(self) -> None:
        self.said += 1
        live.poke("home", f"tick-{self.said}")
        db.session.commit()

    def __enter__(self) -> Ticks:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


@pytest.fixture
def ticking(site: Site) -> Iterator[Flask]:
    app = create_app(site.environ)
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["live_publisher"].close()
    app.extensions["redis"].close()


def cursor_of(app: Flask) -> str:
    with app.app_context():
        live.poke("home", "begin")
        db.session.commit()
        return str(live.current_cursor())


def check_nothing_was_lost(load: Load, pages: list[Page], ticks: Ticks) -> None:
    assert load.lost == []
    assert load.answers["GET"] > 50, load.answers
    assert load.answers["POST"] > 3, load.answers
    said = [f"tick-{number}" for number in range(1, ticks.said + 1)]
    for page in pages:
        wait_for(lambda page=page: page.heard and page.heard[-1] == said[-1], 20, "the page hears the last tick")  # type: ignore[misc]
        assert page.refused == []
        # An update may come twice; none may be missing, and their order stays.
        assert list(dict.fromkeys(page.heard)) == said


def test_all_web_processes_are_replaced_in_place_and_nobody_notices(site: Site, ticking: Flask) -> None:
    """`make renew`: the socket stays, new processes come first, then the old ones finish what they have and end."""
    site.migrate()
    site.start_web(processes=2)
    master = psutil.Process(site.processes["web"].pid)
    before = {child.pid for child in master.children()}
    pages = [Page(site.url, cursor_of(ticking)) for _ in range(3)]
    try:
        wait_for(lambda: all(page.streams for page in pages), what="pages are open")
        with Ticks(ticking) as ticks, Load(site.url) as load:
            wait_for(lambda: load.answers["POST"] > 2 and ticks.said > 10, 30, "the site is in use")
            assert renew_web(master.pid, site.instance / "run") == 2
            after = {child.pid for child in master.children()}
            assert len(after) == 2
            assert not before & after
            asked = load.answers["GET"]
            wait_for(lambda: load.answers["GET"] > asked + 20, 30, "the new ones answer")
        with ticking.app_context():
            ticks.say()
        check_nothing_was_lost(load, pages, ticks)
        assert all(page.streams >= 2 for page in pages), "each page was moved"
    finally:
        for page in pages:
            page.ended.set()
        site.stop()  # ends the streams, so that the pages' threads look up
        for page in pages:
            page.stop()


def test_new_code_that_does_not_start_replaces_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renew, "ROOT", tmp_path)
    settings = read_settings({**os.environ, "INSTANCE_PATH": str(tmp_path / "instance")})
    for code, words in (
        ("import (", "SyntaxError"),
        ("raise KeyError('a setting')", "a setting"),
        ("", "attribute 'app'"),
    ):
        (tmp_path / "wsgi.py").write_text(code)
        with pytest.raises(StartError, match=f"nothing was replaced: .*{words}"):
            renew.check_code(settings)


def test_web_server_that_ends_with_the_new_code_is_told_of_at_once(tmp_path: Path) -> None:
    """gunicorn ends altogether when a new process can't load the app, and the old ones with it."""
    ends_when_asked_for_more = (
        "import signal, subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "signal.signal(signal.SIGTTIN, lambda *_: (child.kill(), child.wait(), sys.exit(3)))\n"
        "print('ready', flush=True)\n"
        "while True: signal.pause()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", ends_when_asked_for_more], stdout=subprocess.PIPE, text=True
    ) as master:
        assert master.stdout is not None
        master.stdout.readline()
        with pytest.raises(StartError, match="ended the web server"):
            renew_web(master.pid, tmp_path)


def test_one_of_two_web_servers_behind_nginx_is_replaced_and_nobody_notices(site: Site, ticking: Flask) -> None:
    """Two servers, as on two machines or in two containers: one ends, nginx goes on with the other, a new one comes."""
    ports, door = [free_port(), free_port()], free_port()
    site.environ |= {"TRUSTED_PROXY_COUNT": "1"}
    site.migrate()

    def start_server(number: int) -> None:
        bind = ["--bind", f"127.0.0.1:{ports[number]}", "--workers", "1"]
        site.run(f"web-{number}", ["gunicorn", "-c", "deploy/gunicorn.conf.py", *bind, "wsgi:app"])
        wait_for(lambda: answers(f"http://127.0.0.1:{ports[number]}"), 60, f"server {number} answers")

    for number in (0, 1):
        start_server(number)
    folder = Path(site.folder) / "nginx"
    folder.mkdir()
    configuration = write_configuration(folder, ports[0], f"listen 127.0.0.1:{door};\n")
    upstream = f"server 127.0.0.1:{ports[0]};"
    text = configuration.read_text()
    assert text.count(upstream) == 1
    configuration.write_text(text.replace(upstream, f"{upstream} server 127.0.0.1:{ports[1]};"))
    nginx = start(nginx_command(configuration), site.folder / "nginx.log")
    address = f"http://127.0.0.1:{door}"
    pages: list[Page] = []
    try:
        wait_for(lambda: answers(address), what="nginx answers")
        pages = [Page(address, cursor_of(ticking)) for _ in range(3)]
        wait_for(lambda: all(page.streams for page in pages), what="pages are open")
        with Ticks(ticking) as ticks, Load(address) as load:
            wait_for(lambda: load.answers["POST"] > 2 and ticks.said > 10, 30, "the site is in use")
            site.kill("web-0", signal.SIGTERM)
            asked = load.answers["GET"]
            wait_for(lambda: load.answers["GET"] > asked + 20, 30, "the other goes on alone")
            start_server(0)
            asked = load.answers["GET"]
            wait_for(lambda: load.answers["GET"] > asked + 20, 30, "both answer")
        with ticking.app_context():
            ticks.say()
        check_nothing_was_lost(load, pages, ticks)
        assert any(page.streams >= 2 for page in pages), "a page was moved"
    finally:
        for page in pages:
            page.ended.set()
        nginx.terminate()
        nginx.wait(15)
        site.stop()
        for page in pages:
            page.stop()


def answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/healthz", timeout=2).status_code == 200
    except requests.RequestException:
        return False
