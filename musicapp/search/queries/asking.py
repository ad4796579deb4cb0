"""How each database is asked: FTS5's expressions and PostgreSQL's tsqueries for the same things.

Tokens are letters, digits and marks, so nothing in them is syntax of either.
"""
# ruff: noqa: S608  what was typed is a parameter

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from musicapp.search.tokens import Group, facet_of_genre, facets_of_years, is_unspaced

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
    PLACE: str
    FACETS_HOLD: str

    def is_short(self, wanted: Wanted, has_facets: bool) -> bool:
        """True where so much matches that it is read in order of place until there is enough."""

    def conditions(self, matches: Sequence[str], *, is_short: bool) -> tuple[tuple[str, str, str], dict[str, str]]:
        """The WHERE of each match, and the parameters in them."""

    def title_begins(self, spelling: Sequence[Group]) -> str: ...
    def in_title(self, group: Group) -> str: ...
    def anywhere(self, group: Group) -> str: ...
    def facets(self, filters: Filters) -> str: ...
    def any_of(self, parts: Sequence[str]) -> str: ...
    def all_of(self, parts: Sequence[str]) -> str: ...
    def without(self, some: str, others: str) -> str: ...
    def all_tiers(self, exact: str, conditions: Sequence[str]) -> str: ...
    def number(self, expression: str) -> str: ...


class _Shared(ABC):
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

    @abstractmethod
    def facet(self, token: str, is_prefix: bool) -> str:
        """The condition that an entry has this facet, or one that begins so."""


class _Fts5(_Shared):
    name = "sqlite"
    OR, AND = " OR ", " AND "
    PLACE = "i.rowid"
    FACETS_HOLD = "EXISTS (SELECT 1 FROM search_index WHERE search_index MATCH :facets AND rowid = e.place)"

    def is_short(self, wanted: Wanted, has_facets: bool) -> bool:
        # Beginnings of up to three letters have an index of their own (migration 0005), which is read as it comes.
        return all(len(group) == 1 and len(group[0]) <= 3 for groups in wanted for group in groups)

    def conditions(self, matches: Sequence[str], *, is_short: bool) -> tuple[tuple[str, str, str], dict[str, str]]:
        begins, in_title, anywhere = (f"search_index MATCH :match_{number}" for number in range(3))
        return (begins, in_title, anywhere), {f"match_{number}": match for number, match in enumerate(matches)}

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

    def all_tiers(self, exact: str, conditions: Sequence[str]) -> str:
        tiers = " UNION ALL ".join(
            f"SELECT {tier} AS tier, rowid AS place FROM search_index WHERE {condition}"
            for tier, condition in enumerate(conditions, 1)
        )
        return f"SELECT min(tier) AS tier, place FROM ({tiers} UNION ALL SELECT 0, place FROM ({exact})) GROUP BY place"

    def number(self, expression: str) -> str:
        return f"({expression})"


def _phrase(tokens: Sequence[str], is_prefix: bool = True) -> str:
    return f'"{" ".join(tokens)}"{" *" if is_prefix else ""}'


class _Tsquery(_Shared):
    name = "postgresql"
    OR, AND = " | ", " & "
    PLACE = "i.place"
    FACETS_HOLD = (
        "EXISTS (SELECT 1 FROM search_index AS f WHERE f.place = e.place AND f.terms @@ CAST(:facets AS tsquery))"
    )

    def is_short(self, wanted: Wanted, has_facets: bool) -> bool:
        # GIN knows no order. A single letter is so frequent that the first hundreds of places hold enough.
        if has_facets or len(wanted) > 1 or len(wanted[0]) > 1:
            return False
        (group,) = wanted[0]
        return len(group) == 1 and len(group[0]) == 1 and not is_unspaced(group[0])

    def conditions(self, matches: Sequence[str], *, is_short: bool) -> tuple[tuple[str, str, str], dict[str, str]]:
        if is_short:
            # Written out: for a parameter PostgreSQL might keep a plan that suits rare words. Letters are few.
            quoted = (match.replace("'", "''").replace(":", "\\:") for match in matches)
            begins, in_title, anywhere = (f"i.terms @@ CAST('{match}' AS tsquery)" for match in quoted)
            return (begins, in_title, anywhere), {}
        begins, in_title, anywhere = (f"i.terms @@ CAST(:match_{number} AS tsquery)" for number in range(3))
        return (begins, in_title, anywhere), {f"match_{number}": match for number, match in enumerate(matches)}

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

    def all_tiers(self, exact: str, conditions: Sequence[str]) -> str:
        begins, in_title, anywhere = conditions
        return (
            f"SELECT CASE WHEN i.place IN ({exact}) THEN 0 WHEN {begins} THEN 1 WHEN {in_title} THEN 2 ELSE 3 END "
            f"AS tier, i.place FROM search_index AS i WHERE {anywhere}"
        )

    def number(self, expression: str) -> str:
        return f"CAST({expression} AS bigint)"


ASKING: Mapping[str, Asking] = {"sqlite": _Fts5(), "postgresql": _Tsquery()}
