"""The media store: files under immutable keys such as `originals/ab/<uuid>`. A folder today, an object store later."""

from __future__ import annotations

import shutil
import uuid
from dataclasses import dataclass
from pathlib import Path

from flask import Flask, current_app


class DiskFullError(OSError):
    """There is no room for the file."""


@dataclass(frozen=True, slots=True)
class FolderStore:
    """Keeps files below one folder. Keys are made by `new_key` and never reused."""

    root: Path
    reserve_bytes: int

    def new_key(self, kind: str, suffix: str = "") -> str:
        """A fresh key such as `originals/ab/ab3f….flac`; its folder exists afterwards."""
        name = uuid.uuid4().hex
        key = f"{kind}/{name[:2]}/{name}{suffix}"
        self.path(key).parent.mkdir(parents=True, exist_ok=True)
        return key

    def path(self, key: str) -> Path:
        """The file of a key. Raises ValueError for a key that would leave the store."""
        path = self.root / key
        if key.startswith("/") or ".." in Path(key).parts:
            raise ValueError(f"not a storage key: {key!r}")
        return path

    def adopt(self, file: Path, kind: str, suffix: str = "") -> str:
        """Moves a finished file into the store and returns its key."""
        key = self.new_key(kind, suffix)
        target = self.path(key)
        try:
            file.replace(target)
        except OSError:  # another file system
            shutil.move(str(file), str(target))
        return key

    def delete(self, key: str) -> None:
        """Removes a file; a key that is gone already is fine."""
        self.path(key).unlink(missing_ok=True)

    def scratch_dir(self) -> Path:
        """A fresh private folder on the store's own file system, so that `adopt` is a rename."""
        path = self.root / "scratch" / uuid.uuid4().hex
        path.mkdir(parents=True, mode=0o700)
        return path

    def free_bytes(self) -> int:
        """Free space less the reserve kept for the database and logs; never below 0."""
        self.root.mkdir(parents=True, exist_ok=True)
        return max(0, shutil.disk_usage(self.root).free - self.reserve_bytes)


def init_storage(app: Flask) -> None:
    app.extensions["store"] = FolderStore(Path(app.config["MEDIA_PATH"]), app.config["DISK_RESERVE_BYTES"])


def store() -> FolderStore:
    kept: FolderStore = current_app.extensions["store"]
    return kept
