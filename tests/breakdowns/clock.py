"""A clock that tests set: all code asks core.db.utc_now, which asks it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, tzinfo

from musicapp.core import db as core_db


class Clock:
    """The machine's clock, `shift` ahead of it. Stands where core.db has `datetime`."""

    def __init__(self) -> None:
        self.shift = timedelta()

    def now(self, zone: tzinfo | None = None) -> datetime:
        return datetime.now(zone) + self.shift

    def forward(self, **parts: float) -> None:
        """As timedelta(minutes=10) and the like; negative ones go back."""
        self.shift += timedelta(**parts)


@contextmanager
def set_clock() -> Iterator[Clock]:
    clock = Clock()
    original = vars(core_db)["datetime"]
    vars(core_db)["datetime"] = clock
    try:
        yield clock
    finally:
        vars(core_db)["datetime"] = original
