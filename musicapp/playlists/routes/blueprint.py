"""The blueprint, and what its views share: answers for scripts and for plain forms, refusals in words."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import Forbidden, NotFound
from werkzeug.wrappers import Response as BaseResponse

from musicapp.core.db import db, reading
from musicapp.core.pages import wants_json
from musicapp.playlists.errors import PlaylistError, PlaylistForbiddenError, PlaylistNotFoundError
from musicapp.playlists.fragments import change_told

blueprint = Blueprint("playlists", "musicapp.playlists", template_folder="templates")

ID = "<int(max=2147483647):playlist_id>"


def to_playlist(playlist_id: int, anchor: str | None = None, **more: Any) -> BaseResponse:
    """Back to the playlist's page, to the piece of it that the form stood in."""
    values: dict[str, Any] = {"from": request.args.get("from", type=int) or None, **more}
    return redirect(url_for("browse.playlist", **values, playlist_id=playlist_id, _anchor=anchor), 303)


@reading()
def changed(playlist_id: int, change_id: int | None, words: str, anchor: str | None = None) -> Any:
    """The answer to a change that is stored: for scripts what it did, for plain forms the page with "Undo"."""
    if wants_json():
        told = change_told(change_id) if change_id else None
        can_undo = told is not None and told["kind"] not in {"undone", "created"}
        undo_url = f"/playlists/{playlist_id}/undo" if can_undo else None
        return {"change": told, "words": words, "undo_url": undo_url, "undo_words": _("Undo")}
    flash(words)
    return to_playlist(playlist_id, anchor, undo=change_id)


@blueprint.errorhandler(PlaylistError)
def _refused(error: PlaylistError) -> Any:
    """What services refuse: 404, 403, or the words above the page that the form stood on."""
    db.session.rollback()
    if isinstance(error, PlaylistNotFoundError):
        return current_app.handle_http_exception(NotFound(str(error)))
    if isinstance(error, PlaylistForbiddenError):
        return current_app.handle_http_exception(Forbidden(str(error)))
    return refused((request.view_args or {}).get("playlist_id"), str(error))


def refused(playlist_id: int | None, words: str) -> Any:
    """Nothing was stored, and this is why."""
    if wants_json():
        return {"error": words}, 422
    flash(words, "error")
    return to_playlist(playlist_id) if playlist_id else redirect(url_for("playlists.playlists"), 303)
