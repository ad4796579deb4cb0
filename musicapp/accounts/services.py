"""Writes about people. None commits; hashes are made before, outside the transaction (see passwords.py)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from musicapp.accounts import events, queries, session_cache
from musicapp.accounts.models import Invitation, User, UserSession
from musicapp.accounts.tokens import hash_token, new_token
from musicapp.core.db import db, utc_now
from musicapp.core.events import publish
from musicapp.jobs import services as jobs
from musicapp.live import services as live

INVITATION_DAYS = 14
ENDED_SESSION_DAYS = 30
"""How long a signed-out device, with its address, is remembered: long enough to look into what one did."""


class NameTakenError(ValueError):
    """Somebody else has it. `fields` holds "username", "email" or both."""

    def __init__(self, fields: set[str]) -> None:
        super().__init__(", ".join(sorted(fields)))
        self.fields = fields


class InvitationError(ValueError):
    """The invitation was used, is too old, or was for another address."""


def register(
    *,
    username: str,
    email: str,
    password_hash: str,
    artist_name: str | None = None,
    role: str = "user",
    is_email_confirmed: bool = False,
    locale: str = "en",
) -> User:
    """Makes a user and publishes UserRegistered (and EmailConfirmationRequested). Raises NameTakenError."""
    if taken := queries.taken_names(username, email):
        raise NameTakenError(taken)
    user = User(
        username=username,
        username_key=queries.key_of_username(username),
        display_name=username,
        email=queries.key_of_email(email),
        email_confirmed_at=utc_now() if is_email_confirmed else None,
        password_hash=password_hash,
        role=role,
        locale=locale,
    )
    try:
        with db.session.begin_nested():
            db.session.add(user)
    except IntegrityError as error:  # PostgreSQL: another registration was faster by a moment
        raise NameTakenError(queries.taken_names(username, email) or {"username"}) from error
    publish(events.UserRegistered(user.id, artist_name))
    if not is_email_confirmed:
        publish(events.EmailConfirmationRequested(user.id))
    return user


def use_invitation(token: str, user: User) -> None:
    """Spends an invitation on a user who was just registered. Raises InvitationError."""
    invitation = queries.open_invitation(token)
    if invitation is None or (invitation.email and invitation.email != user.email):
        raise InvitationError
    spent = db.session.execute(
        update(Invitation)
        .where(Invitation.id == invitation.id, Invitation.used_at.is_(None))
        .values(used_at=utc_now(), used_by_id=user.id)
    )
    if spent.rowcount != 1:  # type: ignore[attr-defined]
        raise InvitationError


def invite(*, email: str | None, created_by_id: int | None = None) -> str:
    """Makes an invitation and returns its token, which is stored nowhere."""
    token = new_token()
    db.session.add(
        Invitation(
            token_hash=hash_token(token),
            email=queries.key_of_email(email) if email else None,
            created_by_id=created_by_id,
            expires_at=utc_now() + timedelta(days=INVITATION_DAYS),
        )
    )
    return token


def open_session(user_id: int, *, device: str, ip_address: str, new_password_hash: str | None = None) -> str:
    """Signs a device in and returns the token for its cookie; stores a hash with today's parameters if one is given."""
    token = new_token()
    row = UserSession(token_hash=hash_token(token), user_id=user_id, device=device[:200], ip_address=ip_address[:64])
    is_new = queries.is_new_device(user_id, row.device)
    db.session.add(row)
    if new_password_hash:
        db.session.get_one(User, user_id).password_hash = new_password_hash
    if is_new:
        db.session.flush()
        publish(events.NewDeviceSignedIn(user_id, row.id))
    return token


def revoke_session(user_id: int, session_id: int) -> bool:
    """Signs one device of this user out; False where there is none such."""
    return _revoke(user_id, UserSession.id == session_id) > 0


def revoke_sessions(user_id: int, *, besides_id: int | None = None) -> int:
    """Signs all devices out but one, and returns how many."""
    return _revoke(user_id, UserSession.id != (besides_id or 0))


def _revoke(user_id: int, which: object) -> int:
    rows = db.session.scalars(
        select(UserSession).where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None), which)  # type: ignore[arg-type]
    ).all()
    for row in rows:
        row.revoked_at = utc_now()
    session_cache.drop_after_commit({row.token_hash for row in rows})
    if rows:
        live.rights_changed(user_id)
    return len(rows)


def purge_sessions(*, unseen_since: datetime) -> int:
    """Forgets devices signed out long ago, or not seen since an instant before which no session counts any more."""
    ended_before = utc_now() - timedelta(days=ENDED_SESSION_DAYS)
    statement = delete(UserSession).where(
        (UserSession.revoked_at < ended_before) | (UserSession.last_seen_at < unseen_since)
    )
    return int(db.session.execute(statement).rowcount)  # type: ignore[attr-defined]


