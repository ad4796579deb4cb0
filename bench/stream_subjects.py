"""What bench/stream.py measures: musicapp and its yardsticks as running programs."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parent.parent
ADDRESS = "127.0.0.1"
FILE_BYTES = 10 * 1024**2
PROCESSES = 2
START_SECONDS = 30
BEHIND_NGINX = {"musicapp+nginx": "musicapp", "check+nginx": "check"}

NGINX_CONF = """
worker_processes {processes};
events {{ worker_connections 4096; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen {address}:{port} backlog=4096;
        location = {path} {{ alias {file}; }}
    }}
}}
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((ADDRESS, 0))
        return int(listener.getsockname()[1])


def answers(port: int) -> bool:
    try:
        with socket.create_connection((ADDRESS, port), timeout=1):
            return True
    except OSError:
        return False


def wait_for(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {START_SECONDS} s for {what}")
        time.sleep(0.02)


@contextmanager
def program(command: list[str], folder: Path, **environ: str) -> Iterator[psutil.Process]:
    """Runs a program; what it printed is shown when something fails."""
    printed = folder / f"{Path(command[0]).name}-{secrets.token_hex(3)}.log"
    with printed.open("wb") as output:
        started = subprocess.Popen(
            command, cwd=REPOSITORY, env={**os.environ, **environ}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield psutil.Process(started.pid)
    except BaseException:
        print(printed.read_text(errors="replace")[-3000:], file=sys.stderr)
        raise
    finally:
        started.terminate()
        try:
            started.wait(10)
        except subprocess.TimeoutExpired:
            started.kill()
            started.wait()


@dataclass(frozen=True)
class Library:
    """A made-up site with one published track whose file is 10 MiB."""

    instance: Path
    track_id: int
    file: Path

    @property
    def path(self) -> str:
        return f"/tracks/{self.track_id}/stream"


def make_library(folder: Path) -> Library:
    """A migrated database and the file, as the site keeps them."""
    from flask_migrate import upgrade

    from musicapp import create_app
    from musicapp.catalog.models import Album, Artist, Original, Rendition, Track
    from musicapp.core.db import db
    from musicapp.core.storage import store

    instance = folder / "instance"
    app = create_app({"INSTANCE_PATH": str(instance), "SECRET_KEY": "bench"})
    with app.app_context():
        upgrade(directory=str(REPOSITORY / "migrations"))
        artist = Artist(name="Bench", sort_name="Bench")
        db.session.add(artist)
        db.session.flush()
        album = Album(artist_id=artist.id, title="Bench", sort_title="Bench", published_at=datetime.now(UTC))
        db.session.add(album)
        db.session.flush()
        track = Track(album_id=album.id, title="Bench", sort_title="Bench", duration_ms=240_000)
        key = store().new_key("renditions", ".mp3")
        store().path(key).write_bytes(os.urandom(FILE_BYTES))
        track.renditions = [
            Rendition(
                profile="mp3_256",
                key=key,
                codec="mp3",
                mime="audio/mpeg",
                bitrate_kbps=256,
                size_bytes=FILE_BYTES,
                duration_ms=240_000,
            )
        ]
        track.original = Original(
            key=store().new_key("originals"),
            filename="bench.flac",
            size_bytes=FILE_BYTES,
            container="flac",
            codec="flac",
            mime="audio/flac",
            is_browser_playable=True,
            is_lossless=True,
        )
        db.session.add(track)
        db.session.commit()
        library = Library(instance, track.id, store().path(key))
        db.engine.dispose()
    return library


class Site:
    """The subjects that were asked for, running; each is a port and a path."""

    def __init__(self, stack: ExitStack, folder: Path, library: Library) -> None:
        self._stack = stack
        self._folder = folder
        self._library = library
        self.ports: dict[str, int] = {}
        self._programs: dict[str, list[psutil.Process]] = {}
        self._nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")

    def start(self, subject: str) -> bool:
        """Starts the subject; False where nginx is not installed."""
        if "nginx" not in subject:
            self.ports[subject] = self._gunicorn(subject, subject, behind_nginx=False)
            return True
        if self._nginx is None:
            return False
        if subject == "nginx":
            self.ports[subject] = self._run_nginx(subject, self._bare_configuration)
            return True
        upstream = self._gunicorn(subject, BEHIND_NGINX[subject], behind_nginx=True)
        self.ports[subject] = self._run_nginx(
            subject, lambda folder, port: self._shipped_configuration(folder, port, upstream)
        )
        return True

    def cpu_s(self, subject: str) -> float:
        """CPU time that the subject's processes have used so far."""
        family = [each for program in self._programs[subject] for each in (program, *program.children())]
        return sum(times.user + times.system for times in (each.cpu_times() for each in family))

    def _gunicorn(self, subject: str, app: str, *, behind_nginx: bool) -> int:
        port = free_port()
        environ = {
            "HOST": ADDRESS,
            "PORT": str(port),
            "WEB_CONCURRENCY": str(PROCESSES),
            "INSTANCE_PATH": str(self._library.instance),
            "SECRET_KEY": "bench",
            "REDIS_URL": f"unix://{self._folder}/none.sock",  # a stream of a published track asks no Redis
            "USE_X_ACCEL_REDIRECT": "true" if behind_nginx else "false",
            "BENCH_SUBJECT": app,
            "BENCH_FILE": str(self._library.file),
            "BENCH_DATABASE": str(self._library.instance / "musicapp.db"),
            "PYTHONPATH": str(REPOSITORY),
        }
        module = "wsgi:app" if app == "musicapp" else "bench.stream_apps:app"
        command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", module]
        started = self._stack.enter_context(program(command, self._folder, **environ))
        self._programs.setdefault(subject, []).append(started)
        wait_for(lambda: len(started.children()) == PROCESSES and answers(port), subject)
        return port

    def _run_nginx(self, subject: str, configure: Callable[[Path, int], str]) -> int:
        folder = self._folder / subject
        folder.mkdir()
        port = free_port()
        configuration = folder / "nginx.conf"
        configuration.write_text(configure(folder, port))
        # Started by root, nginx would read files as another user, who can't enter this folder.
        user = "user root; " if os.geteuid() == 0 else ""
        directives = f"{user}daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;"
        command = [str(self._nginx), "-p", str(folder), "-c", str(configuration), "-e", f"{folder}/error.log"]
        started = self._stack.enter_context(program([*command, "-g", directives], folder))
        self._programs.setdefault(subject, []).append(started)
        wait_for(lambda: answers(port), subject)
        return port

    def _bare_configuration(self, folder: Path, port: int) -> str:
        return NGINX_CONF.format(
            folder=folder,
            address=ADDRESS,
            port=port,
            processes=PROCESSES,
            path=self._library.path,
            file=self._library.file,
        )

    def _shipped_configuration(self, folder: Path, port: int, upstream: int) -> str:
        (folder / "listen.conf").write_text(f"listen {ADDRESS}:{port} default_server backlog=4096;\n")
        (folder / "mime.types").write_text("types { audio/mpeg mp3; }\n")
        (folder / "temp").mkdir()
        values = {
            "NGINX_UPSTREAM": f"{ADDRESS}:{upstream}",
            "NGINX_LISTEN_FILE": folder / "listen.conf",
            "NGINX_FLOWER": "127.0.0.1:5555",
            "NGINX_MEDIA": self._library.instance / "media",
            "NGINX_STATIC": REPOSITORY / "musicapp" / "static",
            "NGINX_TEMP": folder / "temp",
        }
        text = (REPOSITORY / "deploy" / "nginx" / "nginx.conf.template").read_text()
        for name, value in values.items():
            text = text.replace("${" + name + "}", str(value))
        return text.replace("/etc/nginx/mime.types", str(folder / "mime.types"))
