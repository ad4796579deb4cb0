"""Long lists of ids in statements: in pieces as parameters, or whole as one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ARRAY, Integer, String, Text, bindparam, cast, column, func, literal, select
from sqlalchemy.sql import FromClause

from musicapp.core.db import is_sqlite

T = TypeVar("T")

BATCH = 5_000


def in_batches(ids: Iterable[T]) -> Iterator[list[T]]:
    """The ids, at most BATCH at a time. SQLite takes 32,766 parameters, PostgreSQL 65,535."""
    left = iter(ids)
    while batch := list(islice(left, BATCH)):
        yield batch


def pairs_table(pairs: Sequence[tuple[int, str]]) -> FromClause:
    """(id, key) pairs as a table with these columns, and `position` from 1: one statement writes ten thousand rows.

    One parameter on SQLite, two on PostgreSQL; a statement for each row takes ten times as long.
    """
    if is_sqlite():
        each = func.json_each(bindparam("pairs", json.dumps(pairs), Text)).table_valued("key", "value", name="each")
        return select(
            cast(func.json_extract(each.c.value, literal("$[0]")), Integer).label("id"),
            func.json_extract(each.c.value, literal("$[1]"), type_=String).label("key"),
            (cast(each.c.key, Integer) + 1).label("position"),
        ).subquery("pairs")
    ids: Any = bindparam("ids", [id_ for id_, _ in pairs], ARRAY(Integer))
    keys: Any = bindparam("keys", [key for _, key in pairs], ARRAY(String))
    unnested = func.unnest(ids, keys).table_valued(
        column("id", Integer), column("key", String), with_ordinality="position", name="pairs"
    )
    return unnested.render_derived()
