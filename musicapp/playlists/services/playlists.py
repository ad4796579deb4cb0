"""Playlists as a whole: made, described, given a cover, copied, deleted and brought back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from musicapp.accounts.tokens import new_token
from musicapp.core.db import db, utc_now
from musicapp.core.events import publish
from musicapp.jobs import services as jobs
from musicapp.playlists.errors import PlaylistForbiddenError, PlaylistNotFoundError
from musicapp.playlists.events import (
    PlaylistCreated,
    PlaylistDeleted,
    PlaylistRestored,
    PlaylistVisibilityChanged,
)
from musicapp.playlists.models import Playlist, PlaylistChange, PlaylistMember
from musicapp.playlists.order import keys_between
from musicapp.playlists.queries.entries import track_ids_of
from musicapp.playlists.queries.rights import may_see
from musicapp.playlists.services.editing import (
    OWNER,
    Ops,
    check_room,
    insert_entries,
    locked,
    locked_by_anybody,
    record,
)
from musicapp.playlists.services.entries import visible_ids
from musicapp.playlists.services.words import checked_visibility, clean_description, clean_name, set_fields


def create_playlist(
    owner_id: int,
    name: str,
    description: str = "",
    visibility: str = "private",
    track_ids: Sequence[int] = (),
) -> Playlist:
    """A playlist with those of the tracks that its owner may see. Its making is version 1.

    Raises PlaylistInputError for a name or a visibility that won't do, PlaylistFullError for too many tracks.
    """
    playlist = Playlist(
        owner_id=owner_id,
        name="",
        sort_name="",
        description="",
        visibility="private",
        link_token=new_token(),
        version=0,
        track_count=0,
        duration_ms=0,
        follower_count=0,
    )
    fields = {
        "name": clean_name(name),
        "description": clean_description(description),
        "visibility": checked_visibility(visibility),
    }
    db.session.add(playlist)
    ops = Ops(fields=set_fields(playlist, fields))
    db.session.add(PlaylistMember(playlist_id=playlist.id, user_id=owner_id, role="owner"))
    visible = visible_ids(track_ids, owner_id)
    wanted = [id_ for id_ in track_ids if id_ in visible]
    check_room(playlist, len(wanted))
    if wanted:
        ops.added += insert_entries(playlist.id, owner_id, wanted, keys_between(None, None, len(wanted)), 1)
    record(playlist, owner_id, "created", ops)
    publish(PlaylistCreated(playlist.id))
    return playlist


def edit_playlist(
    playlist_id: int, user_id: int, *, name: str, description: str, visibility: str
) -> PlaylistChange | None:
    """Changes what a playlist says of itself; None where it says that already.

    Editors may rename and describe; only the owner says who sees it. Raises PlaylistInputError.
    """
    playlist = locked(playlist_id, user_id)
    fields = {
        "name": clean_name(name),
        "description": clean_description(description),
        "visibility": checked_visibility(visibility),
    }
    if fields["visibility"] != playlist.visibility and playlist.owner_id != user_id:
        raise PlaylistForbiddenError("Only the owner of this playlist can say who sees it.")
    return _edited(playlist, user_id, fields)


def _edited(playlist: Playlist, user_id: int | None, fields: Mapping[str, object]) -> PlaylistChange | None:
    ops = Ops(fields=set_fields(playlist, fields))
    return record(playlist, user_id, "edited", ops) if ops else None


def ask_for_cover(playlist_id: int, user_id: int, key: str) -> int:
    """Adds the job that makes the picture stored under `key` the cover; returns the job's id.

    Keep the picture first: catalog.services.keep_picture. The job owns the file from here on.
    """
    locked(playlist_id, user_id)
    return jobs.add("make_playlist_cover", subject_id=playlist_id, owner_id=user_id, arguments={"key": key})


def set_cover(playlist_id: int, user_id: int, artwork_id: int) -> PlaylistChange | None:
    """Shows a picture instead of the mosaic."""
    return _edited(locked(playlist_id, user_id), user_id, {"cover_id": artwork_id})


def remove_cover(playlist_id: int, user_id: int) -> PlaylistChange | None:
    """Shows the mosaic of its albums again; None where it does."""
    return _edited(locked(playlist_id, user_id), user_id, {"cover_id": None})


def delete_playlist(playlist_id: int, user_id: int) -> None:
    """Hides a playlist from everybody; restore_playlist undoes it, for a month."""
    playlist = locked(playlist_id, user_id, OWNER)
    playlist.deleted_at = utc_now()
    db.session.flush()
    publish(PlaylistDeleted(playlist_id))


def restore_playlist(playlist_id: int, user_id: int) -> None:
    """Undoes delete_playlist; members and followers are as before."""
    playlist = locked(playlist_id, user_id, OWNER, even_deleted=True)
    if playlist.deleted_at is not None:
        playlist.deleted_at = None
        db.session.flush()
        publish(PlaylistRestored(playlist_id))


def hide_playlist(playlist_id: int) -> str | None:
    """The operators' way: makes it private whoever owns it, and returns its name; None where it is private or gone."""
    try:
        playlist = locked_by_anybody(playlist_id)
    except PlaylistNotFoundError:
        return None
    return playlist.name if _edited(playlist, None, {"visibility": "private"}) else None


def duplicate_playlist(
    playlist_id: int, user_id: int, *, name: str | None = None, link_token: str | None = None
) -> Playlist:
    """A private copy of one's own, with the tracks that this user may see.

    Raises PlaylistNotFoundError where the user may not see the playlist.
    """
    source = db.session.get(Playlist, playlist_id)
    if source is None or not may_see(user_id, playlist_id, link_token=link_token):
        raise PlaylistNotFoundError
    return create_playlist(
        user_id, name or source.name, source.description, "private", track_ids_of(playlist_id, user_id)
    )


def renew_link(playlist_id: int, user_id: int) -> str:
    """Replaces the link of an unlisted playlist and returns its new token; who has the old one is shut out."""
    playlist = locked(playlist_id, user_id, OWNER)
    playlist.link_token = new_token()
    db.session.flush()
    publish(PlaylistVisibilityChanged(playlist_id))
    return playlist.link_token
