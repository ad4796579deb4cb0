"""A private folder for one piece of work on the store's own disk, gone afterwards."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from musicapp.core.storage import store


@contextmanager
def scratch_folder(purpose: str, claim: str) -> Iterator[Path]:
    """Gives a fresh folder for `purpose` and removes it. What killed workers left of the same purpose goes first.

    `claim` is the job's token, so that a worker thought dead can't write between its successor's files.
    """
    parent = store().root / "scratch"
    for left in parent.glob(f"{purpose}.*"):
        shutil.rmtree(left, ignore_errors=True)
    folder = parent / f"{purpose}.{claim}"
    folder.mkdir(parents=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
