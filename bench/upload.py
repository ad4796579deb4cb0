"""Uploads: what a 500 MB file costs the web process that takes it, and those it serves meanwhile.

`python bench/upload.py [--megabytes 500] [--json FILE]`. One gunicorn process each, one client on the same machine:

tus, one request      musicapp, the whole file in one PATCH
tus, 8 MiB pieces     musicapp, as the page's own client sends it
plain form            musicapp, without scripts
bare                  their yardstick: the body copied into a file, nothing else
request.files         a form taken as Flask does by itself

Growth is the peak of resident memory during the upload (the kernel's own mark, VmHWM) over what the process had
before, warmed up with a small upload. Others: how long GET takes for somebody else while the file comes in. The goal
is that musicapp grows by less than 20 MB; it is printed below the table, met or not.
"""

from __future__ import annotations

import argparse
import base64
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))  # also when started as `python bench/upload.py`

from musicapp import create_app  # noqa: E402
from musicapp.core.db import db  # noqa: E402
from tests.people import register, sign_in  # noqa: E402
from tests.servers import RedisServer, Site, free_port, wait_for  # noqa: E402
from tests.uploads.conftest import make_album  # noqa: E402

MEGABYTE = 1_000_000
WARM_UP_BYTES = 16 * MEGABYTE
CHUNK_BYTES = 8 * 1024 * 1024
BLOCK = os.urandom(1024 * 1024)
GROWTH_GOAL_MB = 20
BOUNDARY = "frontier"
TUS = {"Tus-Resumable": "1.0.0", "Content-Type": "application/offset+octet-stream"}


@dataclass(frozen=True, slots=True)
class Result:
    """One upload."""

    subject: str
    size_mb: float
    growth_mb: float
    peak_mb: float
    seconds: float
    cpu_s: float
    others_p50_ms: float
    others_max_ms: float

    @property
    def mb_per_s(self) -> float:
        return self.size_mb / self.seconds


@dataclass(slots=True)
class Server:
    """One gunicorn process and how to reach it."""

    port: int
    worker: psutil.Process
    quick_path: str
    headers: dict[str, str] = field(default_factory=dict)

    def ask(
        self, method: str, path: str, body: Iterator[bytes] | None = None, **headers: str
    ) -> http.client.HTTPResponse:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=300)
        connection.request(method, path, body=body, headers={**self.headers, **headers})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path} answered {answer.status}")
        return answer


Send = Callable[[Server, int], None]


def blocks(size_bytes: int) -> Iterator[bytes]:
    for at in range(0, size_bytes, len(BLOCK)):
        yield BLOCK[: size_bytes - at]


def send_tus(piece_bytes: int | None) -> Send:
    def send(server: Server, size_bytes: int) -> None:
        pairs = {"filename": "big.flac", "album_id": "1"}
        metadata = ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())
        created = server.ask(
            "POST",
            "/uploads/",
            None,
            **{"Tus-Resumable": "1.0.0", "Upload-Length": str(size_bytes), "Upload-Metadata": metadata},
        )
        path = "/uploads/" + created.headers["Location"].rsplit("/", 1)[-1]
        step = piece_bytes or size_bytes
        for at in range(0, size_bytes, step):
            length = min(step, size_bytes - at)
            server.ask(
                "PATCH", path, blocks(length), **TUS, **{"Content-Length": str(length), "Upload-Offset": str(at)}
            )

    return send


def send_form(path: str) -> Send:
    head = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="big.flac"\r\n'
        "Content-Type: audio/flac\r\n\r\n"
    ).encode()
    tail = f"\r\n--{BOUNDARY}--\r\n".encode()

    def body(size_bytes: int) -> Iterator[bytes]:
        yield head
        yield from blocks(size_bytes)
        yield tail

    def send(server: Server, size_bytes: int) -> None:
        server.ask(
            "POST",
            path,
            body(size_bytes),
            **{
                "Content-Length": str(len(head) + size_bytes + len(tail)),
                "Content-Type": f"multipart/form-data; boundary={BOUNDARY}",
            },
        )

    return send


def send_bare(server: Server, size_bytes: int) -> None:
    server.ask("POST", "/", blocks(size_bytes), **{"Content-Length": str(size_bytes)})


class Others:
    """Somebody else who asks for something small, again and again, while the file comes in."""

    def __init__(self, server: Server) -> None:
        self.waits_ms: list[float] = []
        self._server = server
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> Others:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._ended.wait(0.02):
            begun = time.perf_counter()
            self._server.ask("GET", self._server.quick_path)
            self.waits_ms.append((time.perf_counter() - begun) * 1000)


