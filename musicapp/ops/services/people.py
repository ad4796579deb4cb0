"""Acts on accounts."""

from __future__ import annotations

from musicapp.accounts import oversight
from musicapp.accounts.models import User
from musicapp.accounts.services import revoke_sessions
from musicapp.core.db import db
from musicapp.core.pages import size_words
from musicapp.ops.audit import audit


def suspend(user_id: int, reason: str) -> bool:
    """Keeps somebody out from now on. Raises OversightError; False where it is so already."""
    done = oversight.suspend_user(user_id, reason)
    if done:
        _note("user.suspend", user_id, reason=reason)
    return done


def unsuspend(user_id: int) -> bool:
    done = oversight.unsuspend_user(user_id)
    if done:
        _note("user.unsuspend", user_id)
    return done


def set_admin(user_id: int, is_admin: bool) -> bool:
    """Raises OversightError for the last admin, and for whom nobody should trust yet."""
    done = oversight.set_role(user_id, "admin" if is_admin else "user")
    if done:
        _note("user.make_admin" if is_admin else "user.dismiss_admin", user_id)
    return done


def set_quotas(user_id: int, *, quota_bytes: int | None, quota_seconds: int | None) -> None:
    """None: the site's own."""
    oversight.set_quotas(user_id, quota_bytes=quota_bytes, quota_seconds=quota_seconds)
    room = None if quota_bytes is None else size_words(quota_bytes)
    hours = None if quota_seconds is None else round(quota_seconds / 3600, 2)
    _note("user.set_quotas", user_id, room=room, hours=hours)


def confirm_address(user_id: int) -> bool:
    done = oversight.confirm_by_hand(user_id)
    if done:
        _note("user.confirm_address", user_id)
    return done


def send_reset_link(user_id: int) -> None:
    oversight.send_reset_link(user_id)
    _note("user.send_reset_link", user_id)


def sign_out_everywhere(user_id: int) -> int:
    """Returns how many devices there were. Raises OversightError for a closed account."""
    oversight.locked_user(user_id)
    devices = revoke_sessions(user_id)
    _note("user.sign_out", user_id, devices=devices)
    return devices


def _note(act: str, user_id: int, **details: object) -> None:
    words = db.session.get_one(User, user_id).username
    audit(act, subject_kind="user", subject_id=user_id, subject_words=words, **details)
