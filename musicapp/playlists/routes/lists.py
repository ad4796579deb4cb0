"""A person's playlists: the list of them, a new one, one from a file."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import signed_in_id
from musicapp.accounts.listening import listening_page
from musicapp.catalog.forms import Form
from musicapp.core.db import db, reading, row_id
from musicapp.core.pages import page, wants_json
from musicapp.live import services as live
from musicapp.playlists import exchange, forms, queries, services
from musicapp.playlists.errors import ExchangeError, PlaylistFullError
from musicapp.playlists.routes.blueprint import blueprint, to_playlist
from musicapp.playlists.selection import selection_of, track_ids_of

CARDS_PER_PAGE = 48


@reading()
def _playlists_page(form: Form | None = None, status: int = 200) -> Response:
    cursor = live.current_cursor()
    user_id = signed_in_id()
    return page(
        "playlists/playlists_page.html",
        status,
        playlists=queries.playlists_of(user_id),
        invitations=queries.invitations_for(user_id),
        deleted=queries.deleted_playlists_of(user_id),
        topics=[f"library-{user_id}"],
        deleted_id=request.args.get("deleted", type=row_id),
        form=form or Form(),
        cursor=cursor,
    )


@blueprint.get("/playlists/")
def playlists() -> Response:
    """Owned, joined and followed playlists, and invitations that wait for an answer."""
    return _playlists_page()


@blueprint.get("/playlists/public")
@listening_page
def public_playlists() -> Response:
    """Everybody's public playlists, last changed first."""
    shown = queries.public_playlists(before=request.args.get("before"), limit=CARDS_PER_PAGE + 1)
    older = shown[CARDS_PER_PAGE - 1].page_key if len(shown) > CARDS_PER_PAGE else None
    return page(
        "playlists/public_page.html", cards=shown[:CARDS_PER_PAGE], older=older, is_first="before" not in request.args
    )


@blueprint.post("/playlists/")
def create_playlist() -> Any:
    """A new playlist, with the tracks that the form names, if any."""
    user_id = signed_in_id()
    selection = selection_of(request.form)
    track_ids = track_ids_of(selection, user_id)
    made = services.create_playlist(user_id, forms.new_name(request.form, _("New playlist")), track_ids=track_ids)
    playlist_id, name, count = made.id, made.name, made.track_count
    db.session.commit()
    if selection.is_empty:
        return to_playlist(playlist_id, new=1)
    added = ngettext("Added %(num)s track to %(name)s.", "Added %(num)s tracks to %(name)s.", count, name=name)
    if wants_json():
        return {"words": added, "playlist_id": playlist_id}
    flash(added)
    return to_playlist(playlist_id)


@blueprint.post("/playlists/import")
def import_playlist() -> BaseResponse:
    """A playlist from an M3U, M3U8 or JSPF file; what wasn't found is listed."""
    user_id = signed_in_id()
    request.max_content_length = exchange.MAX_BYTES + 64 * 1024
    try:
        file = request.files.get("file")
        if file is None or not file.filename:
            raise ExchangeError(_("Choose a playlist file first: M3U, M3U8 or JSPF."))
        imported = services.import_playlist(user_id, file.read(), file.filename)
    except (ExchangeError, PlaylistFullError) as error:
        return _refused_file(str(error))
    except RequestEntityTooLarge:
        return _refused_file(_("This file is larger than 5 MB. Choose a smaller one."))
    playlist_id = imported.playlist.id if imported.playlist else None
    name = imported.playlist.name if imported.playlist else ""
    db.session.commit()
    return page("playlists/imported_page.html", imported=imported, playlist_id=playlist_id, name=name)


def _refused_file(words: str) -> Response:
    db.session.rollback()
    return _playlists_page(Form(errors={"file": words}), 422)