def measure(subject: str, server: Server, send: Send, size_bytes: int) -> Result:
    send(server, WARM_UP_BYTES)
    before_bytes = server.worker.memory_info().rss
    Path(f"/proc/{server.worker.pid}/clear_refs").write_text("5")  # the kernel's high-water mark begins anew
    cpu_before = server.worker.cpu_times()
    begun = time.perf_counter()
    with Others(server) as others:
        send(server, size_bytes)
        seconds = time.perf_counter() - begun
    cpu = server.worker.cpu_times()
    peak_bytes = high_water_bytes(server.worker.pid)
    waits_ms = sorted(others.waits_ms) or [0.0]
    return Result(
        subject=subject,
        size_mb=size_bytes / MEGABYTE,
        growth_mb=max(0, peak_bytes - before_bytes) / MEGABYTE,
        peak_mb=peak_bytes / MEGABYTE,
        seconds=seconds,
        cpu_s=cpu.user + cpu.system - cpu_before.user - cpu_before.system,
        others_p50_ms=waits_ms[len(waits_ms) // 2],
        others_max_ms=waits_ms[-1],
    )


def high_water_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("the kernel does not tell VmHWM")


@contextmanager
def musicapp(folder: Path) -> Iterator[Server]:
    """The site as it is, with one web process and alice signed in to her album."""
    redis_folder = Path(tempfile.mkdtemp(prefix="ma-"))  # a socket's path must be short
    redis_server = RedisServer(redis_folder)
    redis_server.start()
    site = Site(folder, redis_server)
    try:
        site.migrate()
        app = create_app(site.environ)
        alice = register(app, "alice")
        with app.app_context():
            make_album(alice, "Tides")
            db.session.commit()
        cookie = sign_in(app, alice).get_cookie("session")
        assert cookie is not None
        site.start_web(processes=1)
        headers = {"Cookie": f"session={cookie.value}"}
        yield Server(site.port, worker_of(site.processes["web"].pid), "/healthz", headers)
    finally:
        site.stop()
        redis_server.stop()
        shutil.rmtree(redis_folder, ignore_errors=True)


@contextmanager
def yardstick(folder: Path, name: str) -> Iterator[Server]:
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "--workers", "1"]
    process = subprocess.Popen(
        [*command, f"bench.upload_apps:{name}"],
        cwd=REPOSITORY,
        env={**os.environ, "HOST": "127.0.0.1", "PORT": str(port), "UPLOAD_FOLDER": str(folder)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: answers(port), 30, name)
        yield Server(port, worker_of(process.pid), "/")
    finally:
        process.terminate()
        process.wait(30)


def answers(port: int) -> bool:
    try:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
        connection.request("GET", "/")
        return connection.getresponse().status == 200
    except OSError:
        return False


def worker_of(master_pid: int) -> psutil.Process:
    return wait_for(lambda: psutil.Process(master_pid).children(), 10, "gunicorn's worker")[0]


def table(results: list[Result]) -> str:
    head = "| subject | MB | growth MB | peak MB | MB/s | CPU s | others p50 ms | others max ms |\n" + "|---" * 8 + "|"
    return "\n".join(
        [head]
        + [
            f"| {r.subject} | {r.size_mb:.0f} | {r.growth_mb:.1f} | {r.peak_mb:.0f} | {r.mb_per_s:.0f} | {r.cpu_s:.2f} "
            f"| {r.others_p50_ms:.1f} | {r.others_max_ms:.0f} |"
            for r in results
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="What a large upload costs the web process.")
    parser.add_argument("--megabytes", type=int, default=500)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    size_bytes = arguments.megabytes * MEGABYTE
    results: list[Result] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="upload-bench-")))
        subjects: list[tuple[str, Callable[[Path], object], Send]] = [
            ("tus, one request", musicapp, send_tus(None)),
            ("tus, 8 MiB pieces", musicapp, send_tus(CHUNK_BYTES)),
            ("plain form", musicapp, send_form("/albums/1/uploads")),
            ("bare", lambda f: yardstick(f, "bare"), send_bare),
            ("request.files", lambda f: yardstick(f, "form"), send_form("/")),
        ]
        for number, (subject, start, send) in enumerate(subjects):
            own = folder / str(number)
            own.mkdir()
            with start(own) as server:  # type: ignore[attr-defined]
                results.append(measure(subject, server, send, size_bytes))
            shutil.rmtree(own)
    print(table(results))
    worst_mb = max(result.growth_mb for result in results[:3])
    is_met = worst_mb < GROWTH_GOAL_MB
    print(f"\nGoal, growth under {GROWTH_GOAL_MB} MB: {'met' if is_met else 'NOT met'} ({worst_mb:.1f} MB).")
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=2))
    return 0 if is_met else 1


if __name__ == "__main__":
    sys.exit(main())
