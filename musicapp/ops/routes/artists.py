"""Artists: the list, one of them, and all of an artist's albums taken down at once."""

from __future__ import annotations

from flask import Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from musicapp.core.db import LARGEST_ID, db, reading, row_id
from musicapp.ops import reportable
from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.forms import read_words
from musicapp.ops.queries import music as queries
from musicapp.ops.routes._blueprint import blueprint
from musicapp.ops.services import music

ADDRESS = f"/admin/artists/<int(max={LARGEST_ID}):artist_id>"


@blueprint.get("/admin/artists")
@admin_only
def artists() -> Response:
    """`q` in names, `show` one of queries.ARTIST_SHOWS, `after` for the pages that follow."""
    text, show = request.args.get("q", "").strip(), request.args.get("show", "all")
    found = queries.artists(text, show, request.args.get("after", type=row_id))
    return admin_page("ops/artists_page.html", found=found, q=text, show=show)


@blueprint.get(ADDRESS)
@admin_only
def artist(artist_id: int) -> Response:
    return _page(artist_id)


@reading()
def _page(artist_id: int, status: int = 200, words: str = "") -> Response:
    shown = queries.artist_page(artist_id)
    if shown is None:
        abort(404)
    return admin_page("ops/artist_page.html", status, shown=shown, words=words, reasons=reportable.REASONS)


@blueprint.post(f"{ADDRESS}/take-down")
@admin_only
def take_down_artist(artist_id: int) -> BaseResponse:
    reason = read_words(request.form, "reason")
    if not reason:
        return _page(artist_id, 422, _("Write why: the people who made it read it."))
    _must_exist(artist_id)
    count = music.take_down_artist(artist_id, reason)
    db.session.commit()
    flash(ngettext("%(num)s album is down.", "%(num)s albums are down.", count))
    return redirect(url_for("ops.artist", artist_id=artist_id), 303)


@blueprint.post(f"{ADDRESS}/give-back")
@admin_only
def give_artist_back(artist_id: int) -> BaseResponse:
    _must_exist(artist_id)
    count = music.give_artist_back(artist_id)
    db.session.commit()
    flash(ngettext("%(num)s album is back.", "%(num)s albums are back.", count))
    return redirect(url_for("ops.artist", artist_id=artist_id), 303)


def _must_exist(artist_id: int) -> None:
    if not queries.artist_exists(artist_id):
        abort(404)
