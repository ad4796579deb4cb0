"""What can be done with a track: a page of forms and links, which scripts open as a menu."""

from __future__ import annotations

from flask import Response, abort

from musicapp.accounts.identity import current_viewer
from musicapp.accounts.listening import listening_page
from musicapp.browse.routes.blueprint import blueprint
from musicapp.catalog.queries import visible_rows
from musicapp.core.pages import page
from musicapp.library.queries import viewer_state


@blueprint.get("/tracks/<int(max=2147483647):track_id>/menu")
@listening_page
def track_menu(track_id: int) -> Response:
    viewer = current_viewer()
    track = visible_rows([track_id], viewer.id).get(track_id)
    if track is None:
        abort(404)
    state = viewer_state(viewer.id, track_ids=[track_id])
    return page("browse/track_menu.html", track=track, viewer_state=state)
