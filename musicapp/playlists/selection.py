"""What somebody wants to put into a playlist: tracks, an album, rows of a playlist or the play queue."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from musicapp.playback.play_queue import queries as play_queue
from musicapp.playlists import queries
from musicapp.playlists.access import open_playlist
from musicapp.playlists.forms import sent_id, sent_ids
from musicapp.playlists.queries.entries import entry_track_ids


@dataclass(frozen=True, slots=True)
class Selection:
    """As it was named in an address or a form; `track_ids_of` finds the tracks."""

    track_ids: tuple[int, ...] = ()
    album_id: int | None = None
    playlist_id: int | None = None
    entry_ids: tuple[int, ...] = ()
    """Rows of the playlist; none: all of them."""
    is_queue: bool = False

    @property
    def fields(self) -> list[tuple[str, str]]:
        """The form fields that name the same again."""
        named = [("track_id", str(id_)) for id_ in self.track_ids]
        if self.album_id is not None:
            named.append(("album_id", str(self.album_id)))
        if self.playlist_id is not None:
            named.append(("playlist_id", str(self.playlist_id)))
        if self.entry_ids:
            named.append(("entry_ids", ",".join(map(str, self.entry_ids))))
        return [*named, ("queue", "1")] if self.is_queue else named

    @property
    def query(self) -> str:
        return urlencode(self.fields)

    @property
    def is_empty(self) -> bool:
        return not self.fields


def selection_of(sent: MultiDict[str, str]) -> Selection:
    """Reads the fields track_id (several), album_id, playlist_id with entry_ids, and queue."""
    return Selection(
        track_ids=tuple(sent_ids(sent, "track_id")),
        album_id=sent_id(sent, "album_id"),
        playlist_id=sent_id(sent, "playlist_id"),
        entry_ids=tuple(sent_ids(sent, "entry_ids")),
        is_queue=sent.get("queue") == "1",
    )


def track_ids_of(selection: Selection, user_id: int) -> list[int]:
    """The chosen tracks in order. Ends the request with 404 for a playlist that the viewer may not see."""
    found = list(selection.track_ids)
    if selection.album_id is not None:
        found += play_queue.visible_ids_of_album(selection.album_id, user_id)
    if selection.playlist_id is not None:
        open_playlist(selection.playlist_id)
        found += playlist_track_ids(selection.playlist_id, user_id, selection.entry_ids)
    if selection.is_queue:
        found += play_queue.track_ids(user_id)
    return found


def playlist_track_ids(playlist_id: int, user_id: int | None, entry_ids: Collection[int] = ()) -> list[int]:
    """The tracks of these entries, of all when there are none, in the playlist's order."""
    if not entry_ids:
        return list(queries.track_ids_of(playlist_id, user_id))
    chosen = set(entry_ids)
    return [track_id for entry_id, track_id in entry_track_ids(playlist_id, user_id) if entry_id in chosen]


def tracks_from(
    playlist_id: int, user_id: int, place: int, *, column: str = "", down: bool = False
) -> tuple[list[int], int]:
    """All tracks as the page shows them, and the index in them of the row at `place`, counted from 0.

    Rows whose track is gone have a place on the page but none in the play queue.
    """
    tracks = dict(entry_track_ids(playlist_id, user_id))
    if column in queries.SORT_COLUMNS:
        order = queries.sorted_entry_ids(playlist_id, column, down)
    else:
        order = [entry_id for entry_id, _key in queries.order(playlist_id)]
    heard = [entry_id in tracks for entry_id in order]
    return [tracks[entry_id] for entry_id in order if entry_id in tracks], sum(heard[:place])
