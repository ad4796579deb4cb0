"""What listeners see: albums, artists, tracks."""

from __future__ import annotations

from flask import Response, abort, request

from musicapp.accounts.identity import current_viewer
from musicapp.accounts.listening import listening_page
from musicapp.browse.routes.blueprint import blueprint
from musicapp.catalog import queries
from musicapp.core.db import row_id
from musicapp.core.pages import page
from musicapp.live import services as live

ALBUMS_PER_PAGE = 48
ARTISTS_PER_PAGE = 60


@blueprint.get("/albums/<int(max=2147483647):album_id>")
@listening_page
def album(album_id: int) -> Response:
    cursor = live.current_cursor()
    viewer = current_viewer()
    if not queries.may_see_album(viewer.id, album_id):
        abort(404)
    shown = queries.album_page(album_id)
    if shown is None:
        abort(404)
    return page(
        "browse/album_page.html",
        album=shown,
        may_edit=queries.may_edit_album(viewer.id, album_id),
        cursor=cursor,
    )


@blueprint.get("/albums/")
@listening_page
def albums() -> Response:
    shown = queries.latest_albums(ALBUMS_PER_PAGE + 1, before=request.args.get("before"))
    older = shown[ALBUMS_PER_PAGE - 1].page_key if len(shown) > ALBUMS_PER_PAGE else None
    return page(
        "browse/albums_page.html", albums=shown[:ALBUMS_PER_PAGE], older=older, is_first="before" not in request.args
    )


@blueprint.get("/artists/<int(max=2147483647):artist_id>")
@listening_page
def artist(artist_id: int) -> Response:
    cursor = live.current_cursor()
    may_edit = queries.may_edit_artist(current_viewer().id, artist_id)
    shown = queries.artist_page(artist_id, even_unheard=may_edit)
    if shown is None:
        abort(404)
    return page("browse/artist_page.html", artist=shown, may_edit=may_edit, cursor=cursor)


@blueprint.get("/artists/")
@listening_page
def artists() -> Response:
    shown = queries.artist_cards(ARTISTS_PER_PAGE + 1, after_id=request.args.get("after", type=row_id))
    next_id = shown[ARTISTS_PER_PAGE - 1].id if len(shown) > ARTISTS_PER_PAGE else None
    return page(
        "browse/artists_page.html",
        artists=shown[:ARTISTS_PER_PAGE],
        next_id=next_id,
        is_first="after" not in request.args,
    )


@blueprint.get("/tracks/<int(max=2147483647):track_id>")
@listening_page
def track(track_id: int) -> Response:
    cursor = live.current_cursor()
    viewer = current_viewer()
    seen = queries.visible_track(viewer.id, track_id)
    shown = queries.track_page(track_id) if seen else None
    if shown is None:
        abort(404)
    may_edit = queries.may_edit_album(viewer.id, shown.row.album_id)
    return page("browse/track_page.html", shown=shown, may_edit=may_edit, cursor=cursor)
