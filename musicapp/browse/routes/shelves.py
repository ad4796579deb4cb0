"""Lists to browse: albums, artists, genres, years, a shuffle. Each page has an address that stays."""

from __future__ import annotations

from itertools import groupby
from typing import Any

from flask import Response, abort, redirect, request, url_for

from musicapp.accounts.listening import listening_page
from musicapp.browse.routes.blueprint import blueprint
from musicapp.catalog import queries
from musicapp.catalog.queries.shelves import SORTS
from musicapp.catalog.shuffle import Shuffle
from musicapp.core.db import row_id
from musicapp.core.pages import page

ALBUMS_PER_PAGE = 48
ARTISTS_PER_PAGE = 60
ARTISTS_OF_GENRE = 12
FIRST_YEAR, LAST_YEAR = 1000, 9999
ARGUMENTS = ("sort", "genre", "year", "letter", "seed", "after")
"""What the addresses of these pages carry behind the question mark."""


def _here(**changes: Any) -> str:
    """This page's address with other arguments; None leaves one out."""
    # Only those: `_scheme` or `endpoint` in an address would be taken for arguments of url_for itself.
    asked = {name: request.args.get(name) for name in ARGUMENTS} | changes
    kept = {name: value for name, value in asked.items() if value not in (None, "")}
    return url_for(str(request.endpoint), **{**kept, **(request.view_args or {})})


def _paged(next_key: object) -> dict[str, Any]:
    """What the links to the pages before and after need."""
    return {
        "first_url": _here(after=None) if "after" in request.args else None,
        "next_url": _here(after=next_key) if next_key is not None else None,
    }


@blueprint.get("/albums/")
@listening_page
def albums() -> Response:
    """All albums: ?sort=new, title or year; ?genre=<slug> and ?year= leave others out."""
    sort = request.args.get("sort", "")
    sort = sort if sort in SORTS else SORTS[0]
    genres = queries.genre_cards()
    genre = next((genre for genre in genres if genre.slug == request.args.get("genre")), None)
    year = _year(request.args.get("year", type=int))
    shelf = queries.album_shelf(
        ALBUMS_PER_PAGE, sort=sort, after=request.args.get("after"), genre_id=genre.id if genre else None, year=year
    )
    chosen: dict[str, Any] = {"sort": sort, "genre": genre, "year": year}
    sorts = [(name, _here(sort=None if name == SORTS[0] else name, after=None)) for name in SORTS]
    years, links = queries.years(), _paged(shelf.next_key)
    return page("browse/albums_page.html", shelf=shelf, genres=genres, years=years, sorts=sorts, **chosen, **links)


def _year(number: int | None) -> int | None:
    return number if number is not None and FIRST_YEAR <= number <= LAST_YEAR else None


@blueprint.get("/artists/")
@listening_page
def artists() -> Response:
    """All artists by name; ?letter=B only those under a letter."""
    letter = request.args.get("letter", "").replace("\0", "") or None
    found = queries.artist_cards(ARTISTS_PER_PAGE + 1, request.args.get("after", type=row_id), letter)
    shown = found[:ARTISTS_PER_PAGE]
    letters = [(name, url_for("browse.artists", letter=name)) for name in queries.artist_letters()]
    links = _paged(shown[-1].id if len(found) > len(shown) else None)
    return page("browse/artists_page.html", artists=shown, letters=letters, letter=letter, **links)


@blueprint.get("/genres/")
@listening_page
def genres() -> Response:
    return page("browse/genres_page.html", genres=queries.genre_cards())


@blueprint.get("/genres/<slug>")
@listening_page
def genre(slug: str) -> Response:
    found = queries.genre_by_slug(slug)
    if found is None:
        abort(404)
    shelf = queries.album_shelf(ALBUMS_PER_PAGE, after=request.args.get("after"), genre_id=found.id)
    artists = [] if "after" in request.args else queries.artists_of_genre(found.id, ARTISTS_OF_GENRE)
    return page("browse/genre_page.html", genre=found, shelf=shelf, artists=artists, **_paged(shelf.next_key))


@blueprint.get("/years/")
@listening_page
def years() -> Response:
    decades = [(decade, list(found)) for decade, found in groupby(queries.years(), lambda pair: pair[0] // 10 * 10)]
    return page("browse/years_page.html", decades=decades)


@blueprint.get("/years/<int(max=9999):number>")
@listening_page
def year(number: int) -> Response:
    if number < FIRST_YEAR:
        abort(404)
    shelf = queries.album_shelf(ALBUMS_PER_PAGE, sort="year", after=request.args.get("after"), year=number)
    if not shelf.albums and "after" not in request.args:
        abort(404)
    return page("browse/year_page.html", year=number, shelf=shelf, **_paged(shelf.next_key))


@blueprint.get("/random")
@listening_page
def random() -> Any:
    """Albums in the order of ?seed=, which an address without one is given."""
    shuffle = Shuffle.read(request.args.get("seed"))
    if shuffle is None:
        return redirect(url_for("browse.random", seed=queries.new_shuffle()))
    place = request.args.get("after", default=0, type=row_id)
    shelf = queries.random_shelf(shuffle, place, ALBUMS_PER_PAGE)
    response = page("browse/random_page.html", shelf=shelf, **_paged(shelf.next_key))
    response.headers["HX-Push-Url"] = request.full_path  # a link to /random has been redirected here
    return response
