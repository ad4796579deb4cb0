"""What an account needs: sent whatever its owner chose."""

from __future__ import annotations

from musicapp.accounts.models import UserSession
from musicapp.accounts.queries import user_by_id
from musicapp.accounts.tokens import CONFIRM_SECONDS, RESET_SECONDS, make_confirm_token, make_reset_token
from musicapp.core.db import db
from musicapp.notifications.letters.writing import Letter, Occasion, site_url, write


def confirm_address(occasion: Occasion) -> Letter | None:
    """The first one says welcome; after a change of address it is plain."""
    user = user_by_id(occasion.user_id)
    if user is None or (user.pending_email is None and user.email_confirmed_at is not None):
        return None
    address = user.pending_email or user.email
    return write(
        occasion,
        user,
        to=address,
        link=site_url(f"/confirm/{make_confirm_token(user.id, address)}"),
        days=CONFIRM_SECONDS // 86400,
        is_change=user.pending_email is not None,
    )


def reset_password(occasion: Occasion) -> Letter | None:
    user = user_by_id(occasion.user_id)
    if user is None or user.suspended_at is not None:
        return None
    return write(
        occasion,
        user,
        link=site_url(f"/reset/{make_reset_token(user.id, user.password_hash)}"),
        hours=RESET_SECONDS // 3600,
    )


def email_changed(occasion: Occasion) -> Letter | None:
    """To the address that was."""
    user = user_by_id(occasion.user_id)
    if user is None:
        return None
    return write(occasion, user, to=occasion.arguments["old_email"], new_email=user.email)


def new_device(occasion: Occasion) -> Letter | None:
    """Arguments: session_id. Also where that device was signed out since: somebody was in."""
    user = user_by_id(occasion.user_id)
    session = db.session.get(UserSession, occasion.arguments["session_id"])
    if user is None or session is None or session.user_id != user.id:
        return None
    return write(
        occasion,
        user,
        device=session.device,
        at=session.created_at,
        ip_address=session.ip_address,
        link=site_url("/settings#devices"),
    )
