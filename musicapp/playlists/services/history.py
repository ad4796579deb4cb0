"""Taking changes back, and bringing a playlist to where it was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Row, select, update

from musicapp.catalog.models import Artwork
from musicapp.core.db import db
from musicapp.playlists.errors import NothingToUndoError
from musicapp.playlists.models import Playlist, PlaylistChange, PlaylistEntry
from musicapp.playlists.order import arranged, is_too_long, settled
from musicapp.playlists.queries.batches import in_batches
from musicapp.playlists.queries.changes import keys_at
from musicapp.playlists.queries.order import order
from musicapp.playlists.services.editing import (
    Ops,
    check_room,
    lift,
    locked,
    place,
    put_aside,
    put_down,
    record,
    standing,
    take_out,
    write_keys,
)
from musicapp.playlists.services.words import set_fields

FURTHEST_BACK = 50
"""How many of one's own changes are tried until one is found that has an effect left."""


def undo_last(playlist_id: int, user_id: int) -> PlaylistChange:
    """Takes back this user's last change that still has an effect; what others did since stays.

    Raises NothingToUndoError.
    """
    playlist = locked(playlist_id, user_id)
    own = db.session.scalars(
        select(PlaylistChange.id)
        .where(
            PlaylistChange.playlist_id == playlist_id,
            PlaylistChange.user_id == user_id,
            PlaylistChange.undone_version.is_(None),
            PlaylistChange.kind.not_in(("created", "undone")),
        )
        .order_by(PlaylistChange.version.desc())
        .limit(FURTHEST_BACK)
    ).all()
    for change_id in own:
        change = db.session.get_one(PlaylistChange, change_id, populate_existing=True)
        if ops := _taken_back(playlist, user_id, change):
            return _record_undone(playlist, user_id, change, ops)
    raise NothingToUndoError("There is nothing of yours to undo in this playlist.")


def undo_change(playlist_id: int, user_id: int, change_id: int) -> PlaylistChange:
    """Takes back one change, whosever it is; what was done since stays. Undoing an undo does the change again.

    Raises NothingToUndoError where it was taken back before, or has no effect left.
    """
    playlist = locked(playlist_id, user_id)
    change = db.session.scalar(
        select(PlaylistChange)
        .where(PlaylistChange.id == change_id, PlaylistChange.playlist_id == playlist_id)
        .execution_options(populate_existing=True)
    )
    if change is None:
        raise NothingToUndoError("This change isn't in the history any more.")
    if change.undone_version is not None:
        raise NothingToUndoError("This change was undone before.")
    ops = _taken_back(playlist, user_id, change)
    if not ops:
        raise NothingToUndoError("There is nothing left of this change: everything it did was changed again since.")
    return _record_undone(playlist, user_id, change, ops)


def _record_undone(playlist: Playlist, user_id: int, change: PlaylistChange, ops: Ops) -> PlaylistChange:
    ops.undoes = change.version
    change.undone_version = playlist.version + 1
    if (first := change.changed.get("undoes")) is not None:
        # An undo is undone: the change it took back counts again.
        db.session.execute(
            update(PlaylistChange)
            .where(PlaylistChange.playlist_id == playlist.id, PlaylistChange.version == first)
            .values(undone_version=None)
        )
    return record(playlist, user_id, "undone", ops)


def _taken_back(playlist: Playlist, user_id: int, change: PlaylistChange) -> Ops:
    """Does the opposite of what a change did, as far as it still holds, and returns what that was.

    Entries get back the versions that had placed or removed them, as if the change had never been: so the change
    before it can be taken back next.
    """
    done = change.changed
    ops = Ops()
    back = _still_removed(playlist.id, {entry[0]: entry[3] for entry in done.get("removed", ())})
    came = {entry[0]: entry[3:] for entry in done.get("added", ())}
    added = standing(playlist.id, came)
    if back:
        check_room(playlist, len(back) - len(added))
    versions = {row.id: came[row.id][0] if came[row.id] else playlist.version + 1 for row in added}
    take_out(versions.items())
    put_aside([(row.id, *came[row.id][1:]) for row in added if came[row.id]])
    ops.removed = [(row.id, row.order_key, row.track_id, versions[row.id]) for row in added]
    moves = {entry[0]: entry for entry in done.get("moved", ())}
    moved = [row for row in standing(playlist.id, moves) if row.placed_version == moves[row.id][4]]
    if back or moved:
        lift(row.id for row in moved)
        wanted = {row.id: row.order_key for row in back} | {row.id: moves[row.id][1] for row in moved}
        placed = {row.id: row.placed_version for row in back} | {row.id: moves[row.id][3] for row in moved}
        keys = _put_back(playlist.id, wanted, placed, ops)
        ops.added = [(row.id, keys[row.id], row.track_id, *_while_out(row)) for row in back]
        ops.moved = [(row.id, row.order_key, keys[row.id], row.placed_version, placed[row.id]) for row in moved]
    if fields := done.get("fields"):
        ops.fields = set_fields(playlist, _old_values(playlist, user_id, fields))
    return ops


