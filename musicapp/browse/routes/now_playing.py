"""What the opened player shows besides the sound: large cover, credits, lyrics, and what can be done with the track."""

from __future__ import annotations

from flask import Response, abort

from musicapp.accounts.identity import current_viewer
from musicapp.accounts.listening import listening_page
from musicapp.browse.routes.blueprint import blueprint
from musicapp.catalog import queries
from musicapp.core.pages import page
from musicapp.library.queries import viewer_state


@blueprint.get("/tracks/<int(max=2147483647):track_id>/now-playing")
@listening_page
def now_playing(track_id: int) -> Response:
    viewer = current_viewer()
    shown = queries.track_page(track_id) if queries.visible_track(viewer.id, track_id) else None
    if shown is None:
        abort(404)
    state = viewer_state(viewer.id, track_ids=[track_id])
    return page("browse/now_playing.html", shown=shown, viewer_state=state)
