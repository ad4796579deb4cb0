"""Finding: one statement that reads, for each kind, the best few matches of four tiers, each in order of place.

Exact titles come first, then titles that begin with what was typed, then titles that hold all words, then whatever
holds them with its artists and its album. The tiers share no entry, so a list can go on after any (tier, place).
"""

# ruff: noqa: S608  statements are put together from the constants below; whatever was typed is a parameter

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from sqlalchemy import text

from musicapp.core.db import db, is_sqlite
from musicapp.search.places import KINDS, places_of, subject_at
from musicapp.search.tokens import Group, facet_of_genre, facets_of_years

EXACT, TITLE_BEGINS, IN_TITLE, ANYWHERE = range(4)
TIERS = (EXACT, TITLE_BEGINS, IN_TITLE, ANYWHERE)
MOST_SPELLINGS = 12
"""Whole queries that are tried where several words were mistyped."""

Wanted = Sequence[Sequence[Group]]
"""All of these must be found; each is one group, or several spellings of which one is enough."""


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """Something found. Sorts as people expect it: by tier, then by popularity."""

    tier: int
    place: int

    @property
    def kind(self) -> str:
        return subject_at(self.place)[0]

    @property
    def subject_id(self) -> int:
        return subject_at(self.place)[1]

    @property
    def rank(self) -> tuple[int, int, int]:
        """Among hits of all kinds, which places alone would sort by kind: tier, unpopularity, kind."""
        first, _ = places_of(self.kind)
        return self.tier, (self.place - first) >> 31, KINDS.index(self.kind)

    @property
    def key(self) -> str:
        return f"{self.tier}-{self.place}"


@dataclass(frozen=True, slots=True)
class Filters:
    """What hits must be besides matching. Years are inclusive."""

    genre: str | None = None
    year_from: int | None = None
    year_to: int | None = None

    def __bool__(self) -> bool:
        return bool(self.genre or self.year_from or self.year_to)


def hits_by_kind(
    wanted: Wanted, *, kinds: Collection[str], filters: Filters, limit: int, after: Hit | None = None
) -> dict[str, list[Hit]]:
    """Kind -> at most `limit` hits, best first; `after` (one kind only) is the last hit of the page before."""
    asked = _Fts5(wanted, filters) if is_sqlite() else _Tsquery(wanted, filters)
    lists = []
    for kind in kinds:
        first, last = places_of(kind)
        tiers = [
            asked.tier(tier, after.place if after and after.tier == tier else first - 1, last)
            for tier in TIERS
            if after is None or tier >= after.tier
        ]
        # In order, and none is begun once there are enough.
        lists.append(f"SELECT * FROM (SELECT * FROM ({' UNION ALL '.join(tiers)}) AS tiers LIMIT :limit) AS {kind}")
    rows = db.session.execute(text(" UNION ALL ".join(lists)), {**asked.parameters, "limit": limit})
    found: dict[str, list[Hit]] = {kind: [] for kind in kinds}
    for hit in sorted(Hit(*row) for row in rows):
        found[hit.kind].append(hit)
    return found


