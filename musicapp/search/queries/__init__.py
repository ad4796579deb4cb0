"""Reads of the index."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field

from sqlalchemy import select

from musicapp.core.db import db
from musicapp.search.models import SearchEntry
from musicapp.search.places import KINDS, places_of
from musicapp.search.queries import subjects
from musicapp.search.queries.asking import Filters
from musicapp.search.queries.finding import TIERS, Hit, hits_by_kind
from musicapp.search.queries.spelling import forgiven
from musicapp.search.tokens import LONGEST_QUERY, MOST_GROUPS, Group, groups_of

__all__ = ["KINDS", "TOO_FEW", "Found", "Hit", "is_unfilled", "search"]

TOO_FEW = 3
"""Fewer hits than this, and typos are forgiven."""


@dataclass(frozen=True, slots=True)
class Found:
    """Kind -> hits, best first; kind -> the key that the next page begins after; and another spelling.

    `spelling` is what was probably meant. The hits are those of the spelling where `is_respelled`.
    """

    hits: dict[str, list[Hit]] = field(default_factory=dict)
    next_keys: dict[str, str] = field(default_factory=dict)
    spelling: str | None = None
    is_respelled: bool = False

    @property
    def count(self) -> int:
        return sum(len(hits) for hits in self.hits.values())

    @property
    def best(self) -> Hit | None:
        """The first of all kinds."""
        hits = [hits[0] for hits in self.hits.values() if hits]
        return min(hits, key=lambda hit: hit.rank, default=None)

    def ids(self, kind: str) -> list[int]:
        return [hit.subject_id for hit in self.hits.get(kind, ())]


def search(
    text: str,
    *,
    kinds: Collection[str] = KINDS,
    genre: str | None = None,
    year_from: int | None = None,
    year_to: int | None = None,
    limit: int = 8,
    after: str | None = None,
) -> Found:
    """What everybody may find by these words: at most `limit` hits of each kind. One statement, three after a typo.

    Every word may be a beginning. `genre` is a slug; `after` is one of `next_keys`, with a single kind.
    What became invisible a moment ago may still be among the ids: read the things with their rights.
    """
    groups = groups_of(text, LONGEST_QUERY)[:MOST_GROUPS]
    if not groups:
        return Found()
    filters = Filters(genre, year_from, year_to)
    begin = _read_key(after, kinds)
    hits = hits_by_kind([[group] for group in groups], kinds=kinds, filters=filters, limit=limit + 1, after=begin)
    found = _page(hits, limit)
    if found.count >= TOO_FEW or begin is not None:
        return found
    return _respelled(groups, found, kinds=kinds, filters=filters, limit=limit)


def _page(hits: dict[str, list[Hit]], limit: int, **more: object) -> Found:
    shown = {kind: of_kind[:limit] for kind, of_kind in hits.items()}
    next_keys = {kind: of_kind[limit - 1].key for kind, of_kind in hits.items() if len(of_kind) > limit}
    return Found(shown, next_keys, **more)  # type: ignore[arg-type]


def _respelled(groups: list[Group], found: Found, *, kinds: Collection[str], filters: Filters, limit: int) -> Found:
    """Hits of what was probably meant where the words as typed find nothing; else only how it is spelled."""
    wanted = forgiven(groups)
    if not wanted:
        return found
    page = _page(hits_by_kind(wanted, kinds=kinds, filters=filters, limit=limit + 1, with_text=True), limit)
    known = {hit.place for hits in found.hits.values() for hit in hits}
    new = [hit for hits in page.hits.values() for hit in hits if hit.place not in known]
    if not new:
        return found
    spelling = _spelling_in(min(new, key=lambda hit: hit.rank), wanted)
    if found.count:
        return Found(found.hits, found.next_keys, spelling)
    return Found(page.hits, page.next_keys, spelling, is_respelled=True)


def _spelling_in(hit: Hit, wanted: list[list[Group]]) -> str:
    """The query as this hit spells it: whole words where only their beginning was typed."""
    tokens = hit.text.split()
    spelled = []
    for typed, *others in wanted:
        fitting = [token for (other, *_) in others for token in tokens if token.startswith(other)]
        as_typed = len(typed) > 1 or any(token.startswith(typed[0]) for token in tokens)
        spelled.append("".join(typed) if as_typed or not fitting else fitting[0])
    return " ".join(spelled)


def _read_key(key: str | None, kinds: Collection[str]) -> Hit | None:
    """None for what is no key of these kinds: an address that somebody mended by hand shows the first page."""
    tier, _, place = (key or "").partition("-")
    if not (tier.isdecimal() and place.isdecimal()) or len(tier) > 1 or len(place) > 15:
        return None
    hit = Hit(int(tier), int(place))
    is_hit = hit.tier in TIERS and hit.place <= places_of(KINDS[-1])[1]
    return hit if is_hit and [*kinds] == [hit.kind] else None


def is_unfilled() -> bool:
    """True where the index has nothing, though there are people who could be found."""
    if db.session.scalar(select(SearchEntry.id).limit(1)) is not None:
        return False
    return bool(subjects.people_after(0, 1))
