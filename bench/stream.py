"""Streams: how many requests and bytes leave a second, and how long anybody waits.

`python bench/stream.py [--seconds 2] [--rounds 2] [--only musicapp,send_file] [--clients 1,16,128] [--json FILE]`. A
10 MiB file, whole and in ranges of 64 KiB, from two processes each, the same client (stream_client.c), taking turns:

musicapp        the site as it is, without nginx
send_file       its yardstick: Werkzeug's send_file as a bare WSGI app under the same gunicorn settings
musicapp+nginx  the site behind the shipped nginx configuration, which sends the bytes (X-Accel-Redirect)
check+nginx     its yardstick: the same nginx before the least check in Flask, with one raw query
nginx           nginx alone, for comparison

The goals: musicapp at least 0.8 of send_file and nobody starving (p99 under 5 times p50 at 16 clients), musicapp+nginx
at least 0.8 of check+nginx. They are printed below the table, met or not.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))  # also when started as `python bench/stream.py`

from bench.stream_subjects import FILE_BYTES, PROCESSES, Site, make_library  # noqa: E402

RANGE_BYTES = 64 * 1024
SUBJECTS = ("musicapp", "send_file", "musicapp+nginx", "check+nginx", "nginx")
GOALS = (("musicapp", "send_file"), ("musicapp+nginx", "check+nginx"))
GOAL_RATIO = 0.8
GOAL_SPREAD = 5


@dataclass(frozen=True)
class Result:
    subject: str
    range_bytes: int
    """0: whole files."""
    clients: int
    requests_per_s: float
    bytes_per_s: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    cpu_ms: float
    """Of all processes of the subject, per request answered; for whole files per 64 KiB."""
    errors: int


def measure(
    client: Path, site: Site, path: str, subject: str, clients: int, range_bytes: int, seconds: float
) -> Result:
    command = [client, site.ports[subject], path, clients, seconds, FILE_BYTES, range_bytes]
    cpu_s = site.cpu_s(subject)
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=60 + seconds)
    if ran.returncode:
        raise RuntimeError(f"the client failed: {ran.stderr}")
    said = json.loads(ran.stdout)
    figures = {name: said[name] for name in ("requests_per_s", "bytes_per_s", "p50_ms", "p99_ms", "max_ms", "errors")}
    if said["errors"]:
        print(f"{subject}: {said['errors']} errors, the first: {ran.stderr[:500]}", file=sys.stderr)
    # The client's warm-up costs too, and it counts all its bytes.
    answers_of_64_kib = said["all_bytes"] / RANGE_BYTES
    cpu_ms = (site.cpu_s(subject) - cpu_s) * 1000 / max(answers_of_64_kib, 1)
    return Result(subject, range_bytes, clients, cpu_ms=cpu_ms, **figures)


def median_of(rounds: list[Result]) -> Result:
    """Each figure's median over the rounds; errors add up."""
    first = rounds[0]
    names = ("requests_per_s", "bytes_per_s", "p50_ms", "p99_ms", "max_ms", "cpu_ms")
    figures = {name: statistics.median(getattr(result, name) for result in rounds) for name in names}
    errors = sum(result.errors for result in rounds)
    return Result(first.subject, first.range_bytes, first.clients, errors=errors, **figures)


def table(results: list[Result]) -> str:
    lines = [
        "| asked for | clients | subject | requests/s | MB/s | p50 ms | p99 ms | longest | CPU ms per 64 KiB | errors |"
    ]
    lines.append("|---|--:|---|--:|--:|--:|--:|--:|--:|--:|")
    for result in results:
        what = "64 KiB ranges" if result.range_bytes else "whole files"
        lines.append(
            f"| {what} | {result.clients} | {result.subject} | {result.requests_per_s:,.0f} "
            f"| {result.bytes_per_s / 1e6:,.0f} | {result.p50_ms:.2f} | {result.p99_ms:.2f} | {result.max_ms:.0f} "
            f"| {result.cpu_ms:.3f} | {result.errors} |"
        )
    return "\n".join(lines)


def verdicts(results: list[Result]) -> list[str]:
    """The goals, each met or not."""
    found = {(result.subject, result.range_bytes, result.clients): result for result in results}
    lines = []
    for (subject, range_bytes, clients), result in found.items():
        what = f"{'64 KiB ranges' if range_bytes else 'whole files'}, {clients} clients"
        for ours, yardstick in GOALS:
            other = found.get((yardstick, range_bytes, clients))
            if subject == ours and other is not None:
                # Bytes, because a slow whole file may not end within the time.
                ratio = result.bytes_per_s / max(other.bytes_per_s, 1)
                lines.append(f"- {what}: {ours} {ratio:.2f} of {yardstick}{'' if ratio >= GOAL_RATIO else ' (missed)'}")
        if subject == "musicapp" and clients == 16:
            spread = result.p99_ms / max(result.p50_ms, 0.001)
            met = "" if spread < GOAL_SPREAD else " (missed)"
            lines.append(f"- {what}: {subject} p99 is {spread:.1f} times p50{met}")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=2, help="measurements of each figure; the median is shown")
    parser.add_argument("--only", default=",".join(SUBJECTS), help="subjects, with commas")
    parser.add_argument("--clients", default="1,16,128")
    parser.add_argument("--json", type=Path, help="also writes the figures here")
    arguments = parser.parse_args()

    with tempfile.TemporaryDirectory(prefix="ma-") as name, ExitStack() as stack:
        folder = Path(name)
        client = folder / "stream_client"
        subprocess.run(["cc", "-O2", "-o", str(client), str(Path(__file__).with_name("stream_client.c"))], check=True)
        library = make_library(folder)
        site = Site(stack, folder, library)
        for subject in arguments.only.split(","):
            if not site.start(subject):
                print(f"{subject} is left out: nginx is not installed.")
        for subject in site.ports:
            # What a process loads and opens at its first requests is not their cost.
            measure(client, site, library.path, subject, 16, RANGE_BYTES, 0.3)
        results = []
        for range_bytes in (RANGE_BYTES, 0):
            for clients in map(int, arguments.clients.split(",")):
                rounds: dict[str, list[Result]] = {subject: [] for subject in site.ports}
                for _ in range(arguments.rounds):
                    # In turns, so that whatever else the machine does falls on all.
                    for subject, measured in rounds.items():
                        measured.append(
                            measure(client, site, library.path, subject, clients, range_bytes, arguments.seconds)
                        )
                results += [median_of(measured) for measured in rounds.values()]

    print(f"10 MiB file, {PROCESSES} processes each, {arguments.rounds} × {arguments.seconds:g} s\n")
    print(table(results))
    print("\nGoals: at least 0.8 of the yardstick's bytes per second; p99 under 5 times p50 at 16 clients.\n")
    print("\n".join(verdicts(results)))
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(result) for result in results], indent=2) + "\n")


if __name__ == "__main__":
    main()
