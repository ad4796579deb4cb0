"""Doors of the play queue: each takes a plain form; scripts (Accept: application/json) get the new state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import wraps
from typing import Any

from flask import Blueprint, flash, jsonify, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.devices import describe_device
from musicapp.accounts.identity import current_viewer, signed_in_id
from musicapp.accounts.listening import listening_page
from musicapp.core.db import db, reading, row_id
from musicapp.core.pages import page, page_before, wants_json
from musicapp.playback.play_queue import forms, queries, services
from musicapp.playback.play_queue.entries import Entry, index_of
from musicapp.playback.play_queue.services import Added, QueueFullError, Reported

blueprint = Blueprint("play_queue", __name__)

PAGE_ROWS = 100
BEFORE, AFTER = 25, 85
"""So many tracks around the current one come with the order; a player asks for others when it shows them."""
TRACKS_MAX = 200


@blueprint.get("/queue")
@listening_page
def show() -> BaseResponse:
    """What plays and what comes next; `from=300` is a later piece of a long queue."""
    viewer = current_viewer()
    if viewer.id is None:
        return page("playback/queue_stranger_page.html")
    first = request.args.get("from", type=row_id)
    return page("playback/queue_page.html", shown=queries.queue_page(viewer.id, first, PAGE_ROWS))


@blueprint.get("/queue.json")
def whole() -> BaseResponse:
    """All that a player needs. The order is left out when `hash` says that the player has it."""
    user_id = signed_in_id()
    state = queries.state(user_id)
    order: list[Entry] | None = None
    if request.args.get("hash") != str(state.entries_hash):
        state, order = queries.state_and_order(user_id)
    answer = {**asdict(state), "most": queries.most_tracks()}
    if order is not None:
        around = _around(order, index_of(order, state.current_entry_id) or 0)
        answer |= {"order": order, "tracks": queries.player_tracks(around, user_id)}
    return _json(answer)


def _around(order: list[Entry], index: int) -> set[int]:
    return {entry[1] for entry in order[max(0, index - BEFORE) : index + AFTER]}


@blueprint.get("/queue/tracks.json")
def tracks() -> BaseResponse:
    """What a player needs to know about `ids=5,6,7`; those that this person may not see are missing."""
    try:
        ids = forms.read_ids(request.args, "id")
    except forms.QueueFormError as error:
        return _refusal(str(error))
    if len(ids) > TRACKS_MAX:
        return _refusal(_("Ask for at most %(most)d tracks at once.", most=TRACKS_MAX))
    return _json(queries.player_tracks(set(ids), signed_in_id()))


def _change(view: Callable[[int], BaseResponse]) -> Callable[[], BaseResponse]:
    """A door through which a queue is changed: gets the user's id, refuses in words, saves nothing then."""

    @wraps(view)
    def door() -> BaseResponse:
        try:
            return view(signed_in_id())
        except QueueFullError as error:
            db.session.rollback()
            return _refusal(
                _(
                    "The play queue holds %(most)d tracks, and these would be %(wanted)d. Remove some first.",
                    most=error.most,
                    wanted=error.wanted,
                )
            )
        except forms.QueueFormError as error:
            db.session.rollback()
            return _refusal(str(error))

    return door


@blueprint.post("/queue/add")
@_change
def add(user_id: int) -> BaseResponse:
    """Fields `track_id` (any number) or `album_id`, and `place`: next or last."""
    ids = _wanted_tracks(user_id)
    added = services.add_tracks(
        user_id,
        ids,
        place=forms.read_choice(request.form, "place", ("last", "next")),
        source=forms.read_source(request.form),
        first_entry_id=forms.read_first_entry_id(request.form, len(ids)),
    )
    db.session.commit()
    count = len(added.entry_ids)
    if not count:
        return _refusal(_("There is nothing here that can be played."))
    words = ngettext("Added to the play queue.", "%(num)d tracks added to the play queue.", count)
    return _done(user_id, words, added, back=page_before())


@blueprint.post("/queue/replace")
@_change
def replace(user_id: int) -> BaseResponse:
    """Fields as for /queue/add, `start` (an index), `source`, and `play`: 1 to be heard where music plays already."""
    ids = _wanted_tracks(user_id)
    added = services.replace(
        user_id,
        ids,
        start=forms.read_optional_id(request.form, "start") or 0,
        source=forms.read_source(request.form),
        play=request.form.get("play") == "1",
        first_entry_id=forms.read_first_entry_id(request.form, len(ids)),
        seed=forms.read_seed(request.form),
        **_this_device(),
    )
    db.session.commit()
    words = _("%(count)d tracks were left out: the play queue is full.", count=added.too_many) if added.too_many else ""
    return _done(user_id, words, added)


