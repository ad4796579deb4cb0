"""Search: a page that is complete by itself, and that search.js fills anew while somebody types."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask import Response, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from werkzeug.exceptions import ServiceUnavailable

from musicapp.accounts.identity import current_viewer, signed_in_id
from musicapp.accounts.listening import listening_page
from musicapp.browse.routes.blueprint import blueprint
from musicapp.browse.search_results import results
from musicapp.catalog import queries as catalog
from musicapp.catalog.text import clean_line
from musicapp.core.limits import count_visit, visitor_address
from musicapp.core.pages import page
from musicapp.core.redis import RedisUnavailable
from musicapp.search import queries
from musicapp.search.recent import forget_search, recent_searches, remember_search
from musicapp.search.tokens import LONGEST_QUERY

OF_EACH_KIND = 6
OF_ONE_KIND = 30
TYPED = "X-Typed"
"""search.js sends it while somebody types: half a word is not worth remembering."""
DECADES = range(2020, 1940, -10)
_YEARS = re.compile(r"(\d{4})(?:(s)|-(\d{4}))?")


@dataclass(frozen=True, slots=True)
class Wish:
    """What the address asks for. `year` is "2020", "2020s" or "1990-1999"."""

    text: str
    kind: str | None
    genre: str | None
    year: str | None
    after: str | None

    @classmethod
    def read(cls) -> Wish:
        args = request.args
        return cls(
            text=clean_line(args.get("q", ""), LONGEST_QUERY),
            kind=args["kind"] if args.get("kind") in queries.KINDS else None,
            genre=args.get("genre") or None,
            year=args["year"] if _YEARS.fullmatch(args.get("year", "")) else None,
            after=args.get("after") or None,
        )

    @property
    def years(self) -> tuple[int | None, int | None]:
        match = _YEARS.fullmatch(self.year or "")
        if match is None:
            return None, None
        first = int(match[1])
        return first, int(match[3]) if match[3] else first + 9 if match[2] else first

    def url(self, **changes: Any) -> str:
        """The address of this search with something changed; never a later page of another search."""
        asked = {"q": self.text, "kind": self.kind, "genre": self.genre, "year": self.year, **changes}
        return url_for("browse.search", **{name: value for name, value in asked.items() if value})


@blueprint.get("/search")
@listening_page
def search() -> Response:
    """?q= words; ?kind=, ?genre=<slug>, ?year= leave others out; ?after= goes on with one kind."""
    wish, viewer = Wish.read(), current_viewer()
    _count(viewer.id)
    found = _find(wish)
    shown = results(found, viewer.id)
    if viewer.id is not None and not shown.is_empty and TYPED not in request.headers:
        remember_search(viewer.id, wish.text)
    return page(
        "browse/search_page.html",
        wish=wish,
        results=shown,
        genres=catalog.heard_genres() if wish.text else [],
        decades=DECADES,
        recent=recent_searches(viewer.id) if viewer.id is not None and not wish.text else [],
    )


@blueprint.post("/search/recent")
def remember() -> ResponseReturnValue:
    """A result was opened while its search was only typed: `q` is worth remembering."""
    remember_search(signed_in_id(), request.form.get("q", ""))
    return "", 204


@blueprint.post("/search/recent/forget")
def forget() -> ResponseReturnValue:
    """Forgets the search `q`, or all of them where there is none."""
    try:
        forget_search(signed_in_id(), request.form.get("q") or None)
    except RedisUnavailable:
        flash(_("That could not be deleted just now. Try again in half a minute."), "error")
    return redirect(url_for("browse.search"), 303)


def _find(wish: Wish) -> queries.Found:
    first, last = wish.years
    return queries.search(
        wish.text,
        kinds=[wish.kind] if wish.kind else queries.KINDS,
        genre=wish.genre,
        year_from=first,
        year_to=last,
        limit=OF_ONE_KIND if wish.kind else OF_EACH_KIND,
        after=wish.after if wish.kind else None,
    )


def _count(user_id: int | None) -> None:
    """Raises TooManyRequests. Nobody's password is at stake here, so without Redis people search uncounted."""
    try:
        count_visit("SEARCH_RATE_LIMIT", f"user-{user_id}" if user_id else visitor_address())
    except ServiceUnavailable:
        return
