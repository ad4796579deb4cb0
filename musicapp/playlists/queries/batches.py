"""Long lists of ids in statements: in pieces as parameters, or whole as one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ARRAY, Integer, String, Text, bindparam, column, func, literal, select
from sqlalchemy.sql import FromClause

from musicapp.core.db import is_sqlite

T = TypeVar("T")

BATCH = 5_000


def in_batches(ids: Iterable[T]) -> Iterator[list[T]]:
    """The ids, at most BATCH at a time. SQLite takes 32,766 parameters, PostgreSQL 65,535."""
    left = iter(ids)
    while batch := list(islice(left, BATCH)):
        yield batch


def rows_table(rows: Sequence[tuple[int, str, int]]) -> FromClause:
    """(id, key, version) as a table with these columns: one statement writes ten thousand rows.

    One parameter on SQLite, three on PostgreSQL; a statement for each row takes ten times as long.
    """
    if is_sqlite():
        each = func.json_each(bindparam("rows", json.dumps(rows), Text)).table_valued("value", name="each")
        return select(
            func.json_extract(each.c.value, literal("$[0]"), type_=Integer).label("id"),
            func.json_extract(each.c.value, literal("$[1]"), type_=String).label("key"),
            func.json_extract(each.c.value, literal("$[2]"), type_=Integer).label("version"),
        ).subquery("given")
    ids: Any = bindparam("ids", [row[0] for row in rows], ARRAY(Integer))
    keys: Any = bindparam("keys", [row[1] for row in rows], ARRAY(String))
    versions: Any = bindparam("versions", [row[2] for row in rows], ARRAY(Integer))
    unnested = func.unnest(ids, keys, versions).table_valued(
        column("id", Integer), column("key", String), column("version", Integer), name="given"
    )
    return unnested.render_derived()
