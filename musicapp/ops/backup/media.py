"""Files of the media store in a backup: which there are, copies of them, and which are missing after a restore."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

LEFT_OUT = ("scratch",)
"""Folders of work under way; what they hold is made again."""


def files_of(root: Path) -> Iterator[tuple[str, int]]:
    """(key, size in bytes) of every finished file, in the order of keys."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not (Path(folder) == root and name in LEFT_OUT))
        for name in sorted(names):
            path = Path(folder) / name
            try:
                yield str(path.relative_to(root)), path.stat().st_size
            except FileNotFoundError:
                continue  # deleted since the folder was read


def is_key(key: str) -> bool:
    """Whether it stays in the store."""
    return not key.startswith("/") and ".." not in Path(key).parts


def is_there(root: Path, key: str, size_bytes: int) -> bool:
    try:
        return (root / key).stat().st_size == size_bytes
    except OSError:
        return False


def copy(source: Path, target: Path, listed: Iterable[dict[str, Any]]) -> tuple[int, list[str]]:
    """Copies listed files that `target` lacks; returns how many, and the keys that `source` doesn't have whole.

    Files of the store never change, so on one file system a second name for the same bytes is enough.
    """
    copied, missing = 0, []
    for file in listed:
        key, size_bytes = str(file["key"]), int(file["size_bytes"])
        if not is_key(key):
            raise ValueError(f"not a storage key: {key!r}")
        if is_there(target, key, size_bytes):
            continue
        if not is_there(source, key, size_bytes):
            missing.append(key)
            continue
        place = target / key
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_name(f".{place.name}.unfinished")
        unfinished.unlink(missing_ok=True)
        try:
            os.link(source / key, unfinished)
        except OSError:  # another file system, or one without links
            shutil.copyfile(source / key, unfinished)
        unfinished.replace(place)
        copied += 1
    return copied, missing


def missing_of(root: Path, listed: Iterable[dict[str, Any]]) -> list[str]:
    """Keys of listed files that the store lacks, or has in another size."""
    return [str(file["key"]) for file in listed if not is_there(root, str(file["key"]), int(file["size_bytes"]))]
