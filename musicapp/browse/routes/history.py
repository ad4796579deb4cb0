"""What the viewer has heard. In this room, because plays come from playlists too."""

from __future__ import annotations

from flask import Response, request

from musicapp.accounts.identity import current_viewer, signed_in_id
from musicapp.browse.history import history_page
from musicapp.browse.routes.blueprint import blueprint
from musicapp.core.pages import page
from musicapp.live import services as live


@blueprint.get("/library/history")
def history() -> Response:
    """`before` is where a later page begins; `deleted` and `count` say what may be undone."""
    cursor = live.current_cursor()
    shown = history_page(signed_in_id(), request.args.get("before"), current_viewer().time_zone)
    return page(
        "browse/history_page.html",
        shown=shown,
        before=request.args.get("before"),
        deleted=request.args.get("deleted"),
        deleted_count=request.args.get("count", 0, type=int),
        cursor=cursor,
    )
