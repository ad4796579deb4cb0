"""What operators do with accounts. Writes, none of which commits; who may call them is asked at the desk's doors."""

from __future__ import annotations

from sqlalchemy import select

from musicapp.accounts import events
from musicapp.accounts.models import User
from musicapp.accounts.services import refresh_viewers, revoke_sessions
from musicapp.core.db import db, utc_now
from musicapp.core.events import publish

REASON_LIMIT = 1000


class OversightError(ValueError):
    """It can't be done to this account; str() says why."""


def suspend_user(user_id: int, reason: str) -> bool:
    """Signs every device out at once, ends its live streams and refuses the sign-in; False where it is so already.

    `reason` is read at the sign-in. Raises OversightError for the last admin.
    """
    admin_ids = _locked_admin_ids()
    user = locked_user(user_id)
    if user.suspended_at is not None:
        return False
    _keep_one(admin_ids, user)
    user.suspended_at, user.suspended_reason = utc_now(), reason[:REASON_LIMIT]
    revoke_sessions(user_id)
    db.session.flush()
    publish(events.ProfileUpdated(user_id))
    return True


def unsuspend_user(user_id: int) -> bool:
    """Lets somebody in again; False for whom nobody keeps out."""
    user = locked_user(user_id)
    if user.suspended_at is None:
        return False
    user.suspended_at = user.suspended_reason = None
    db.session.flush()
    publish(events.ProfileUpdated(user_id))
    return True


def set_role(user_id: int, role: str) -> bool:
    """Makes an admin, or a user again; False where it is so already. Raises OversightError for the last admin."""
    admin_ids = _locked_admin_ids()
    user = locked_user(user_id)
    if user.role == role:
        return False
    if role == "admin" and (user.suspended_at is not None or user.email_confirmed_at is None):
        raise OversightError("Only somebody whose address is confirmed and who isn't suspended can be an admin.")
    _keep_one(admin_ids, user)
    user.role = role
    db.session.flush()
    refresh_viewers(user_id)
    return True


def set_quotas(user_id: int, *, quota_bytes: int | None, quota_seconds: int | None) -> None:
    """How much a user may keep; None is the site's own quota."""
    user = locked_user(user_id)
    user.quota_bytes, user.quota_seconds = quota_bytes, quota_seconds
    db.session.flush()


def confirm_by_hand(user_id: int) -> bool:
    """Takes the account's address for confirmed, as its operator knows better; False where it is."""
    user = locked_user(user_id)
    if user.email_confirmed_at is not None:
        return False
    user.email_confirmed_at = utc_now()
    db.session.flush()
    refresh_viewers(user_id)
    return True


def send_reset_link(user_id: int) -> None:
    """Mails a link to choose a new password. Raises OversightError for a suspended account."""
    if locked_user(user_id).suspended_at is not None:
        raise OversightError("A suspended account gets no mails. Lift the suspension first.")
    publish(events.PasswordResetRequested(user_id))


def locked_user(user_id: int) -> User:
    """The account, locked. Raises OversightError for one that is closed or never was."""
    user = db.session.scalar(
        select(User)
        .where(User.id == user_id, User.deleted_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if user is None:
        raise OversightError("This account was closed.")
    return user


def _locked_admin_ids() -> set[int]:
    # Before the account, and in one order: of two admins who dismiss each other at once the second waits, and then
    # finds that it is the last.
    return set(
        db.session.scalars(
            select(User.id)
            .where(User.role == "admin", User.deleted_at.is_(None), User.suspended_at.is_(None))
            .order_by(User.id)
            .with_for_update()
        )
    )


def _keep_one(admin_ids: set[int], user: User) -> None:
    if admin_ids == {user.id}:
        raise OversightError("This is the last admin. Make somebody else an admin first.")
