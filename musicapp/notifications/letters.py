"""What each mail says. A letter is made when it is sent, from the rows as they are then; None when it lost its point.

Links carry tokens, so they are made here and stored nowhere. To add a mail: a function here, its line in WRITERS,
and `<kind>.txt` and `<kind>.html` in the templates; a test renders every kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import current_app, render_template
from flask_babel import force_locale
from flask_babel import gettext as _

from musicapp.accounts.models import User
from musicapp.accounts.queries import user_by_id
from musicapp.accounts.tokens import CONFIRM_SECONDS, RESET_SECONDS, make_confirm_token, make_reset_token
from musicapp.catalog.models import Album
from musicapp.core.db import db
from musicapp.core.mailer import fixed_message_id


@dataclass(frozen=True, slots=True)
class Occasion:
    """Why somebody gets a mail. `kind` names its writer; the rest is ids and short strings, read anew by the writer."""

    kind: str
    user_id: int
    subject_id: int
    reason: str
    """The same for the same mail: its Message-ID is made from it."""
    arguments: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail, ready for core.mailer.send_mail."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str


def site_url(path: str) -> str:
    """The address of a page as a mail needs it: whole, from SITE_URL, since a worker has no request."""
    return f"{current_app.config['SITE_URL']}{path}"


def confirm_address(occasion: Occasion) -> Letter | None:
    user = user_by_id(occasion.user_id)
    if user is None or (user.pending_email is None and user.email_confirmed_at is not None):
        return None
    address = user.pending_email or user.email
    return _letter(
        occasion,
        user,
        to=address,
        subject=lambda: _("Confirm your address"),
        link=site_url(f"/confirm/{make_confirm_token(user.id, address)}"),
        days=CONFIRM_SECONDS // 86400,
        is_change=user.pending_email is not None,
    )


def reset_password(occasion: Occasion) -> Letter | None:
    user = user_by_id(occasion.user_id)
    if user is None or user.suspended_at is not None:
        return None
    return _letter(
        occasion,
        user,
        to=user.email,
        subject=lambda: _("Choose a new password"),
        link=site_url(f"/reset/{make_reset_token(user.id, user.password_hash)}"),
        hours=RESET_SECONDS // 3600,
    )


def email_changed(occasion: Occasion) -> Letter | None:
    user = user_by_id(occasion.user_id)
    if user is None:
        return None
    return _letter(
        occasion,
        user,
        to=occasion.arguments["old_email"],
        subject=lambda: _("Your address was changed"),
        new_email=user.email,
    )


def album_created(occasion: Occasion) -> Letter | None:
    user = user_by_id(occasion.user_id)
    album = db.session.get(Album, occasion.subject_id)
    if user is None or album is None or album.deleted_at is not None:
        return None
    return _letter(
        occasion,
        user,
        to=user.email,
        subject=lambda: _("Congratulations on “%(title)s”", title=album.title),
        title=album.title,
        artist_name=album.artist.name,
        is_published=album.is_published,
        link=site_url(f"/albums/{album.id}"),
    )


def _letter(occasion: Occasion, user: User, *, to: str, subject: Callable[[], str], **context: Any) -> Letter:
    with force_locale(user.locale):
        # A line break in a subject would be a forged header; the mailer refuses it.
        line = " ".join(subject().split())
        context |= {
            "name": user.display_name or user.username,
            "subject": line,
            "site": site_url("/"),
            "language": user.locale.replace("_", "-"),
        }
        return Letter(
            to=to,
            subject=line,
            text=render_template(f"notifications/{occasion.kind}.txt", **context),
            html=render_template(f"notifications/{occasion.kind}.html", **context),
            message_id=fixed_message_id(occasion.reason),
        )


WRITERS: dict[str, Callable[[Occasion], Letter | None]] = {
    "confirm_address": confirm_address,
    "reset_password": reset_password,
    "email_changed": email_changed,
    "album_created": album_created,
}
"""Kind of mail -> what writes it."""
