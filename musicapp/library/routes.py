"""Doors of the library: likes and follows, what one keeps, and what is deleted from the history."""

from __future__ import annotations

from collections.abc import Callable
from secrets import randbelow

from flask import Blueprint, abort, flash, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import current_viewer, signed_in_id
from musicapp.core.db import LARGEST_ID, db, reading, utc_now
from musicapp.core.pages import page, page_before, wants_fragment, wants_json
from musicapp.library import forms, pages, queries, services
from musicapp.live import services as live
from musicapp.playback import forgetting
from musicapp.playback.play_queue import queries as play_queue_queries
from musicapp.playback.play_queue import services as play_queue

blueprint = Blueprint("library", __name__, template_folder="templates")

ID = f"int(max={LARGEST_ID})"


@blueprint.get("/library")
@blueprint.get("/library/")
def show() -> BaseResponse:
    """What the viewer keeps: `kind`, `q`, `genre`, `sort`, and `after` for the pages that follow."""
    cursor = live.current_cursor()
    wanted = forms.read_wanted(request.args)
    shown = pages.library_page(signed_in_id(), wanted, request.args.get("after"))
    return page("library/library_page.html", shown=shown, cursor=cursor)


@blueprint.get("/library/state.json")
def state() -> BaseResponse:
    """Of `tracks=1,2&albums=3&artists=4`, those that the viewer likes or follows."""
    asked = {kind: forms.read_ids(request.args.get(kind, "")) for kind in queries.KINDS}
    found = queries.viewer_state(
        signed_in_id(), track_ids=asked["tracks"], album_ids=asked["albums"], artist_ids=asked["artists"]
    )
    kept = (found.liked_track_ids, found.liked_album_ids, found.followed_artist_ids)
    response = jsonify({kind: sorted(ids) for kind, ids in zip(queries.KINDS, kept, strict=True)})
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/library/play")
def play() -> BaseResponse:
    """Puts the liked tracks of a view into the play queue, `shuffle=1` in any order. A script plays them then."""
    user_id, wanted = signed_in_id(), forms.read_wanted({**request.form, "kind": "tracks"})
    ids = queries.track_ids_kept(user_id, wanted, limit=play_queue_queries.most_tracks())
    is_shuffled = request.form.get("shuffle") == "1"
    play_queue.shuffle(user_id, is_shuffled)
    start = randbelow(len(ids)) if ids and is_shuffled else 0
    play_queue.replace(user_id, ids, start=start, source="library-likes", play=False)
    db.session.commit()
    return BaseResponse("{}", mimetype="application/json") if wants_json() else redirect("/queue", 303)


@blueprint.post(f"/tracks/<{ID}:track_id>/like")
def like_track(track_id: int) -> BaseResponse:
    words = (_("In your library now."), _("Removed from your library."))
    return _switch(services.like_track, services.unlike_track, track_id, words, f"/tracks/{track_id}")


@blueprint.post(f"/albums/<{ID}:album_id>/like")
def like_album(album_id: int) -> BaseResponse:
    words = (_("In your library now."), _("Removed from your library."))
    return _switch(services.like_album, services.unlike_album, album_id, words, f"/albums/{album_id}")


@blueprint.post(f"/artists/<{ID}:artist_id>/follow")
def follow_artist(artist_id: int) -> BaseResponse:
    words = (_("You follow this artist now."), _("You no longer follow this artist."))
    return _switch(services.follow_artist, services.unfollow_artist, artist_id, words, f"/artists/{artist_id}")


def _switch(
    put: Callable[[int, int], bool], take: Callable[[int, int], bool], id: int, words: tuple[str, str], own_page: str
) -> BaseResponse:
    """Field `on`: 1 or 0. Scripts get 204, plain forms go back with the words."""
    is_on = request.form.get("on") != "0"
    try:
        (put if is_on else take)(signed_in_id(), id)
    except services.NothingThereError:
        abort(404)
    db.session.commit()
    if wants_fragment() or wants_json():
        return BaseResponse(status=204)
    flash(words[0] if is_on else words[1])
    return redirect(page_before() or own_page, 303)


@blueprint.get("/library/history/delete")
def choose_deletion() -> BaseResponse:
    return page("library/history_delete_page.html", form=forms.DeletionForm(), today=utc_now().date())


@blueprint.post("/library/history/delete")
def delete_plays() -> BaseResponse:
    """A span of the history, or all of it."""
    form = forms.DeletionForm.read(request.form, utc_now(), current_viewer().time_zone)
    if form.error:
        with reading():
            return page("library/history_delete_page.html", 422, form=form, today=utc_now().date())
    deleted_at, count = forgetting.delete_plays_between(signed_in_id(), form.since, form.until)
    return _deleted(deleted_at.isoformat(), count)


@blueprint.post(f"/library/history/<{ID}:play_id>/delete")
def delete_play(play_id: int) -> BaseResponse:
    deleted_at, count = forgetting.delete_plays(signed_in_id(), [play_id])
    return _deleted(deleted_at.isoformat(), count, before=request.form.get("before"))


def _deleted(deleted_at: str, count: int, before: str | None = None) -> BaseResponse:
    """Back to the history, which offers to undo it."""
    live.poke(f"library-{signed_in_id()}", f"library-{signed_in_id()}-history")
    db.session.commit()
    if not count:
        flash(_("There was nothing to delete."))
        return redirect(url_for("browse.history", before=before), 303)
    return redirect(url_for("browse.history", deleted=deleted_at, count=count, before=before), 303)


@blueprint.post("/library/history/restore")
def restore_plays() -> BaseResponse:
    deleted_at = forms.read_instant(request.form.get("deleted", ""))
    count = forgetting.restore_plays(signed_in_id(), deleted_at) if deleted_at else 0
    live.poke(f"library-{signed_in_id()}", f"library-{signed_in_id()}-history")
    db.session.commit()
    flash(
        ngettext("The play is back.", "%(num)s plays are back.", count)
        if count
        else _("It is too late: what was deleted a day ago is gone.")
    )
    return redirect(url_for("browse.history", before=request.form.get("before")), 303)
