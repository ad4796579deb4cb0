"""Links that end a kind of mail without a sign-in, and what they do. A link names one person and one kind, for good.

It works after a new password, since old mails keep theirs; not once the account is closed.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import current_app
from flask_babel import gettext as _
from itsdangerous import BadData, URLSafeSerializer

from musicapp.accounts.queries import user_by_id
from musicapp.notifications.kinds import KINDS, MAIL

ALL, DIGEST = "all", "digest"
"""What a link may name besides a kind: every mail of choice, and what comes in digests."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Whose link it is, and the kind, ALL or DIGEST that it ends."""

    user_id: int
    kind: str

    @property
    def words(self) -> str:
        """What it ends, as the preferences call it."""
        if self.kind == DIGEST:
            return str(_("Daily and weekly digests"))
        return str(KINDS[self.kind].words) if self.kind in KINDS else str(_("All mails of choice"))


def unsubscribe_link(user_id: int, kind: str) -> str:
    """The address that a mail of this kind to this person shows: a page that asks, and a door that obeys a POST."""
    return f"{current_app.config['SITE_URL']}/unsubscribe/{_signer().dumps([user_id, kind])}"


def unsubscribe_headers(user_id: int, kind: str) -> dict[str, str]:
    """RFC 8058's, so that mail programs show a button of their own, and RFC 2919's, by which people sort."""
    host = current_app.config["SITE_URL"].partition("://")[2].partition("/")[0].partition(":")[0]
    words = str(KINDS[kind].words) if kind in KINDS else kind
    # A header in ASCII needs no encoding; the name is for people, the id for programs.
    name = "".join(letter for letter in f"{current_app.config['SITE_NAME']}: {words}" if " " <= letter <= "~")
    return {
        "List-Unsubscribe": f"<{unsubscribe_link(user_id, kind)}>",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
        "List-Id": f'"{name.replace(chr(34), "").replace(chr(92), "")}" <{kind.replace("_", "-")}.{host}>',
    }


def reader_of(token: str) -> Reader | None:
    """Whose link it is; None for one that is forged or cut off, and where the account is closed."""
    try:
        match _signer().loads(token):
            case [int(user_id), str(kind)] if kind in (ALL, DIGEST) or MAIL in _choices_of(kind):
                user = user_by_id(user_id)
                return Reader(user_id, kind) if user is not None and user.deleted_at is None else None
    except BadData:
        pass
    return None


def _choices_of(kind: str) -> tuple[str, ...]:
    return tuple(KINDS[kind].choices) if kind in KINDS else ()


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(current_app.config["SECRET_KEY"], salt="notifications/unsubscribe")
