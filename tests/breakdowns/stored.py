"""What a site has stored, without what differs between two runs of the same work: instants, random keys and tokens."""

from __future__ import annotations

import json
import os
import re
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import current_app
from sqlalchemy import select, update

from musicapp.catalog import tasks as catalog
from musicapp.catalog.models import Artwork
from musicapp.core.db import Base, db, utc_now
from musicapp.uploads.sweep import remove_orphans, remove_scratch_folders

KEY = re.compile(r"\b(\w+(?:/\d+)?)/[0-9a-f]{2}/[0-9a-f]{32}")
INSTANT = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(\+00:00)?|\b20\d{18}\b")
MESSAGE_ID = re.compile(r"<[0-9a-f-]{36}@localhost>")
LEFT_OUT = {"jobs", "periodic_runs", "alembic_version"}
NUMBERS = {"search_entries.id", "renditions.id", "deliveries.job_id"}
"""Made anew by whoever goes on; nobody outside knows them."""
LONG_AGO = timedelta(days=100)


def rows() -> dict[str, list[str]]:
    """Table -> its rows as text."""
    found = {}
    for table in Base.metadata.sorted_tables:
        if table.name not in LEFT_OUT:
            columns = [column for column in table.columns if f"{table.name}.{column.name}" not in NUMBERS]
            found[table.name] = sorted(
                _plain({column.name: _steady(column, value) for column, value in zip(columns, row, strict=True)})
                for row in db.session.execute(select(*columns))
            )
    db.session.rollback()
    return found


def _steady(column: Any, value: Any) -> Any:
    if value is None or column.name.endswith(("_at", "token", "token_hash", "session_hash")):
        return value is not None
    return value


def _plain(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return INSTANT.sub("then", MESSAGE_ID.sub("<…>", KEY.sub(r"\1/…", text)))


def clean_up() -> None:
    """As the daily tasks do, long after: what no row names goes, and pictures that nothing shows."""
    then = time.time() - LONG_AGO.total_seconds()
    for path in _root().rglob("*"):
        os.utime(path, (then, then))
    db.session.execute(update(Artwork).values(created_at=utc_now() - LONG_AGO))
    db.session.commit()
    remove_scratch_folders()
    remove_orphans()
    catalog.purge()
    db.session.remove()


def files() -> Counter[str]:
    """`renditions/1 64000` and the like: folder and bytes of each file of the store."""
    found: Counter[str] = Counter()
    for path in _root().rglob("*"):
        if path.is_file():
            key = KEY.sub(r"\1/…", str(path.relative_to(_root())))
            # encoders write the same sound, but not always the same bytes
            size = path.stat().st_size
            found[f"{key} {size if 'renditions' not in key else round(size, -3)}"] += 1
    return found


def missing_files() -> Counter[str]:
    """Columns with keys whose files are not there."""
    gone: Counter[str] = Counter()
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if column.name in {"key", "original_key", "waveform_key", "preview_key", "avatar_key"}:
                for key in db.session.scalars(select(column).where(column.is_not(None))):
                    path = _root() / key
                    if not path.exists() and not list(path.parent.glob(f"{path.name}-*")):
                        gone[f"{table.name}.{column.name}"] += 1
    db.session.rollback()
    return gone


def _root() -> Path:
    return Path(current_app.config["MEDIA_PATH"])
