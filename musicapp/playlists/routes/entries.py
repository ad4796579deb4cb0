"""What stands in a playlist: adding, removing, moving, sorting, taking back."""

from __future__ import annotations

from typing import Any

from flask import abort, render_template, request
from flask_babel import gettext as _
from flask_babel import ngettext

from musicapp.accounts.identity import signed_in_id
from musicapp.accounts.listening import listening_page
from musicapp.core.db import db, reading, row_id
from musicapp.core.pages import page, wants_json
from musicapp.playback.play_queue import services as play_queue
from musicapp.playlists import forms, queries, services
from musicapp.playlists.access import open_for_editors, open_playlist
from musicapp.playlists.fragments import told
from musicapp.playlists.queries.viewing import contained_count, name_of
from musicapp.playlists.routes.blueprint import ID, blueprint, changed, refused
from musicapp.playlists.selection import playlist_track_ids, selection_of, track_ids_of, tracks_from

MOST_CHANGES = 200
"""A page further behind takes the whole order."""
ENTRY = f"/playlists/{ID}/entries/<int(max=2147483647):entry_id>"


@blueprint.post(f"/playlists/{ID}/entries")
def add_entries(playlist_id: int) -> Any:
    """Adds what the form names. Field duplicates: add or skip; without it the viewer is asked about what is there."""
    user_id = open_for_editors(playlist_id)
    selection = selection_of(request.form)
    track_ids = track_ids_of(selection, user_id)
    duplicates = request.form.get("duplicates", "")
    if duplicates not in {"add", "skip"} and (twice := contained_count(playlist_id, track_ids)):
        return _question(playlist_id, selection, twice, len(track_ids))
    after = forms.sent_id(request.form, "after_entry_id")
    done = services.add_tracks(
        playlist_id, user_id, track_ids, after_entry_id=after, duplicates="skip" if duplicates == "skip" else "add"
    )
    change_id = done.change.id if done.change else None
    name, count = name_of(playlist_id), len(done.entry_ids)
    db.session.commit()
    words = ngettext("Added %(num)s track to %(name)s.", "Added %(num)s tracks to %(name)s.", count, name=name)
    return changed(playlist_id, change_id, words if count else _("Nothing was added to %(name)s.", name=name))


@reading()
def _question(playlist_id: int, selection: Any, twice: int, count: int) -> Any:
    """Some of the tracks are there already: add them again, or leave them out?"""
    db.session.rollback()
    shown = {"playlist_id": playlist_id, "name": name_of(playlist_id), "selection": selection}
    shown |= {"twice": twice, "count": count}
    if wants_json():
        return {"html": render_template("playlists/_chooser_question.html", **shown)}, 409
    return page("playlists/choose_question_page.html", 422, **shown)


@blueprint.post(f"{ENTRY}/up")
def move_entry_up(playlist_id: int, entry_id: int) -> Any:
    return _step(playlist_id, entry_id, -1)


@blueprint.post(f"{ENTRY}/down")
def move_entry_down(playlist_id: int, entry_id: int) -> Any:
    return _step(playlist_id, entry_id, 1)


def _step(playlist_id: int, entry_id: int, step: int) -> Any:
    user_id = open_for_editors(playlist_id)
    ids = [0, *(id_ for id_, _key in queries.order(playlist_id))]
    if entry_id == 0 or entry_id not in ids:
        abort(404)
    place = ids.index(entry_id)
    after = ids[max(0, place - 2)] if step < 0 else ids[min(place + 1, len(ids) - 1)]
    change = (
        services.move_entries(playlist_id, user_id, [entry_id], after_entry_id=after) if after != entry_id else None
    )
    change_id = change.id if change else None
    db.session.commit()
    return changed(
        playlist_id, change_id, _("Moved.") if change_id else _("It stands there already."), f"entry-{entry_id}"
    )


@blueprint.post(f"/playlists/{ID}/move")
def move_entries(playlist_id: int) -> Any:
    """Fields entry_ids and after_entry_id (0: to the start, none: to the end)."""
    user_id = open_for_editors(playlist_id)
    ids = forms.sent_ids(request.form, "entry_ids")
    after = forms.sent_id(request.form, "after_entry_id")
    change = services.move_entries(playlist_id, user_id, ids, after_entry_id=after)
    change_id = change.id if change else None
    db.session.commit()
    return changed(playlist_id, change_id, ngettext("Moved %(num)s track.", "Moved %(num)s tracks.", len(ids)))