def purge_invitations() -> int:
    """Forgets invitations that were used, or ran out, a month ago."""
    before = utc_now() - timedelta(days=ENDED_SESSION_DAYS)
    statement = delete(Invitation).where((Invitation.expires_at < before) | (Invitation.used_at < before))
    return int(db.session.execute(statement).rowcount)  # type: ignore[attr-defined]


def refresh_viewers(user_id: int) -> None:
    """After a change of what a Viewer shows: the next request of each device reads it anew."""
    hashes = db.session.scalars(
        select(UserSession.token_hash).where(UserSession.user_id == user_id, UserSession.revoked_at.is_(None))
    ).all()
    session_cache.drop_after_commit(set(hashes))


def update_profile(user_id: int, *, display_name: str, bio: str, time_zone: str, locale: str) -> None:
    user = db.session.get_one(User, user_id)
    user.display_name = display_name
    user.bio = bio
    user.time_zone = time_zone
    user.locale = locale
    refresh_viewers(user_id)
    publish(events.ProfileUpdated(user_id))


def change_password(user_id: int, new_hash: str, *, old_hash: str, keep_session_id: int | None) -> bool:
    """Stores a new hash and signs the other devices out. False where the password changed meanwhile."""
    user = db.session.scalar(select(User).where(User.id == user_id, User.deleted_at.is_(None)).with_for_update())
    if user is None or user.password_hash != old_hash:
        return False
    user.password_hash = new_hash
    revoke_sessions(user_id, besides_id=keep_session_id)
    return True


def set_password(user_id: int, new_hash: str) -> None:
    """The operator's way: no questions, every device is signed out."""
    db.session.get_one(User, user_id).password_hash = new_hash
    revoke_sessions(user_id)


def request_email_change(user_id: int, new_email: str) -> None:
    """Remembers a new address; it counts once its link was used. Raises NameTakenError."""
    if queries.taken_names("", new_email, besides_id=user_id):
        raise NameTakenError({"email"})
    user = db.session.get_one(User, user_id)
    user.pending_email = None if queries.key_of_email(new_email) == user.email else queries.key_of_email(new_email)
    if user.pending_email or user.email_confirmed_at is None:
        publish(events.EmailConfirmationRequested(user_id))


def request_email_confirmation(user_id: int) -> bool:
    """Asks for the link again; False where nothing waits for confirmation."""
    user = db.session.get_one(User, user_id)
    if user.pending_email is None and user.email_confirmed_at is not None:
        return False
    publish(events.EmailConfirmationRequested(user_id))
    return True


def confirm_email(user_id: int, email: str) -> bool:
    """Confirms an address, as often as the link is used. False where the address is no longer wanted.

    Raises NameTakenError where somebody else has it by now.
    """
    user = queries.user_by_id(user_id)
    if user is None:
        return False
    if user.email == email:
        user.email_confirmed_at = user.email_confirmed_at or utc_now()
    elif user.pending_email == email:
        if queries.taken_names("", email, besides_id=user_id):
            raise NameTakenError({"email"})
        old_email, user.email = user.email, email
        user.pending_email = None
        user.email_confirmed_at = utc_now()
        publish(events.EmailChanged(user_id, old_email))
    else:
        return False
    refresh_viewers(user_id)
    return True


def request_password_reset(email: str) -> None:
    """Publishes PasswordResetRequested if somebody has this address. Its answer is the same for everybody: none."""
    user = queries.user_by_email(email)
    if user is not None and user.suspended_at is None:
        publish(events.PasswordResetRequested(user.id))


def change_avatar(user_id: int, source_key: str) -> int:
    """Has a picture made from a stored file; the present one shows meanwhile. Returns the job's id."""
    return jobs.add("resize_avatar", subject_id=user_id, owner_id=user_id, arguments={"source_key": source_key})


def set_avatar(user_id: int, avatar_key: str | None) -> None:
    """Shows another picture, or none; the old one's files are deleted by a job."""
    user = db.session.get_one(User, user_id)
    if user.avatar_key:
        jobs.add("delete_avatar", subject_id=user_id, arguments={"avatar_key": user.avatar_key})
    user.avatar_key = avatar_key
    refresh_viewers(user_id)
    publish(events.AvatarChanged(user_id))


def delete_account(user_id: int) -> None:
    """Closes an account: name and address are free again, devices are forgotten, and the row stays nameless."""
    user = db.session.get_one(User, user_id)
    revoke_sessions(user_id)
    db.session.flush()
    for row in db.session.scalars(select(UserSession).where(UserSession.user_id == user_id)):
        db.session.delete(row)
    set_avatar(user_id, None)
    user.username = f"deleted-{user_id}"
    user.username_key = f"deleted/{user_id}"  # no username has a slash
    user.email = f"deleted/{user_id}"
    user.email_confirmed_at = user.pending_email = None
    user.display_name = user.bio = ""
    user.password_hash = "!"  # noqa: S105  fits no password
    user.role = "user"
    user.deleted_at = utc_now()
    publish(events.UserDeleted(user_id))