def _while_out(row: Row[Any]) -> tuple[int, str, int]:
    return row.removed_version, row.order_key, row.placed_version


def _still_removed(playlist_id: int, versions: dict[int, int]) -> list[Row[Any]]:
    """Of entries (id -> version that removed them) those that are out because of it."""
    rows = [row for row in _rows(playlist_id, versions) if row.removed_at is not None]
    return [row for row in rows if row.removed_version == versions[row.id]]


def _rows(playlist_id: int, entry_ids: Iterable[int]) -> list[Row[Any]]:
    rows: list[Row[Any]] = []
    for batch in in_batches(entry_ids):
        rows += db.session.execute(
            select(
                *(PlaylistEntry.id, PlaylistEntry.order_key, PlaylistEntry.track_id, PlaylistEntry.placed_version),
                *(PlaylistEntry.removed_at, PlaylistEntry.removed_version),
            ).where(PlaylistEntry.playlist_id == playlist_id, PlaylistEntry.id.in_(batch))
        )
    return rows


def _put_back(playlist_id: int, wanted: dict[int, str], placed: dict[int, int], ops: Ops) -> dict[int, str]:
    """Places entries at old keys, or right behind whoever stands there now; returns where they are."""
    # Nobody is in the way: the usual case, and it reads nothing else.
    is_free = not _taken(playlist_id, wanted.values()) and len(set(wanted.values())) == len(wanted)
    keys = dict(wanted) if is_free else settled(wanted, [key for _, key in order(playlist_id)])
    if is_too_long(keys.values()):
        now = order(playlist_id)
        in_order = [id_ for _, id_ in sorted((key, id_) for id_, key in (*now, *keys.items()))]
        fresh = arranged(in_order, {})
        lift(id_ for id_, _ in now)
        write_keys({id_: fresh[id_] for id_, _ in now})
        put_down(id_ for id_, _ in now)
        ops.rekeyed += [(id_, key, fresh[id_]) for id_, key in now]
        keys = {id_: fresh[id_] for id_ in wanted}
    place([(id_, key, placed[id_]) for id_, key in keys.items()])
    return keys


def _taken(playlist_id: int, keys: Any) -> bool:
    for batch in in_batches(keys):
        found = select(PlaylistEntry.id).where(
            PlaylistEntry.playlist_id == playlist_id,
            PlaylistEntry.order_key.in_(batch),
            PlaylistEntry.removed_at.is_(None),
        )
        if db.session.scalar(found.limit(1)) is not None:
            return True
    return False


def _old_values(playlist: Playlist, user_id: int, fields: dict[str, Any]) -> dict[str, Any]:
    """The old values of those fields that nobody has changed since."""
    values = {name: old for name, (old, new) in fields.items() if getattr(playlist, name) == new}
    if "visibility" in values and playlist.owner_id != user_id:
        del values["visibility"]
    if values.get("cover_id") and db.session.get(Artwork, values["cover_id"]) is None:
        del values["cover_id"]
    return values


def restore_version(playlist_id: int, user_id: int, version: int) -> PlaylistChange:
    """Brings the entries to what they were after a version, as one new change that can be undone itself.

    Name and description stay. Raises NothingToUndoError for a version that is too old to be known, or that looks
    like the present.
    """
    playlist = locked(playlist_id, user_id)
    then = keys_at(playlist_id, version)
    if then is None:
        raise NothingToUndoError("The history doesn't reach back that far.")
    now = dict(order(playlist_id))
    gone = standing(playlist_id, now.keys() - then.keys())
    back = {row.id: row for row in _rows(playlist_id, then.keys() - now.keys())}
    check_room(playlist, len(back) - len(gone))
    next_version = playlist.version + 1
    ops = Ops(restores=version)
    take_out([(row.id, next_version) for row in gone])
    ops.removed = [(row.id, row.order_key, row.track_id, next_version) for row in gone]
    left = now.keys() - {row.id for row in gone}
    in_order = sorted((id_ for id_ in then if id_ in left or id_ in back), key=lambda id_: (then[id_], id_))
    changed = arranged(in_order, {id_: now[id_] for id_ in left})
    moved = standing(playlist_id, changed.keys() & left)
    lift(row.id for row in moved)
    place([(id_, key, next_version) for id_, key in changed.items()])
    ops.added = [(id_, changed[id_], row.track_id, *_while_out(row)) for id_, row in back.items()]
    ops.moved = [(row.id, row.order_key, changed[row.id], row.placed_version, next_version) for row in moved]
    if not ops:
        raise NothingToUndoError("The playlist looks as it did then. There is nothing to restore.")
    return record(playlist, user_id, "restored", ops)
