"""Live fan-out: how long an event takes from publishing to receipt, and what an open stream costs.

`python bench/live.py [--seconds 5] [--rounds 3] [--only handed,nchan] [--streams 1000,10000] [--json FILE]`
One web process each, the same 300-byte event, the same client (live_client.c), one after another:

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
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psutil

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))  # also when started as `python bench/live.py`

from bench.live_subjects import ADDRESS, Nchan, Subject, UnderGunicorn, find_nchan, visit  # noqa: E402

DELIVERIES_PER_SECOND = 50_000
WARM_UP_SECONDS = 0.2
JOIN_SECONDS = 60


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
    # nchan is published to on several connections, which may overtake one another.
    if counted["refused"] or counted["closed"] or (counted["disordered"] and not isinstance(subject, Nchan)):
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


def run(subject: str, binary: Path, streams: int, seconds: float) -> Result:
    with ExitStack() as stack:
        # Short: a unix socket's path may have 107 bytes.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True)))
        made: Subject
        if subject == "nchan":
            found = find_nchan()
            assert found is not None
            folder.chmod(0o755)  # started by root, nginx works as nobody
            made = Nchan(stack, folder, *found)
        else:
            made = UnderGunicorn(stack, folder, subject)
        return measure(NAMES[subject], made, binary, streams, seconds)


def middle(rounds: list[Result]) -> Result:
    """The median of each figure; what was lost adds up."""
    numbers = ("offered_per_s", "delivered_per_s", "p50_ms", "p99_ms", "cpu_s_per_million", "kib_per_stream")
    return replace(
        rounds[0],
        lost=sum(found.lost for found in rounds),
        resyncs=sum(found.resyncs for found in rounds),
        **{name: statistics.median(getattr(found, name) for found in rounds) for name in numbers},
    )


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
    arguments.add_argument("--rounds", type=int, default=3, help="of which the median counts; one beyond 1,000 streams")
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
            rounds: dict[str, list[Result]] = {}
            # Taking turns: whatever else the machine does meets all of them.
            for _ in range(asked.rounds if streams <= 1000 else 1):
                for subject in asked.only.split(","):
                    if (subject == "naive" and streams > 1000) or (subject == "nchan" and find_nchan() is None):
                        continue
                    try:
                        found = run(subject, binary, streams, asked.seconds)
                        rounds.setdefault(subject, []).append(found)
                    except (RuntimeError, OSError, http.client.HTTPException, psutil.Error) as error:
                        # The others are measured all the same.
                        failed.append(f"{subject} at {streams:,} streams failed: {error}")
            results += [middle(found) for found in rounds.values()]
    if "nchan" in asked.only and find_nchan() is None:
        print("live: nginx with nchan isn't installed (bench/setup does it): left out")
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
