"""What each mail says. A letter is made when it is sent, from the rows as they are then; None when it lost its point.

Links carry tokens, so they are made here and stored nowhere. To add a mail: a function here, a kind in tasks.py, a
handler, and `<kind>.txt` and `<kind>.html` in the templates; a test renders every kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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
from musicapp.jobs.context import JobContext


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


def confirm_address(job: JobContext) -> Letter | None:
    user = user_by_id(job.subject_id)
    if user is None or (user.pending_email is None and user.email_confirmed_at is not None):
        return None
    address = user.pending_email or user.email
    return _letter(
        job.kind,
        user,
        to=address,
        subject=lambda: _("Confirm your address"),
        message_id=fixed_message_id(job.kind, job.id),
        link=site_url(f"/confirm/{make_confirm_token(user.id, address)}"),
        days=CONFIRM_SECONDS // 86400,
        is_change=user.pending_email is not None,
    )


def reset_password(job: JobContext) -> Letter | None:
    user = user_by_id(job.subject_id)
    if user is None or user.suspended_at is not None:
        return None
    return _letter(
        job.kind,
        user,
        to=user.email,
        subject=lambda: _("Choose a new password"),
        message_id=fixed_message_id(job.kind, job.id),
        link=site_url(f"/reset/{make_reset_token(user.id, user.password_hash)}"),
        hours=RESET_SECONDS // 3600,
    )


def email_changed(job: JobContext) -> Letter | None:
    user = user_by_id(job.subject_id)
    if user is None:
        return None
    return _letter(
        job.kind,
        user,
        to=job.arguments["old_email"],
        subject=lambda: _("Your address was changed"),
        message_id=fixed_message_id(job.kind, job.id),
        new_email=user.email,
    )


def album_created(job: JobContext) -> Letter | None:
    user = user_by_id(job.arguments["user_id"])
    album = db.session.get(Album, job.subject_id)
    if user is None or album is None or album.deleted_at is not None:
        return None
    return _letter(
        job.kind,
        user,
        to=user.email,
        subject=lambda: _("Congratulations on “%(title)s”", title=album.title),
        message_id=fixed_message_id(job.kind, album.id, user.id),
        title=album.title,
        artist_name=album.artist.name,
        is_published=album.is_published,
        link=site_url(f"/albums/{album.id}"),
    )


def _letter(kind: str, user: User, *, to: str, subject: Callable[[], str], message_id: str, **context: Any) -> Letter:
    name = kind.removeprefix("mail_")
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
            text=render_template(f"notifications/{name}.txt", **context),
            html=render_template(f"notifications/{name}.html", **context),
            message_id=message_id,
        )
