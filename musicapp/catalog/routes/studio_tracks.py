"""Tracks in the studio: order, tags, credits, deletion with undo."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.catalog import forms, queries, services
from musicapp.catalog.models import Track
from musicapp.catalog.routes.door import blueprint, open_album
from musicapp.catalog.services.credits import ROLES
from musicapp.core.db import db, reading
from musicapp.core.pages import page, wants_fragment

MOST_TRACKS = 10_000
"""No order is longer and no track moves further."""


def _open_track(track_id: int, *, even_deleted: bool = False) -> Track:
    track = queries.editable_track(track_id)
    if track is None or (track.deleted_at is not None and not even_deleted):
        abort(404)
    open_album(track.album_id)
    return track


@reading()
def _tracks(album_id: int, removed: Track | None = None) -> BaseResponse | str:
    """The list as it stands now for htmx; the whole page for a plain form."""
    if wants_fragment():
        album = queries.album_page(album_id)
        return render_template("catalog/_studio_tracks.html", album=album, removed=removed)
    words: dict[str, Any] = {"deleted_track": removed.id} if removed else {}
    return redirect(url_for("catalog.studio_album", album_id=album_id, _anchor="tracks", **words), 303)


@blueprint.post("/studio/albums/<int(max=2147483647):album_id>/order")
def reorder_tracks(album_id: int) -> BaseResponse | str:
    """The whole order at once: field order, ids joined by commas."""
    open_album(album_id)
    sent = request.form.get("order", "").split(",")
    if not all(one.isascii() and one.isdecimal() and len(one) < 19 for one in sent) or len(sent) > MOST_TRACKS:
        abort(422, _("This order can't be read. Reload the page and try again."))
    services.reorder_tracks(album_id, [int(one) for one in sent])
    db.session.commit()
    return _tracks(album_id)


@blueprint.post("/studio/tracks/<int(max=2147483647):track_id>/move")
def move_track(track_id: int) -> BaseResponse | str:
    """Field places: -1 is up, 1 is down."""
    track = _open_track(track_id)
    album_id = track.album_id
    places = request.form.get("places", 0, type=int)
    services.move_track(track_id, max(-MOST_TRACKS, min(places, MOST_TRACKS)))
    db.session.commit()
    return _tracks(album_id)


@blueprint.post("/studio/tracks/<int(max=2147483647):track_id>/delete")
def delete_track(track_id: int) -> BaseResponse | str:
    track = _open_track(track_id)
    album_id = track.album_id
    services.delete_track(track_id)
    db.session.commit()
    return _tracks(album_id, removed=track)


@blueprint.post("/studio/tracks/<int(max=2147483647):track_id>/restore")
def restore_track(track_id: int) -> BaseResponse | str:
    track = _open_track(track_id, even_deleted=True)
    album_id = track.album_id
    services.restore_track(track_id)
    db.session.commit()
    return _tracks(album_id)


def _track_page(track: Track, form: forms.Form, status: int = 200) -> BaseResponse:
    return page("catalog/studio_track_page.html", status, track=track, form=form, roles=ROLES)


def _form_of(track: Track) -> forms.TrackForm:
    names = ("title", "disc_number", "track_number", "genre", "isrc", "recorded_on", "lyrics", "synced_lyrics")
    form = forms.TrackForm(values={name: getattr(track, name) or "" for name in names})
    form.values["credits"] = [
        {"name": credit.credited_as, "join_phrase": credit.join_phrase, "role": credit.role} for credit in track.credits
    ]
    return form


@blueprint.get("/studio/tracks/<int(max=2147483647):track_id>")
def studio_track(track_id: int) -> BaseResponse:
    track = _open_track(track_id)
    return _track_page(track, _form_of(track))


@blueprint.post("/studio/tracks/<int(max=2147483647):track_id>")
def update_track(track_id: int) -> BaseResponse:
    form = forms.track_form(request.form)
    track = _open_track(track_id)
    if not form.is_valid:
        db.session.rollback()
        form.values["credits"] = form.credits
        with reading():
            return _track_page(_open_track(track_id), form, 422)
    services.update_track(track_id, **form.arguments)
    album_id = track.album_id
    db.session.commit()
    flash(_("Saved."))
    return redirect(url_for("catalog.studio_album", album_id=album_id, _anchor="tracks"), 303)
