"""What people who share playlists hear of."""

from __future__ import annotations

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from musicapp.accounts.queries import user_by_id
from musicapp.core.db import db, utc_now
from musicapp.notifications.letters.writing import Letter, Line, Occasion, cover_of, site_url, write
from musicapp.playlists.models import Playlist, PlaylistFollow, PlaylistInvitation, PlaylistMember
from musicapp.playlists.queries import digest_of
from musicapp.playlists.queries.digest import PersonsPart
from musicapp.playlists.queries.people import people_by_id

MOST_TRACKS = 5
"""New tracks that a digest names for each playlist."""


def invited_to_playlist(occasion: Occasion) -> Letter | None:
    """Subject: the invitation. None once it was answered, taken back or too old."""
    user = user_by_id(occasion.user_id)
    invitation = db.session.get(PlaylistInvitation, occasion.subject_id)
    if user is None or invitation is None or invitation.user_id != user.id:
        return None
    playlist = db.session.get(Playlist, invitation.playlist_id)
    is_over = invitation.answered_at or invitation.revoked_at or invitation.expires_at <= utc_now()
    if playlist is None or playlist.deleted_at is not None or is_over:
        return None
    by = people_by_id([invitation.created_by_id]).get(invitation.created_by_id) if invitation.created_by_id else None
    return write(
        occasion,
        user,
        title=playlist.name,
        invited_by=by.name if by else "",
        may_edit=invitation.role == "editor",
        until=invitation.expires_at,
        cover=cover_of(playlist.name, None),
        link=site_url(f"/playlists/invitations/{invitation.token}"),
    )


def playlist_line(playlist_id: int, user_id: int, from_version: int, to_version: int) -> Line | None:
    """What others changed in a playlist between two versions; None where there is nothing to tell (them) any more."""
    if not _may_hear_of(playlist_id, user_id):
        return None
    digest = digest_of(playlist_id, user_id, from_version, to_version)
    if digest is None:
        return None
    told = [words for words in map(part_words, digest.parts) if words]
    tracks = [f"{track.title} – {track.artists}" for track in digest.added_tracks[:MOST_TRACKS]]
    link = site_url(f"/playlists/{playlist_id}")
    return Line(digest.name, link, cover_of(digest.name, None), (*told, *tracks))


def _may_hear_of(playlist_id: int, user_id: int) -> bool:
    """Members, and followers unless it has become private; they may have left since it was noted."""
    role = select(PlaylistMember.role).where(
        PlaylistMember.playlist_id == Playlist.id, PlaylistMember.user_id == user_id
    )
    follows = select(PlaylistFollow.user_id).where(
        PlaylistFollow.playlist_id == Playlist.id, PlaylistFollow.user_id == user_id
    )
    found = select(Playlist.id).where(
        Playlist.id == playlist_id,
        Playlist.deleted_at.is_(None),
        role.exists() | ((Playlist.visibility != "private") & follows.exists()),
    )
    return db.session.scalar(found) is not None


def part_words(part: PersonsPart) -> str:
    """ "Bob: added 3 tracks, removed 1 track"; empty where nothing of it is left."""
    did = [
        ngettext("added %(num)s track", "added %(num)s tracks", part.added_count) if part.added_count else "",
        ngettext("removed %(num)s track", "removed %(num)s tracks", part.removed_count) if part.removed_count else "",
        _("changed the order") if part.moved_count else "",
        _("changed the name, the description or the cover") if part.is_edited else "",
    ]
    done = [words for words in did if words]
    who = part.by.name if part.by else _("Somebody")
    return f"{who}: {', '.join(done)}" if done else ""