def _wanted_tracks(user_id: int) -> list[int]:
    album_id = forms.read_optional_id(request.form, "album_id")
    if album_id is not None:
        return queries.visible_ids_of_album(album_id, user_id)
    return forms.read_ids(request.form, "track_id")


def _this_device() -> dict[str, str]:
    device_id = forms.read_device_id(request.form)
    words = describe_device(request.user_agent.string).replace(" on ", ", ")  # "Playing on Firefox, Linux"
    return {"device_id": device_id, "device": words if device_id else ""}


@blueprint.post("/queue/remove")
@_change
def remove(user_id: int) -> BaseResponse:
    """Field `entry_id`, any number."""
    services.remove_entries(user_id, forms.read_ids(request.form, "entry_id"))
    db.session.commit()
    return _done(user_id, back=page_before())


@blueprint.post("/queue/move")
@_change
def move(user_id: int) -> BaseResponse:
    """Fields `entry_id` and `after_entry_id`; none: to the very first place."""
    services.move_entry(
        user_id, forms.read_id(request.form, "entry_id"), forms.read_optional_id(request.form, "after_entry_id")
    )
    db.session.commit()
    return _done(user_id, back=page_before())


@blueprint.post("/queue/jump")
@_change
def jump(user_id: int) -> BaseResponse:
    """Field `entry_id`; `play` and `device_id` from a player that starts it."""
    services.jump(
        user_id, forms.read_id(request.form, "entry_id"), play=request.form.get("play") == "1", **_this_device()
    )
    db.session.commit()
    return _done(user_id)


@blueprint.post("/queue/clear")
@_change
def clear(user_id: int) -> BaseResponse:
    services.clear(user_id)
    db.session.commit()
    return _done(user_id, _("The play queue is empty."))


@blueprint.post("/queue/shuffle")
@_change
def shuffle(user_id: int) -> BaseResponse:
    """Field `on`: 1 or 0; `seed` from a player that has shuffled already."""
    services.shuffle(user_id, request.form.get("on") == "1", forms.read_seed(request.form))
    db.session.commit()
    return _done(user_id)


@blueprint.post("/queue/repeat")
@_change
def repeat(user_id: int) -> BaseResponse:
    """Field `repeat`: off, all or one."""
    services.set_repeat(user_id, forms.read_choice(request.form, "repeat", queries.REPEATS))
    db.session.commit()
    return _done(user_id)


@blueprint.post("/queue/play-here")
@_change
def play_here(user_id: int) -> BaseResponse:
    """Field `device_id`; `entry_id` and `position_ms` from a player that knows where it begins."""
    device = _this_device()
    if not device["device_id"]:
        return _refusal(_("Music plays where scripts run. Use the player below the tracks."))
    services.play_here(
        user_id,
        **device,
        entry_id=forms.read_optional_id(request.form, "entry_id"),
        position_ms=forms.read_position_ms(request.form),
    )
    db.session.commit()
    return _done(user_id)


@blueprint.post("/queue/position")
@_change
def position(user_id: int) -> BaseResponse:
    """Where a player is: device_id, entry_id, position_ms, is_playing, is_seek. Also by sendBeacon."""
    report = forms.read_position(request.form)
    place = (user_id, report.device_id, report.entry_id, report.position_ms, report.is_playing)
    with reading():  # most reports write nothing to the database, and must not wait for who does
        outcome = services.keep_position(*place, is_seek=report.is_seek)
        db.session.rollback()
    if outcome is Reported.TO_STORE:
        outcome = services.report_position(*place)
        db.session.commit()
    return _json({"is_elsewhere": outcome is Reported.ELSEWHERE})


def _done(user_id: int, words: str = "", added: Added | None = None, back: str | None = None) -> BaseResponse:
    """The new state for scripts. A plain form goes `back`, or to the queue, with the words."""
    if wants_json():
        with reading():
            answer = asdict(queries.state(user_id))
        if added is not None:
            answer |= {"added": list(added.entry_ids), "hidden": added.hidden, "too_many": added.too_many}
        return _json({**answer, "words": words})
    if words:
        flash(words, "success")
    return redirect(back or url_for("play_queue.show"), 303)


def _refusal(words: str) -> BaseResponse:
    if wants_json() or request.method == "GET":
        return _json({"error": words}, 422)
    flash(words, "error")
    return redirect(page_before() or url_for("play_queue.show"), 303)


def _json(answer: dict[Any, Any], status: int = 200) -> BaseResponse:
    response = jsonify(answer)
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    response.vary.add("Accept")
    return response
