"""Listeners who keep a playlist in their library, what they have seen of it, and who wants mails."""

from __future__ import annotations

from sqlalchemy import delete, select, update

from musicapp.core.db import db
from musicapp.core.events import publish
from musicapp.playlists.errors import PlaylistForbiddenError, PlaylistNotFoundError
from musicapp.playlists.events import PlaylistFollowed
from musicapp.playlists.models import Playlist, PlaylistFollow, PlaylistMember
from musicapp.playlists.queries.rights import access
from musicapp.playlists.services.editing import locked_by_anybody


def follow(playlist_id: int, user_id: int, *, link_token: str | None = None) -> None:
    """Keeps a playlist in the user's library; following twice changes nothing. Members have it there already.

    Raises PlaylistNotFoundError where the user may not see it.
    """
    playlist = locked_by_anybody(playlist_id)
    is_visible, role = access(user_id, playlist_id, link_token=link_token)
    if not is_visible:
        raise PlaylistNotFoundError
    if role is not None or _follow(playlist_id, user_id) is not None:
        return
    db.session.add(
        PlaylistFollow(
            playlist_id=playlist_id,
            user_id=user_id,
            seen_version=playlist.version,
            wants_digest=True,
            digested_version=playlist.version,
        )
    )
    playlist.follower_count += 1
    db.session.flush()
    publish(PlaylistFollowed(playlist_id, user_id))


def unfollow(playlist_id: int, user_id: int) -> None:
    """Takes a playlist out of the user's library; also one that became private or was deleted since."""
    drop_follow(locked_by_anybody(playlist_id, even_deleted=True), user_id)


def drop_follow(playlist: Playlist, user_id: int) -> None:
    """The same for a playlist that is locked already."""
    which = (PlaylistFollow.playlist_id == playlist.id, PlaylistFollow.user_id == user_id)
    if db.session.execute(delete(PlaylistFollow).where(*which)).rowcount:  # type: ignore[attr-defined]
        playlist.follower_count -= 1
        db.session.flush()
        publish(PlaylistFollowed(playlist.id, user_id))


def mark_seen(playlist_id: int, user_id: int) -> None:
    """Remembers that a follower has seen the playlist as it is now. Nothing for others."""
    version = select(Playlist.version).where(Playlist.id == playlist_id).scalar_subquery()
    db.session.execute(
        update(PlaylistFollow)
        .where(
            PlaylistFollow.playlist_id == playlist_id,
            PlaylistFollow.user_id == user_id,
            PlaylistFollow.seen_version < version,
        )
        .values(seen_version=version)
    )


def set_digest(playlist_id: int, user_id: int, wants: bool) -> None:
    """Mutes what others change in one playlist for a member or follower, or ends that; told is what comes from now on.

    Whether and how one hears of changes at all is a preference, which the notifications know.

    Raises PlaylistForbiddenError for who neither joined nor follows.
    """
    playlist = locked_by_anybody(playlist_id)
    row = db.session.get(PlaylistMember, (playlist_id, user_id)) or _follow(playlist_id, user_id)
    if row is None:
        raise PlaylistForbiddenError("Follow this playlist first: then you can have mails about it.")
    if wants and not row.wants_digest:
        row.digested_version = playlist.version
    row.wants_digest = wants
    db.session.flush()


def begin_digests(user_id: int) -> None:
    """Somebody wants to hear of changes who did not: what there is by now is no news."""
    for table in (PlaylistMember, PlaylistFollow):
        version = select(Playlist.version).where(Playlist.id == table.playlist_id).scalar_subquery()
        db.session.execute(
            update(table)
            .where(table.user_id == user_id)
            .values(digested_version=version)
            .execution_options(synchronize_session=False)
        )


def _follow(playlist_id: int, user_id: int) -> PlaylistFollow | None:
    return db.session.get(PlaylistFollow, (playlist_id, user_id), populate_existing=True)
