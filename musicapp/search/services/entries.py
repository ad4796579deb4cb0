"""Entries: put, dropped, made anew. Nothing here asks who may see what: callers index what everybody may."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from sqlalchemy import delete, or_, select

from musicapp.core.db import db, insert_into, utc_now
from musicapp.search import sources
from musicapp.search.models import SearchEntry, SearchWord
from musicapp.search.places import place_of
from musicapp.search.sources import NewEntry
from musicapp.search.tokens import (
    LONGEST_TITLE,
    LONGEST_WORDS,
    facet_of_genre,
    facet_of_year,
    other_spellings,
    tokens_of,
    words_to_remember,
)

ROWS_AT_ONCE = 500
"""Rows of one INSERT: their parameters stay below what either database takes in a statement."""

_CHANGING = ("title", "words", "facets", "place")


def put_entry(
    kind: str,
    subject_id: int,
    *,
    title: str,
    words: str = "",
    popularity: int = 0,
    year: int | None = None,
    genres: Iterable[str] = (),
) -> None:
    """Lets everybody find a thing, or finds it by its new words. Texts come as people wrote them, genres as slugs.

    `words` are what else finds it; the title need not be repeated. `popularity` is any count: plays, followers.
    """
    put_entries([NewEntry(kind, subject_id, title, words, popularity, year, tuple(genres))])


def put_entries(entries: Sequence[NewEntry]) -> None:
    """put_entry for many, in three statements for each few hundred. Entries that say the same stay untouched."""
    rows = [_row(entry) for entry in entries]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        _put(rows[start : start + ROWS_AT_ONCE])
    remembered = words_to_remember(text for row in rows for text in (row["title"], row["words"]))
    for start in range(0, len(remembered), ROWS_AT_ONCE):
        _remember(remembered[start : start + ROWS_AT_ONCE])


def drop_entry(kind: str, subject_id: int) -> None:
    """Nobody finds it any more; nothing happens where nobody did."""
    drop_entries(kind, [subject_id])


def drop_entries(kind: str, subject_ids: Collection[int]) -> None:
    if subject_ids:
        db.session.execute(
            delete(SearchEntry).where(SearchEntry.kind == kind, SearchEntry.subject_id.in_(subject_ids)),
            execution_options={"synchronize_session": False},
        )


def rebuild(after_batch: Callable[[], None] = lambda: None) -> dict[str, int]:
    """Makes the index what it would be had nothing ever been missed; returns kind -> entries.

    It is never empty meanwhile: each batch is put, and what else the index has between its subjects is dropped.
    `after_batch` is for the door: it commits there, so that no lock is held for a whole library.
    """
    counts: dict[str, int] = {}
    for kind, source in sources.SOURCES.items():
        counts[kind] = 0
        last_id = 0
        while True:
            entries = source(last_id, ROWS_AT_ONCE)
            put_entries(entries)
            end_id = entries[-1].subject_id if entries else None
            _drop_others(kind, last_id, end_id, [entry.subject_id for entry in entries])
            after_batch()
            counts[kind] += len(entries)
            if end_id is None:
                break
            last_id = end_id
    return counts


def _row(entry: NewEntry) -> dict[str, Any]:
    title = tokens_of(entry.title, LONGEST_TITLE)
    others = " ".join(filter(None, (tokens_of(entry.words, LONGEST_WORDS), other_spellings(entry.title))))
    facets = [facet_of_year(entry.year)] if entry.year and 0 < entry.year < 10_000 else []
    facets += [facet_of_genre(slug) for slug in entry.genres]
    return {
        "kind": entry.kind,
        "subject_id": entry.subject_id,
        "title": title,
        "words": others,
        "facets": " ".join(facets),
        "place": place_of(entry.kind, entry.subject_id, entry.popularity),
        "updated_at": utc_now(),
    }


def _put(rows: list[dict[str, Any]]) -> None:
    statement = insert_into(SearchEntry.__table__)
    new = statement.excluded
    db.session.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "subject_id"],
            set_={name: new[name] for name in (*_CHANGING, "updated_at")},
            where=or_(*(getattr(SearchEntry, name) != new[name] for name in _CHANGING)),
        ),
        rows,
    )


def _remember(words: list[str]) -> None:
    # Asked first: an insert that meets a conflict uses up an id of PostgreSQL's all the same.
    known = set(db.session.scalars(select(SearchWord.word).where(SearchWord.word.in_(words))))
    # Sorted, or two publications at once would wait for each other's words for ever.
    if new := [{"word": word} for word in words if word not in known]:
        db.session.execute(insert_into(SearchWord.__table__).on_conflict_do_nothing(index_elements=["word"]), new)


def _drop_others(kind: str, after_id: int, end_id: int | None, kept: list[int]) -> None:
    """Drops the kind's entries after one subject, up to another (None: to the end), that are not among those kept."""
    gone = select(SearchEntry.id).where(SearchEntry.kind == kind, SearchEntry.subject_id > after_id)
    if end_id is not None:
        gone = gone.where(SearchEntry.subject_id <= end_id, SearchEntry.subject_id.not_in(kept))
    ids = list(db.session.scalars(gone))
    if ids:
        db.session.execute(delete(SearchEntry).where(SearchEntry.id.in_(ids)))
