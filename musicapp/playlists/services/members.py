"""Who may do what in a playlist: invitations, roles, leaving, handing over."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update

from musicapp.accounts.models import User
from musicapp.accounts.queries import key_of_username
from musicapp.accounts.tokens import new_token
from musicapp.core.db import db, utc_now
from musicapp.core.events import publish
from musicapp.core.settings import setting
from musicapp.playlists.errors import PlaylistInvitationError, PlaylistMemberError, PlaylistNotFoundError
from musicapp.playlists.events import PlaylistHandedOver, PlaylistMembersChanged, UserInvitedToPlaylist
from musicapp.playlists.models import Playlist, PlaylistInvitation, PlaylistMember
from musicapp.playlists.queries.people import is_open_invitation
from musicapp.playlists.services.editing import EVERYBODY, OWNER, locked, locked_by_anybody
from musicapp.playlists.services.following import drop_follow

_RANK = {"viewer": 0, "editor": 1, "owner": 2}
_UNUSABLE = "This invitation was withdrawn, used or is too old. Ask the playlist's owner for a new one."


def invite_user(playlist_id: int, user_id: int, username: str, role: str) -> PlaylistInvitation:
    """Invites somebody by name; they join when they accept. Invited again, they get the new role and more time.

    Publishes UserInvitedToPlaylist. Raises PlaylistInvitationError for a name that nobody has, for oneself and for
    who has joined already.
    """
    playlist = locked(playlist_id, user_id, OWNER)
    role = _checked_role(role)
    invited = db.session.scalar(
        select(User).where(User.username_key == key_of_username(username), User.deleted_at.is_(None))
    )
    if invited is None:
        raise PlaylistInvitationError(f'Nobody here is called "{username.strip()}". Look at how the name is spelled.')
    if invited.id == user_id:
        raise PlaylistInvitationError("That is you: you own this playlist.")
    if _member(playlist.id, invited.id) is not None:
        raise PlaylistInvitationError(f"{invited.username} has joined already. You can change the role in the list.")
    waiting = db.session.scalar(
        select(PlaylistInvitation).where(
            PlaylistInvitation.playlist_id == playlist_id,
            PlaylistInvitation.user_id == invited.id,
            PlaylistInvitation.answered_at.is_(None),
            PlaylistInvitation.revoked_at.is_(None),
        )
    )
    if waiting is not None:
        waiting.role, waiting.expires_at = role, _expiry()
        db.session.flush()
        return waiting
    invitation = _add_invitation(playlist_id, user_id, role, invited.id)
    publish(UserInvitedToPlaylist(invitation.id))
    return invitation


def invite_by_link(playlist_id: int, user_id: int, role: str) -> PlaylistInvitation:
    """A way in for whoever has its token, for many, until it is revoked or too old."""
    locked(playlist_id, user_id, OWNER)
    return _add_invitation(playlist_id, user_id, _checked_role(role), None)


def _add_invitation(playlist_id: int, user_id: int, role: str, invited_id: int | None) -> PlaylistInvitation:
    invitation = PlaylistInvitation(
        playlist_id=playlist_id,
        user_id=invited_id,
        role=role,
        token=new_token(),
        created_by_id=user_id,
        expires_at=_expiry(),
    )
    db.session.add(invitation)
    db.session.flush()
    return invitation


def _expiry() -> Any:
    return utc_now() + timedelta(days=setting("PLAYLIST_INVITATION_DAYS"))


def _checked_role(role: str) -> str:
    if role not in ("editor", "viewer"):
        raise PlaylistInvitationError("Choose what they may do: edit, or only look.")
    return role


def revoke_invitation(playlist_id: int, user_id: int, invitation_id: int) -> None:
    """Withdraws an invitation; who has joined with it stays. One that is gone already is no error."""
    locked(playlist_id, user_id, OWNER)
    _revoke(PlaylistInvitation.playlist_id == playlist_id, PlaylistInvitation.id == invitation_id)


def _revoke(*which: ColumnElement[bool]) -> None:
    db.session.execute(
        update(PlaylistInvitation).where(*which, PlaylistInvitation.revoked_at.is_(None)).values(revoked_at=utc_now())
    )


def accept_invitation(token_or_id: str | int, user_id: int) -> Playlist:
    """Joins by a link's token, or by the id or token of an invitation that names this user.

    Who has joined already keeps the higher role. Raises PlaylistInvitationError, PlaylistNotFoundError.
    """
    invitation = _usable(token_or_id, user_id)
    playlist = locked_by_anybody(invitation.playlist_id)
    # Once more, behind the lock: it may have been revoked a moment ago.
    invitation = _usable(token_or_id, user_id)
    if invitation.user_id is not None:
        invitation.answered_at = utc_now()
    member = _member(playlist.id, user_id)
    if member is None:
        drop_follow(playlist, user_id)
        db.session.add(
            PlaylistMember(
                playlist_id=playlist.id,
                user_id=user_id,
                role=invitation.role,
                wants_digest=True,
                digested_version=playlist.version,
            )
        )
    elif _RANK[member.role] < _RANK[invitation.role]:
        member.role = invitation.role
    else:
        db.session.flush()
        return playlist
    db.session.flush()
    publish(PlaylistMembersChanged(playlist.id, user_id))
    return playlist


def decline_invitation(invitation_id: int, user_id: int) -> None:
    """Says no to an invitation by name. Raises PlaylistInvitationError where there is none such."""
    _usable(invitation_id, user_id).answered_at = utc_now()
    db.session.flush()


def _usable(token_or_id: str | int, user_id: int) -> PlaylistInvitation:
    is_token = isinstance(token_or_id, str)
    which: Any = PlaylistInvitation.token == token_or_id if is_token else PlaylistInvitation.id == token_or_id
    invitation = db.session.scalar(
        select(PlaylistInvitation).where(which, *is_open_invitation()).execution_options(populate_existing=True)
    )
    # A number is no secret: by number only the one who is named gets in.
    is_for_them = invitation is not None and (invitation.user_id == user_id or (is_token and not invitation.user_id))
    if invitation is None or not is_for_them:
        raise PlaylistInvitationError(_UNUSABLE)
    return invitation


def change_role(playlist_id: int, user_id: int, member_id: int, role: str) -> None:
    """Makes a member an editor or a viewer. The owner stays the owner: hand_over."""
    locked(playlist_id, user_id, OWNER)
    member = _joined(playlist_id, member_id)
    if member.role == "owner":
        raise PlaylistMemberError("The owner keeps every right. Hand the playlist over to somebody else first.")
    if member.role != _checked_role(role):
        member.role = role
        db.session.flush()
        publish(PlaylistMembersChanged(playlist_id, member_id))


def remove_member(playlist_id: int, user_id: int, member_id: int) -> None:
    """Shuts a member out, at once, also on pages that are open; links to join end, too. What they added stays."""
    locked(playlist_id, user_id, OWNER)
    member = _joined(playlist_id, member_id)
    if member.role == "owner":
        raise PlaylistMemberError("The owner can't be removed. Hand the playlist over first, or delete it.")
    # They may have the link, and would be back with a click.
    _revoke(PlaylistInvitation.playlist_id == playlist_id, PlaylistInvitation.user_id.is_(None))
    _take_away(playlist_id, member_id)


def leave(playlist_id: int, user_id: int) -> None:
    """Gives up one's place. Raises PlaylistMemberError for the owner."""
    playlist = locked(playlist_id, user_id, EVERYBODY)
    if playlist.owner_id == user_id:
        raise PlaylistMemberError("You own this playlist. Hand it over to somebody else first, or delete it.")
    _take_away(playlist_id, user_id)


