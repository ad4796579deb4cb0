"""What listeners see of one album, artist or track."""

from __future__ import annotations

from flask import Response, abort

from musicapp.accounts.identity import current_viewer
from musicapp.accounts.listening import listening_page
from musicapp.browse.routes.blueprint import blueprint
from musicapp.catalog import queries
from musicapp.core.pages import page
from musicapp.library.queries import viewer_state
from musicapp.live import services as live
from musicapp.recommendations.queries import fans_also_like


@blueprint.get("/albums/<int(max=2147483647):album_id>")
@listening_page
def album(album_id: int) -> Response:
    cursor = live.current_cursor()
    viewer = current_viewer()
    access = queries.album_access(viewer.id, album_id)
    if access is None:
        abort(404)
    shown = queries.shown_album_page(album_id) if access.is_published else queries.album_page(album_id)
    if shown is None:
        abort(404)
    state = viewer_state(viewer.id, album_ids=[album_id], track_ids=[track.id for track in shown.tracks])
    return page("browse/album_page.html", album=shown, may_edit=access.may_edit, viewer_state=state, cursor=cursor)


@blueprint.get("/artists/<int(max=2147483647):artist_id>")
@listening_page
def artist(artist_id: int) -> Response:
    cursor = live.current_cursor()
    viewer = current_viewer()
    shown = queries.artist_page(artist_id, viewer.id)
    if shown is None:
        abort(404)
    popular = queries.popular_rows(artist_id)
    similar = fans_also_like(artist_id)
    state = viewer_state(viewer.id, artist_ids=[artist_id], track_ids=[track.id for track in popular])
    return page(
        "browse/artist_page.html", artist=shown, popular=popular, similar=similar, viewer_state=state, cursor=cursor
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
    state = viewer_state(viewer.id, track_ids=[track_id])
    return page("browse/track_page.html", shown=shown, may_edit=may_edit, viewer_state=state, cursor=cursor)