@blueprint.post(f"{ENTRY}/remove")
def remove_entry(playlist_id: int, entry_id: int) -> Any:
    return _remove(playlist_id, [entry_id])


@blueprint.post(f"/playlists/{ID}/remove")
def remove_entries(playlist_id: int) -> Any:
    """Field entry_ids."""
    return _remove(playlist_id, forms.sent_ids(request.form, "entry_ids"))


def _remove(playlist_id: int, ids: list[int]) -> Any:
    user_id = open_for_editors(playlist_id)
    change = services.remove_entries(playlist_id, user_id, ids)
    change_id = change.id if change else None
    db.session.commit()
    return changed(playlist_id, change_id, ngettext("Removed %(num)s track.", "Removed %(num)s tracks.", len(ids)))


@blueprint.post(f"/playlists/{ID}/sort")
def sort_entries(playlist_id: int) -> Any:
    """Keeps the order of a column: fields sort and down=1."""
    user_id = open_for_editors(playlist_id)
    column = request.form.get("sort", "")
    if column not in queries.SORT_COLUMNS:
        abort(422, _("A playlist can't be sorted by that."))
    change = services.sort_entries(playlist_id, user_id, column, request.form.get("down") == "1")
    change_id = change.id if change else None
    db.session.commit()
    return changed(playlist_id, change_id, _("This order is kept."))


@blueprint.post(f"/playlists/{ID}/undo")
def undo(playlist_id: int) -> Any:
    """Takes back the change of field change_id, or the viewer's last one."""
    user_id = open_for_editors(playlist_id)
    wanted = forms.sent_id(request.form, "change_id")
    change = services.undo_change(playlist_id, user_id, wanted) if wanted else services.undo_last(playlist_id, user_id)
    change_id = change.id
    db.session.commit()
    return changed(playlist_id, change_id, _("Undone."))


@blueprint.post(f"/playlists/{ID}/queue")
def queue_tracks(playlist_id: int) -> Any:
    """Into the play queue: place is next or last, entry_ids names rows (none: all); now: all, from row start on."""
    user_id = signed_in_id()
    open_playlist(playlist_id)
    place, source = request.form.get("place"), f"playlist-{playlist_id}"
    try:
        if place == "now":
            column, down = request.args.get("sort", ""), request.args.get("down") == "1"
            start = forms.sent_id(request.form, "start") or 0
            ids, index = tracks_from(playlist_id, user_id, start, column=column, down=down)
            added = play_queue.replace(user_id, ids, start=index, source=source)
        else:
            ids = playlist_track_ids(playlist_id, user_id, forms.sent_ids(request.form, "entry_ids"))
            added = play_queue.add_tracks(user_id, ids, place="next" if place == "next" else "last", source=source)
    except play_queue.QueueFullError as error:
        db.session.rollback()
        return refused(playlist_id, str(error))
    db.session.commit()
    count = len(added.entry_ids)
    words = ngettext("Added %(num)s track to the play queue.", "Added %(num)s tracks to the play queue.", count)
    if wants_json():
        return {"words": words, "added": list(added.entry_ids)}
    return changed(playlist_id, None, words)


@blueprint.get(f"/playlists/{ID}/order.json")
@listening_page
def order(playlist_id: int) -> Any:
    """The whole order: [entry id, order key] each; ?sort= and ?down=1 as that column sorts them, without keys."""
    open_playlist(playlist_id)
    version = queries.version_of(playlist_id)
    column = request.args.get("sort", "")
    if column in queries.SORT_COLUMNS:
        down = request.args.get("down") == "1"
        return {
            "version": version,
            "entries": [[id_, ""] for id_ in queries.sorted_entry_ids(playlist_id, column, down)],
        }
    return {"version": version, "entries": queries.order(playlist_id)}


@blueprint.get(f"/playlists/{ID}/changes")
@listening_page
def changes(playlist_id: int) -> Any:
    """What happened after version ?since=, and who the viewer is here."""
    access = open_playlist(playlist_id)
    since = request.args.get("since", 0, type=row_id)
    version = queries.version_of(playlist_id) or 0
    found = queries.changes_since(playlist_id, since, MOST_CHANGES) or []
    is_far_behind = since > version or (since < version and (not found or found[-1].version < version))
    shown = [] if is_far_behind else [told(change) for change in found]
    return {"version": version, "role": access.role, "is_far_behind": is_far_behind, "changes": shown}
