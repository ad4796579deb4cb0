"""The walk through the store that counts its files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from musicapp.core.storage import store
from musicapp.jobs.context import JobContext
from musicapp.jobs.registry import job_kind
from musicapp.ops.queries.storage import MEASURE

LOOKS_UP_EVERY_FILES = 5000
"""Whether somebody cancelled."""


@job_kind(MEASURE)
def measure_storage(job: JobContext) -> dict[str, Any]:
    """Counts the files of the store. Result: {"folders": {name: [bytes, files]}}."""
    folders: dict[str, list[int]] = {}
    seen = 0
    for folder in sorted(path for path in store().root.iterdir() if path.is_dir()):
        sums = folders[folder.name] = [0, 0]
        for size_bytes in _sizes(folder):
            sums[0] += size_bytes
            sums[1] += 1
            seen += 1
            if seen % LOOKS_UP_EVERY_FILES == 0:
                job.check_cancelled()
    return {"folders": folders}


def _sizes(folder: Path) -> Iterator[int]:
    """Bytes of each file below a folder; what goes away meanwhile is not there."""
    waiting = [os.fspath(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        yield entry.stat(follow_symlinks=False).st_size
        except FileNotFoundError:
            continue
