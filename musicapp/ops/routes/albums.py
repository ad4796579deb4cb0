"""Albums: the list, one of them, taken down and given back."""

from __future__ import annotations

from flask import Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.core.db import LARGEST_ID, db, reading, row_id
from musicapp.ops import reportable
from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.forms import read_words
from musicapp.ops.queries import music as queries
from musicapp.ops.routes._blueprint import blueprint
from musicapp.ops.services import music

ADDRESS = f"/admin/albums/<int(max={LARGEST_ID}):album_id>"


@blueprint.get("/admin/albums")
@admin_only
def albums() -> Response:
    """`q` in titles and artists, `show` one of queries.ALBUM_SHOWS, `after` for the pages that follow."""
    text, show = request.args.get("q", "").strip(), request.args.get("show", "all")
    found = queries.albums(text, show, request.args.get("after", type=row_id))
    return admin_page("ops/albums_page.html", found=found, counts=queries.album_counts(), q=text, show=show)


@blueprint.get(ADDRESS)
@admin_only
def album(album_id: int) -> Response:
    return _page(album_id)


@reading()
def _page(album_id: int, status: int = 200, words: str = "") -> Response:
    shown = queries.album_page(album_id)
    if shown is None:
        abort(404)
    return admin_page("ops/album_page.html", status, shown=shown, words=words, reasons=reportable.REASONS)


@blueprint.post(f"{ADDRESS}/take-down")
@admin_only
def take_down_album(album_id: int) -> BaseResponse:
    reason = read_words(request.form, "reason")
    if not reason:
        return _page(album_id, 422, _("Write why: the people who made it read it."))
    _must_exist(album_id)
    done = music.take_down_album(album_id, reason)
    db.session.commit()
    flash(_("The album is down, and its members are told.") if done else _("That is so already."))
    return redirect(url_for("ops.album", album_id=album_id), 303)


@blueprint.post(f"{ADDRESS}/give-back")
@admin_only
def give_album_back(album_id: int) -> BaseResponse:
    _must_exist(album_id)
    done = music.give_album_back(album_id)
    db.session.commit()
    flash(_("The album is back where it was.") if done else _("That is so already."))
    return redirect(url_for("ops.album", album_id=album_id), 303)


def _must_exist(album_id: int) -> None:
    if not queries.album_exists(album_id):
        abort(404)
