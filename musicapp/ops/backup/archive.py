"""The file of a backup: a zip of one JSON object per row and a manifest with a checksum of every part.

manifest.json            what made it, when, at which migration, with how many rows; see Manifest
tables/<name>.jsonl      the rows of a table, one JSON list each, in the order of its columns
media.jsonl              {"key", "size_bytes", "sha256"?} of every file in the media store
schedule.json            what the clock does, by name
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

FORMAT = 1


class BackupError(Exception):
    """Why there is no backup or no restore; the text says what to do."""


@dataclass
class TablePart:
    """What the manifest knows of a table: columns with their types (of tables.py), rows, the last id ever given."""

    columns: list[tuple[str, str]]
    rows: int = 0
    last_id: int | None = None


@dataclass
class Manifest:
    """What the file says of itself."""

    made_at: str
    version: str
    revision: str
    database: str
    site_url: str
    key_print: str
    """Tells one SECRET_KEY from another without naming it."""
    format: int = FORMAT
    tables: dict[str, TablePart] = field(default_factory=dict)
    media_files: int = 0
    media_bytes: int = 0
    sha256: dict[str, str] = field(default_factory=dict)
    """Part -> checksum of its bytes as they were before they were packed."""


class Writer:
    """Writes the parts of an archive, one after the other, and the manifest last."""

    def __init__(self, file: zipfile.ZipFile, manifest: Manifest) -> None:
        self._file = file
        self.manifest = manifest

    def lines(self, part: str, lines: Iterator[Any]) -> int:
        """Writes each object as a line of JSON; returns how many."""
        digest = hashlib.sha256()
        count = 0
        with self._file.open(part, "w", force_zip64=True) as out:
            for line in lines:
                count += 1
                packed = json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
                digest.update(packed)
                out.write(packed)
        self.manifest.sha256[part] = digest.hexdigest()
        return count

    def finish(self) -> None:
        self._file.writestr("manifest.json", json.dumps(asdict(self.manifest), indent=1, ensure_ascii=False))


@contextmanager
def new_archive(path: Path, manifest: Manifest) -> Iterator[Writer]:
    """The file appears under its name when it is whole, readable by its owner only: it holds addresses and hashes."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.unlink(missing_ok=True)
        unfinished.touch(mode=0o600, exist_ok=False)  # a link that stands there would lead the rows elsewhere
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as file:
            writer = Writer(file, manifest)
            yield writer
            writer.finish()
        unfinished.replace(path)
    except OSError as error:
        raise BackupError(f"{path} can't be written: {error.strerror or error}.") from error
    finally:
        unfinished.unlink(missing_ok=True)


class Archive:
    """A backup that was read: its manifest is understood and every part has the bytes it was written with."""

    def __init__(self, file: zipfile.ZipFile, manifest: Manifest) -> None:
        self._file = file
        self.manifest = manifest

    def lines(self, part: str) -> Iterator[Any]:
        """The objects of a part, one after the other."""
        with self._file.open(part) as source:
            for line in source:
                yield json.loads(line)


@contextmanager
def opened(path: Path) -> Iterator[Archive]:
    """Opens a backup after checking all of it. Raises BackupError for a file that is none, is damaged or too new."""
    try:
        file = zipfile.ZipFile(path)
    except OSError as error:
        raise BackupError(f"{path} can't be read: {error.strerror or error}.") from error
    except zipfile.BadZipFile as error:
        raise BackupError(
            f"{path} is no backup, or only a part of one. Copy it again from where it is kept."
        ) from error
    with file:
        yield Archive(file, _checked(file, path))


def _checked(file: zipfile.ZipFile, path: Path) -> Manifest:
    broken = BackupError(f"{path} is damaged. Copy it again from where it is kept, or take an older one.")
    try:
        said = json.loads(file.read("manifest.json"))
        if said.get("format") != FORMAT:
            raise BackupError(
                f"{path} has format {said.get('format')}, this musicapp reads {FORMAT}. Upgrade it first."
            )
        manifest = Manifest(**{**said, "tables": {name: TablePart(**part) for name, part in said["tables"].items()}})
        for part, expected in manifest.sha256.items():
            digest = hashlib.sha256()
            with file.open(part) as source:
                while piece := source.read(1024 * 1024):
                    digest.update(piece)
            if digest.hexdigest() != expected:
                raise broken
        if not {"media.jsonl", *(f"tables/{name}.jsonl" for name in manifest.tables)} <= set(manifest.sha256):
            raise broken
    except (KeyError, TypeError, ValueError, AttributeError, EOFError, OSError, zipfile.BadZipFile) as error:
        raise broken from error
    except Exception as error:
        if type(error).__module__ == "zlib":
            raise broken from error
        raise
    return manifest
