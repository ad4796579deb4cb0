"""Long lists of ids, in pieces that a database takes as parameters of one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")

BATCH = 5_000


def in_batches(ids: Iterable[T]) -> Iterator[list[T]]:
    """The ids, at most BATCH at a time. SQLite takes 32,766 parameters, PostgreSQL 65,535."""
    left = iter(ids)
    while batch := list(islice(left, BATCH)):
        yield batch