class _Tiers:
    """The statement of a tier. Subclasses know how their database asks."""

    FACETS_HOLD: str
    MATCHES: str
    PLACE: str

    def __init__(self, wanted: Wanted, filters: Filters) -> None:
        spellings = [tuple(spelling) for spelling in product(*wanted)][:MOST_SPELLINGS]
        begins = self.any_of([self.title_begins(spelling) for spelling in spellings])
        in_title = self.all_of([self.any_of([self.in_title(group) for group in groups]) for groups in wanted])
        anywhere = self.all_of([self.any_of([self.anywhere(group) for group in groups]) for groups in wanted])
        facets = self.facets(filters)
        matches = {
            TITLE_BEGINS: begins,
            IN_TITLE: self.without(in_title, begins),
            ANYWHERE: self.without(anywhere, in_title),
        }
        self.parameters: dict[str, Any] = {
            f"match_{tier}": self.all_of([match, facets]) if facets else match for tier, match in matches.items()
        }
        titles = {" ".join(token for group in spelling for token in group) for spelling in spellings}
        self.parameters |= {f"title_{number}": title for number, title in enumerate(sorted(titles))}
        self.titles = ", ".join(f":title_{number}" for number in range(len(titles)))
        self.facets_hold = self.FACETS_HOLD if facets else ""
        if facets:
            self.parameters["facets"] = facets

    def tier(self, tier: int, after: int, last: int) -> str:
        """SELECT tier, place … of the entries of a tier after one place, up to another."""
        if tier == EXACT:
            rows = f"search_entries AS e WHERE e.title IN ({self.titles}){self.facets_hold}"
            place = "e.place"
        else:
            rows, place = f"search_index AS i WHERE {self.MATCHES.format(tier)}", self.PLACE
        if tier == TITLE_BEGINS:
            exact = f"SELECT 1 FROM search_entries AS e WHERE e.place = {place} AND e.title IN ({self.titles})"
            rows += f" AND NOT EXISTS ({exact})"
        return (
            f"SELECT * FROM (SELECT {tier} AS tier, {place} AS place FROM {rows} "
            f"AND {place} > {after} AND {place} <= {last} ORDER BY {place} LIMIT :limit) AS tier_{tier}"
        )

    def title_begins(self, spelling: Sequence[Group]) -> str:
        raise NotImplementedError

    def in_title(self, group: Group) -> str:
        raise NotImplementedError

    def anywhere(self, group: Group) -> str:
        raise NotImplementedError

    def facets(self, filters: Filters) -> str:
        found = [self.facet(facet_of_genre(filters.genre), False)] if filters.genre else []
        if filters.year_from or filters.year_to:
            first, last = max(filters.year_from or 0, FIRST_YEAR), min(filters.year_to or LAST_YEAR, LAST_YEAR)
            years = facets_of_years(first, last) or [("year", False)]
            found.append(self.any_of([self.facet(token, is_prefix) for token, is_prefix in years]))
        return self.all_of(found) if found else ""

    def facet(self, token: str, is_prefix: bool) -> str:
        raise NotImplementedError

    def any_of(self, parts: Sequence[str]) -> str:
        raise NotImplementedError

    def all_of(self, parts: Sequence[str]) -> str:
        raise NotImplementedError

    def without(self, some: str, others: str) -> str:
        raise NotImplementedError


FIRST_YEAR, LAST_YEAR = 1800, 2199


class _Fts5(_Tiers):
    FACETS_HOLD = " AND EXISTS (SELECT 1 FROM search_index WHERE search_index MATCH :facets AND rowid = e.place)"
    MATCHES = "search_index MATCH :match_{}"
    PLACE = "i.rowid"

    def title_begins(self, spelling: Sequence[Group]) -> str:
        return f"title : ^ {_phrase([token for group in spelling for token in group])}"

    def in_title(self, group: Group) -> str:
        return f"title : {_phrase(group)}"

    def anywhere(self, group: Group) -> str:
        return f"{{title words}} : {_phrase(group)}"

    def facet(self, token: str, is_prefix: bool) -> str:
        return f"facets : {_phrase([token], is_prefix)}"

    def any_of(self, parts: Sequence[str]) -> str:
        return f"({' OR '.join(parts)})"

    def all_of(self, parts: Sequence[str]) -> str:
        return f"({' AND '.join(parts)})"

    def without(self, some: str, others: str) -> str:
        return f"({some} NOT {others})"


def _phrase(tokens: Sequence[str], is_prefix: bool = True) -> str:
    # Tokens are letters, digits and marks; inside the quotes FTS5 reads no syntax.
    return f'"{" ".join(tokens)}"{" *" if is_prefix else ""}'


class _Tsquery(_Tiers):
    FACETS_HOLD = (
        " AND EXISTS (SELECT 1 FROM search_index AS f WHERE f.place = e.place AND f.terms @@ CAST(:facets AS tsquery))"
    )
    MATCHES = "i.terms @@ CAST(:match_{} AS tsquery)"
    PLACE = "i.place"

    def title_begins(self, spelling: Sequence[Group]) -> str:
        tokens = [token for group in spelling for token in group]
        weights = ["A", *["B"] * (len(tokens) - 1)]
        last = len(tokens) - 1
        terms = [
            f"'{token}':{'*' if number == last else ''}{weight}"
            for number, (token, weight) in enumerate(zip(tokens, weights, strict=True))
        ]
        return f"({' <-> '.join(terms)})"

    def in_title(self, group: Group) -> str:
        return self._followed(group, "AB")

    def anywhere(self, group: Group) -> str:
        return self._followed(group, "ABC")

    def _followed(self, group: Group, weights: str) -> str:
        last = len(group) - 1
        terms = [f"'{token}':{'*' if number == last else ''}{weights}" for number, token in enumerate(group)]
        return f"({' <-> '.join(terms)})"

    def facet(self, token: str, is_prefix: bool) -> str:
        return f"'{token}':{'*' if is_prefix else ''}D"

    def any_of(self, parts: Sequence[str]) -> str:
        return f"({' | '.join(parts)})"

    def all_of(self, parts: Sequence[str]) -> str:
        return f"({' & '.join(parts)})"

    def without(self, some: str, others: str) -> str:
        return f"({some} & !{others})"
