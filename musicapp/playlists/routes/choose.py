"""Into which playlist? A page of forms that opens as a dialog."""

from __future__ import annotations

from flask import Response, abort, request

from musicapp.accounts.identity import signed_in_id
from musicapp.catalog import queries as catalog
from musicapp.catalog.text import fold
from musicapp.core.pages import page
from musicapp.playlists import queries
from musicapp.playlists.routes.blueprint import blueprint
from musicapp.playlists.selection import selection_of, track_ids_of
from musicapp.playlists.services.words import NAME_LIMIT


@blueprint.get("/playlists/choose")
def choose() -> Response:
    """Names what to add as selection.selection_of reads it; ?q= narrows the list down."""
    user_id = signed_in_id()
    selection = selection_of(request.args)
    if selection.is_empty:
        abort(404)
    track_ids = track_ids_of(selection, user_id)
    wanted = request.args.get("q", "").strip()
    choices = queries.editable_playlists_of(user_id, track_ids)
    only = catalog.visible_rows(track_ids, user_id).get(track_ids[0]) if len(track_ids) == 1 else None
    return page(
        "playlists/choose_page.html",
        selection=selection,
        count=len(track_ids),
        only=only,
        q=wanted,
        choices=[one for one in choices if fold(wanted, NAME_LIMIT) in fold(one.name, NAME_LIMIT)],
        has_any=bool(choices),
    )
