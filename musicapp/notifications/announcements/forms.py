"""What an author types: the announcement, and when it goes out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import gettext as _

from musicapp.catalog.forms import Form
from musicapp.catalog.text import clean_line, clean_text
from musicapp.notifications.announcements.moments import MomentError, moment_of

TITLE_LIMIT = 150
WORDS_LIMIT = 10_000
KEPT_LIMIT = 200_000
"""So much of what was typed comes back with its error: too long is no reason to lose the end of it."""


def announcement_form(sent: Mapping[str, str]) -> Form:
    """title, words."""
    form = Form()
    title = clean_line(sent.get("title", ""), KEPT_LIMIT)
    words = clean_text(sent.get("words", ""), KEPT_LIMIT)
    form.values = {"title": title, "words": words}
    if not title:
        form.errors["title"] = _("Give it a title: it is the mail's subject.")
    elif len(title) > TITLE_LIMIT:
        form.errors["title"] = _too_long(len(title), TITLE_LIMIT)
    if not words:
        form.errors["words"] = _("Write what you want to say.")
    elif len(words) > WORDS_LIMIT:
        form.errors["words"] = _too_long(len(words), WORDS_LIMIT)
    return form


def _too_long(length: int, limit: int) -> str:
    numbers = {"length": f"{length:,}", "limit": f"{limit:,}", "over": f"{length - limit:,}"}
    words = _("This has %(length)s characters, and %(limit)s are the most. Please shorten it by %(over)s.", **numbers)
    return str(words)


@dataclass(slots=True)
class SendForm(Form):
    """`send_at` is the chosen instant; None: at once."""

    send_at: datetime | None = None


def send_form(sent: Mapping[str, str], zone_name: str, *, now: datetime) -> SendForm:
    """when ("now" or "later"), day, time in the author's own zone."""
    form = SendForm(values={name: sent.get(name, "")[:20] for name in ("when", "day", "time")})
    if form.values["when"] == "later":
        try:
            form.send_at = moment_of(form.values["day"], form.values["time"], zone_name, now=now)
        except MomentError as error:
            form.errors[error.field] = str(error)
    return form