def _take_away(playlist_id: int, member_id: int) -> None:
    db.session.execute(
        delete(PlaylistMember).where(PlaylistMember.playlist_id == playlist_id, PlaylistMember.user_id == member_id)
    )
    # An invitation that is still open would let them back in by name.
    _revoke(PlaylistInvitation.playlist_id == playlist_id, PlaylistInvitation.user_id == member_id)
    publish(PlaylistMembersChanged(playlist_id, member_id))


def hand_over(playlist_id: int, user_id: int, new_owner_id: int) -> None:
    """Makes another member the owner; the owner of before stays as an editor."""
    playlist = locked(playlist_id, user_id, OWNER)
    if new_owner_id == user_id:
        raise PlaylistMemberError("You own this playlist already.")
    make_owner(playlist, _joined(playlist_id, new_owner_id))


def make_owner(playlist: Playlist, member: PlaylistMember) -> None:
    before = _joined(playlist.id, playlist.owner_id)
    before.role, member.role = "editor", "owner"
    playlist.owner_id = member.user_id
    db.session.flush()
    for id_ in (before.user_id, member.user_id):
        publish(PlaylistMembersChanged(playlist.id, id_))
    publish(PlaylistHandedOver(playlist.id))


def _member(playlist_id: int, user_id: int) -> PlaylistMember | None:
    return db.session.get(PlaylistMember, (playlist_id, user_id), populate_existing=True)


def _joined(playlist_id: int, user_id: int) -> PlaylistMember:
    member = _member(playlist_id, user_id)
    if member is None:
        raise PlaylistNotFoundError("This person hasn't joined the playlist, or left it meanwhile.")
    return member
