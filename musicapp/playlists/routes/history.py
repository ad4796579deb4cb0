"""Every change of a playlist, and the way back to what it was."""

from __future__ import annotations

from flask import Response, abort, flash, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.core.db import db, row_id
from musicapp.core.pages import page
from musicapp.live import services as live
from musicapp.playlists import queries, services
from musicapp.playlists.access import open_for_editors, open_playlist
from musicapp.playlists.queries.viewing import name_of
from musicapp.playlists.routes.blueprint import ID, blueprint, to_playlist

AT_ONCE = 50


@blueprint.get(f"/playlists/{ID}/history")
def history(playlist_id: int) -> Response:
    """Changes, the newest first; ?before=version goes on. Members only: it tells who did what."""
    cursor = live.current_cursor()
    access = open_playlist(playlist_id)
    if access.role is None:
        abort(404)
    before = request.args.get("before", type=row_id)
    changes = queries.history(playlist_id, access.user_id, before_version=before, limit=AT_ONCE)
    return page(
        "playlists/history_page.html",
        playlist_id=playlist_id,
        name=name_of(playlist_id),
        version=queries.version_of(playlist_id),
        changes=changes,
        may_edit=access.may_edit,
        is_newest="before" not in request.args,
        older=changes[-1].version if len(changes) == AT_ONCE else None,
        cursor=cursor,
    )


@blueprint.post(f"/playlists/{ID}/history/<int(max=2147483647):version>/restore")
def restore_version(playlist_id: int, version: int) -> BaseResponse:
    """The playlist as it was after that version, as one more change."""
    change = services.restore_version(playlist_id, open_for_editors(playlist_id), version)
    change_id = change.id if change else None
    db.session.commit()
    flash(_("The playlist is as it was then.") if change_id else _("It is like that already."))
    return to_playlist(playlist_id, undo=change_id)
