"""Runs the benches one after another: `make bench`, or `make bench ARGS="live stream"` for some.

Each bench is a program of its own in this folder that prints a markdown table, its subject beside its yardstick. What
they print is also kept in bench/results/<date>.md, under a line that says when and on what machine.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

FOLDER = Path(__file__).resolve().parent


def benches() -> list[str]:
    """Names of the programs in this folder: those that can be run by themselves."""
    return sorted(
        file.stem
        for file in FOLDER.glob("*.py")
        if file != Path(__file__).resolve() and '__name__ == "__main__"' in file.read_text()
    )


def machine() -> str:
    memory_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {memory_bytes / 1024**3:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def main(wanted: list[str]) -> int:
    known = benches()
    for name in wanted:
        if name not in known:
            print(f"There is no bench {name!r}; there are: {', '.join(known)}", file=sys.stderr)
            return 2
    now = datetime.now(UTC)
    results = FOLDER / "results" / f"{now:%Y-%m-%d-%H%M}.md"
    results.parent.mkdir(exist_ok=True)
    failed = []
    # The filled databases are made by the first bench that needs them and kept for the others.
    with results.open("w") as kept, tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        both(f"# {now:%Y-%m-%d %H:%M} UTC, {machine()}\n\n", kept)
        for name in wanted or known:
            both(f"## {name}\n\n", kept)
            environ = {"BENCH_FOLDER": folder, **os.environ, "PYTHONPATH": str(FOLDER.parent), "PYTHONUNBUFFERED": "1"}
            command = [sys.executable, str(FOLDER / f"{name}.py")]
            with subprocess.Popen(command, cwd=FOLDER.parent, env=environ, stdout=subprocess.PIPE, text=True) as bench:
                assert bench.stdout is not None
                for line in bench.stdout:
                    both(line, kept)
            if bench.returncode:
                failed.append(name)
                both(f"\n{name} ended with {bench.returncode}\n", kept)
            both("\n", kept)
    print(f"Kept in {results.relative_to(FOLDER.parent)}" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


def both(text: str, kept: TextIO) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()
    kept.write(text)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
