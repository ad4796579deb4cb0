"""How each database is asked: FTS5's expressions and PostgreSQL's tsqueries for the same things.

Tokens are letters, digits and marks, so nothing in them is syntax of either.
"""
# ruff: noqa: S608  what was typed is a parameter

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from musicapp.search.tokens import Group, facet_of_genre, facets_of_years

FIRST_YEAR, LAST_YEAR = 1800, 2199

Wanted = Sequence[Sequence[Group]]
"""All of these must be found; each is one group, or several spellings of which one is enough."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What hits must be besides matching. Years are inclusive."""

    genre: str | None = None
    year_from: int | None = None
    year_to: int | None = None


class Asking(Protocol):
    """What finding.py puts its statements together from."""

    name: str
    MATCHES: str
    PLACE: str
    FACETS_HOLD: str

    def title_begins(self, spelling: Sequence[Group]) -> str: ...
    def in_title(self, group: Group) -> str: ...
    def anywhere(self, group: Group) -> str: ...
    def facets(self, filters: Filters) -> str: ...
    def any_of(self, parts: Sequence[str]) -> str: ...
    def all_of(self, parts: Sequence[str]) -> str: ...
    def without(self, some: str, others: str) -> str: ...
    def all_tiers(self, exact: str) -> str: ...
    def number(self, expression: str) -> str: ...


class _Shared:
    OR: str
    AND: str

    def any_of(self, parts: Sequence[str]) -> str:
        return f"({self.OR.join(parts)})"

    def all_of(self, parts: Sequence[str]) -> str:
        return f"({self.AND.join(part for part in parts if part)})"

    def facets(self, filters: Filters) -> str:
        """ "" where nothing is filtered."""
        found = [self.facet(facet_of_genre(filters.genre), False)] if filters.genre else []
        if filters.year_from or filters.year_to:
            first, last = max(filters.year_from or 0, FIRST_YEAR), min(filters.year_to or LAST_YEAR, LAST_YEAR)
            years = facets_of_years(first, last) or [("none", False)]
            found.append(self.any_of([self.facet(token, is_prefix) for token, is_prefix in years]))
        return self.all_of(found) if found else ""

    def facet(self, token: str, is_prefix: bool) -> str:
        raise NotImplementedError


class _Fts5(_Shared):
    name = "sqlite"
    OR, AND = " OR ", " AND "
    MATCHES = "search_index MATCH :match_{}"
    PLACE = "i.rowid"
    FACETS_HOLD = "EXISTS (SELECT 1 FROM search_index WHERE search_index MATCH :facets AND rowid = e.place)"

    def title_begins(self, spelling: Sequence[Group]) -> str:
        return f"title : ^ {_phrase([token for group in spelling for token in group])}"

    def in_title(self, group: Group) -> str:
        return f"title : {_phrase(group)}"

    def anywhere(self, group: Group) -> str:
        return f"{{title words}} : {_phrase(group)}"

    def facet(self, token: str, is_prefix: bool) -> str:
        return f"facets : {_phrase([token], is_prefix)}"

    def without(self, some: str, others: str) -> str:
        return f"({some} NOT {others})"

    def all_tiers(self, exact: str) -> str:
        tiers = " UNION ALL ".join(
            f"SELECT {tier} AS tier, rowid AS place FROM search_index WHERE {self.MATCHES.format(tier)}"
            for tier in (1, 2, 3)
        )
        return f"SELECT min(tier) AS tier, place FROM ({tiers} UNION ALL SELECT 0, place FROM ({exact})) GROUP BY place"

    def number(self, expression: str) -> str:
        return f"({expression})"


def _phrase(tokens: Sequence[str], is_prefix: bool = True) -> str:
    return f'"{" ".join(tokens)}"{" *" if is_prefix else ""}'


class _Tsquery(_Shared):
    name = "postgresql"
    OR, AND = " | ", " & "
    MATCHES = "i.terms @@ CAST(:match_{} AS tsquery)"
    PLACE = "i.place"
    FACETS_HOLD = (
        "EXISTS (SELECT 1 FROM search_index AS f WHERE f.place = e.place AND f.terms @@ CAST(:facets AS tsquery))"
    )

    def title_begins(self, spelling: Sequence[Group]) -> str:
        tokens = [token for group in spelling for token in group]
        return self._phrase(tokens, ["A", *["B"] * (len(tokens) - 1)])

    def in_title(self, group: Group) -> str:
        return self._phrase(group, ["AB"] * len(group))

    def anywhere(self, group: Group) -> str:
        return self._phrase(group, ["ABC"] * len(group))

    def _phrase(self, tokens: Sequence[str], weights: Sequence[str]) -> str:
        *terms, last = [f"'{token}':{weight}" for token, weight in zip(tokens, weights, strict=True)]
        return f"({' <-> '.join([*terms, last.replace(':', ':*')])})"

    def facet(self, token: str, is_prefix: bool) -> str:
        return f"'{token}':{'*' if is_prefix else ''}D"

    def without(self, some: str, others: str) -> str:
        return f"({some} & !{others})"

    def all_tiers(self, exact: str) -> str:
        tiers = " ".join(f"WHEN {self.MATCHES.format(tier)} THEN {tier}" for tier in (1, 2))
        return (
            f"SELECT CASE WHEN i.place IN ({exact}) THEN 0 {tiers} ELSE 3 END AS tier, i.place "
            f"FROM search_index AS i WHERE {self.MATCHES.format(3)}"
        )

    def number(self, expression: str) -> str:
        return f"CAST({expression} AS bigint)"


ASKING: Mapping[str, Asking] = {"sqlite": _Fts5(), "postgresql": _Tsquery()}
