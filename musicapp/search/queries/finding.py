"""Finding: one statement that reads, for each kind, the best few matches of four tiers, each in order of place.

Exact titles come first, then titles that begin with what was typed, then titles that hold all words, then whatever
holds them with its artists and its album.

Short beginnings match half a library: they are read in order of place, kind by kind and tier by tier, and left as
soon as there is enough. Longer words match little: they are read once, and sorted. Which is which, asking.py says.
"""
# ruff: noqa: S608  statements are put together from the constants below; whatever was typed is a parameter

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from typing import Any

from sqlalchemy import TextClause, text

from musicapp.core.db import db, is_sqlite
from musicapp.search.places import KIND_SHIFT, KINDS, places_of, subject_at
from musicapp.search.queries.asking import ASKING, Filters, Wanted

EXACT, TITLE_BEGINS, IN_TITLE, ANYWHERE = TIERS = range(4)
MOST_SPELLINGS = 12
"""Whole queries that are tried where several words were mistyped."""


@dataclass(frozen=True, slots=True, order=True)
class Hit:
    """Something found. Hits of one kind sort as people expect it: by tier, then by popularity."""

    tier: int
    place: int
    text: str = field(default="", compare=False)
    """Its tokens, where they were asked for."""

    @property
    def kind(self) -> str:
        return subject_at(self.place)[0]

    @property
    def subject_id(self) -> int:
        return subject_at(self.place)[1]

    @property
    def rank(self) -> tuple[int, int, int]:
        """Sorts hits of all kinds, which places would sort by kind: tier, popularity, kind."""
        first, _ = places_of(self.kind)
        return self.tier, (self.place - first) >> 31, KINDS.index(self.kind)

    @property
    def key(self) -> str:
        return f"{self.tier}-{self.place}"


def hits_by_kind(
    wanted: Wanted,
    *,
    kinds: Collection[str],
    filters: Filters,
    limit: int,
    after: Hit | None = None,
    with_text: bool = False,
) -> dict[str, list[Hit]]:
    """Kind -> at most `limit` hits, best first; `after` (one kind only) is the last hit of the page before."""
    asking = ASKING["sqlite" if is_sqlite() else "postgresql"]
    spellings = [tuple(spelling) for spelling in product(*wanted)][:MOST_SPELLINGS]
    begins = asking.any_of([asking.title_begins(spelling) for spelling in spellings])
    in_title = asking.all_of([asking.any_of([asking.in_title(group) for group in groups]) for groups in wanted])
    anywhere = asking.all_of([asking.any_of([asking.anywhere(group) for group in groups]) for groups in wanted])
    facets = asking.facets(filters)
    titles = sorted({" ".join(token for group in spelling for token in group) for spelling in spellings})
    parts = Parts(asking.name, tuple(kinds), len(titles), bool(facets), after is not None, with_text)
    parameters: dict[str, Any] = {f"title_{number}": title for number, title in enumerate(titles)} | {"limit": limit}
    if after:
        parameters |= {"after_tier": after.tier, "after_place": after.place}
    if facets:
        parameters["facets"] = facets
    if asking.is_short(wanted, bool(facets)):
        # Each tier alone, without those before it, so that the statement knows when it has enough.
        matches = [begins, asking.without(in_title, begins), asking.without(anywhere, in_title)]
        conditions, values = asking.conditions([asking.all_of([match, facets]) for match in matches], is_short=True)
        statement = _tier_by_tier(parts, conditions)
    else:
        matches = [begins, in_title, anywhere]
        conditions, values = asking.conditions([asking.all_of([match, facets]) for match in matches], is_short=False)
        statement = _all_at_once(parts, conditions)
    rows = db.session.execute(statement, parameters | values)
    found: dict[str, list[Hit]] = {kind: [] for kind in kinds}
    for hit in sorted(Hit(*row) for row in rows):
        found[hit.kind].append(hit)
    return found


@dataclass(frozen=True, slots=True)
class Parts:
    """What a statement is made of, besides what was typed: statements are few, and kept."""

    name: str
    kinds: tuple[str, ...]
    title_count: int
    has_facets: bool
    has_after: bool
    has_text: bool

    def whole(self, found: str) -> TextClause:
        """The statement, from what finds (tier, place)."""
        if not self.has_text:
            return text(found)
        return text(
            # Not joined: PostgreSQL expects many hits and would read the whole table for them.
            "SELECT hit.tier, hit.place, (SELECT entry.title || ' ' || entry.words FROM search_entries AS entry "
            f"WHERE entry.place = hit.place) FROM ({found}) AS hit"
        )

    @property
    def titles(self) -> str:
        return f"e.title IN ({', '.join(f':title_{number}' for number in range(self.title_count))})"

    @property
    def exact(self) -> str:
        hold = f" AND {ASKING[self.name].FACETS_HOLD}" if self.has_facets else ""
        return f"search_entries AS e WHERE {self.titles}{hold}"


@lru_cache(maxsize=256)
def _tier_by_tier(parts: Parts, conditions: tuple[str, str, str]) -> TextClause:
    """`conditions` are those of the tiers after the first."""
    asking, lists = ASKING[parts.name], []
    for kind in parts.kinds:
        first, last = places_of(kind)
        tiers = []
        for tier in TIERS:
            if tier == EXACT:
                rows, place = f"{parts.exact} AND", "e.place"
            else:
                rows, place = f"search_index AS i WHERE {conditions[tier - 1]} AND", asking.PLACE
            if tier == TITLE_BEGINS:
                rows += (
                    f" NOT EXISTS (SELECT 1 FROM search_entries AS e WHERE e.place = {place} AND {parts.titles}) AND"
                )
            begin = str(first - 1)
            if parts.has_after:
                rows += f" {tier} >= :after_tier AND"
                # One number, or the index would be read from its start.
                begin = asking.number(f"CASE :after_tier WHEN {tier} THEN :after_place ELSE {first - 1} END")
            tiers.append(
                f"SELECT * FROM (SELECT {tier} AS tier, {place} AS place FROM {rows} "
                f"{place} > {begin} AND {place} <= {last} ORDER BY {place} LIMIT :limit) AS tier_{tier}"
            )
        lists.append(f"SELECT * FROM (SELECT * FROM ({' UNION ALL '.join(tiers)}) AS tiers LIMIT :limit) AS {kind}")
    return parts.whole(" UNION ALL ".join(lists))


@lru_cache(maxsize=256)
def _all_at_once(parts: Parts, conditions: tuple[str, str, str]) -> TextClause:
    found = ASKING[parts.name].all_tiers(f"SELECT e.place FROM {parts.exact}", conditions)
    wishes = ["true"]
    if len(parts.kinds) < len(KINDS):
        numbers = ", ".join(str(KINDS.index(kind)) for kind in parts.kinds)
        wishes.append(f"(place >> {KIND_SHIFT}) IN ({numbers})")
    if parts.has_after:
        wishes.append("(tier > :after_tier OR (tier = :after_tier AND place > :after_place))")
    return parts.whole(
        "SELECT tier, place FROM (SELECT tier, place, "
        f"row_number() OVER (PARTITION BY place >> {KIND_SHIFT} ORDER BY tier, place) AS number "
        f"FROM ({found}) AS found WHERE {' AND '.join(wishes)}) AS numbered WHERE number <= :limit"
    )
