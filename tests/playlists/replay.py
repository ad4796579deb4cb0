"""What a page does that was open from the start: it applies every change, and must end with the rows."""

from __future__ import annotations

from sqlalchemy import func, select

from musicapp.catalog.models import Track
from musicapp.core.db import db
from musicapp.playlists import queries
from musicapp.playlists.models import Playlist, PlaylistEntry


def replayed(changes: list[queries.Change]) -> dict[int, str]:
    """Entry id -> key after all these changes, beginning with nothing. Fails where one contradicts another."""
    keys: dict[int, str] = {}
    for number, change in enumerate(changes, 1):
        assert change.version == number, "versions have a gap"
        for entry_id in change.removed:
            assert keys.pop(entry_id, None) is not None, f"{entry_id} is removed in {change.version} but wasn't there"
        for added in change.added:
            assert added.entry_id not in keys, f"{added.entry_id} is added in {change.version} but was there"
            keys[added.entry_id] = added.order_key
        for moved in change.moved:
            assert moved.entry_id in keys, f"{moved.entry_id} is moved in {change.version} but isn't there"
            keys[moved.entry_id] = moved.order_key
    return keys


def assert_history_tells_everything(playlist_id: int) -> None:
    """Replaying gives exactly the rows, the counts are true, and every earlier version can be computed back."""
    db.session.expire_all()
    changes = queries.changes_since(playlist_id, 0, 100_000)
    assert changes is not None
    playlist = db.session.get_one(Playlist, playlist_id)
    order = queries.order(playlist_id)
    keys = replayed(changes)
    assert sorted(keys.items(), key=lambda pair: pair[1]) == order
    assert len({key for _, key in order}) == len(order)
    assert (playlist.version, playlist.track_count) == (len(changes), len(order))
    length = (
        select(func.coalesce(func.sum(Track.duration_ms), 0))
        .join(PlaylistEntry, PlaylistEntry.track_id == Track.id)
        .where(PlaylistEntry.playlist_id == playlist_id, PlaylistEntry.removed_at.is_(None))
    )
    assert playlist.duration_ms == db.session.scalar(length)
    for version in {1, len(changes) // 2, len(changes)}:
        assert queries.keys_at(playlist_id, version) == replayed(changes[:version])
