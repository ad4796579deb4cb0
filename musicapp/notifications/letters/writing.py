"""A letter and what it is made of. Kinds of mail write theirs with `write`; the preview fills the same templates."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from babel.dates import format_date, format_datetime
from flask import current_app, render_template
from flask_babel import force_locale, get_locale
from jinja2.utils import urlize
from markupsafe import Markup

from musicapp.accounts.models import User
from musicapp.catalog.queries import Picture
from musicapp.core.mailer import fixed_message_id
from musicapp.core.pages import title_hue
from musicapp.notifications.due import zone_of
from musicapp.notifications.kinds import KINDS, MAIL
from musicapp.notifications.unsubscribing import DIGEST, unsubscribe_headers, unsubscribe_link

LINK = '<a class="accent" style="color:#aa3606;" '
GROUNDS = ("#f9c1bf", "#f2c8a7", "#d7d4a3", "#b3debb", "#9edfde", "#abd7f8", "#ccccfb", "#eac2e6")
INKS = ("#763638", "#703f0e", "#554f00", "#225a31", "#005b5c", "#0d5279", "#49457c", "#683964")
"""Eight hues of covers that are made from a title, as the site's style sheet has them."""


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
    """One mail as its reader gets it; the post office adds what every mail carries and sends it."""

    to: str
    subject: str
    text: str
    html: str
    message_id: str
    headers: dict[str, str] = field(default_factory=dict)
    """How to unsubscribe (RFC 8058), where the kind can be chosen."""


@dataclass(frozen=True, slots=True)
class Cover:
    """A cover as a mail shows it: a picture, or a square in a hue made from the title with its first letter."""

    title: str
    address: str | None
    initial: str
    ground: str
    ink: str


@dataclass(frozen=True, slots=True)
class Line:
    """One thing in a list: an album, a playlist, an announcement. `details` are short lines below its title."""

    title: str
    link: str
    cover: Cover
    details: tuple[str, ...] = ()
    mark: str = ""
    """A short word in the accent's colour: "You follow them"."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a reader sees."""

    subject: str
    text: str
    html: str


def site_url(path: str) -> str:
    """The address of a page as a mail needs it: whole, from SITE_URL, since a worker has no request."""
    return f"{current_app.config['SITE_URL']}{path}"


def cover_of(title: str, picture: Picture | None, size_px: int = 160) -> Cover:
    """JPEG, which every mail program shows. Where listening needs an account, no mail program may fetch pictures."""
    address = None
    if picture is not None and current_app.config["PUBLIC_LISTENING"]:
        address = site_url(picture.url(size_px).removesuffix(".webp") + ".jpg")
    hue = title_hue(title)
    return Cover(title, address, (title.strip()[:1] or "♪").upper(), GROUNDS[hue], INKS[hue])


def write(occasion: Occasion, user: User, *, to: str = "", **context: Any) -> Letter:
    """The letter of an occasion, in the reader's language and time zone. `context` is what its templates need."""
    is_chosen = can_be_chosen(occasion.kind)
    written = fill(
        occasion.kind,
        name=user.display_name or user.username,
        locale=user.locale,
        time_zone=user.time_zone,
        unsubscribe_link=unsubscribe_link(user.id, occasion.kind) if is_chosen else "",
        **context,
    )
    return Letter(
        to=to or user.email,
        subject=written.subject,
        text=written.text,
        html=written.html,
        message_id=fixed_message_id(occasion.reason),
        headers=unsubscribe_headers(user.id, occasion.kind) if is_chosen else {},
    )


def can_be_chosen(kind: str) -> bool:
    """Whether readers may do without it. What an account needs comes always and says nothing of unsubscribing."""
    return kind == DIGEST or (kind in KINDS and MAIL in KINDS[kind].choices)


def fill(kind: str, /, *, name: str, locale: str, time_zone: str, unsubscribe_link: str, **context: Any) -> Written:
    """Fills the two templates of a kind. The first line of the text is the subject, so neither can lack one."""
    with force_locale(locale):
        context |= {
            "name": name,
            "site": site_url("/"),
            "preferences": site_url("/settings/notifications"),
            "unsubscribe": unsubscribe_link,
            "language": locale.replace("_", "-"),
            "when": lambda instant: moment_words(instant, time_zone),
            "day": day_words,
        }
        # A subject is one line by construction: what a title breaks off stands in the text, never in the headers.
        subject, _line, text = render_template(f"notifications/{kind}.txt", **context).partition("\n")
        subject = " ".join(subject.split())
        html = render_template(f"notifications/{kind}.html", subject=subject, **context)
    return Written(subject, text.strip() + "\n", html)


def moment_words(instant: datetime, time_zone: str) -> str:
    """ "20 November 2026, 09:14 (Europe/Berlin)": a mail has no script that could write it in the reader's zone."""
    written = format_datetime(instant, "d MMMM y, HH:mm", tzinfo=zone_of(time_zone), locale=get_locale())
    return f"{written} ({time_zone.replace('_', ' ')})"


def day_words(day: date) -> str:
    return str(format_date(day, "d MMMM y", locale=get_locale()))


@lru_cache(maxsize=8)  # ten thousand letters of one announcement look for addresses in the same words
def paragraphs_of(words: str) -> list[Markup]:
    """Somebody's plain words as safe paragraphs: line breaks stay, addresses become links, markup is shown as typed."""
    blocks = [block.strip() for block in words.replace("\r\n", "\n").split("\n\n")]
    # urlize escapes what it is given, so a real "<a " is one of its own links. Mail programs read no style sheets.
    linked = (urlize(block, rel="noopener nofollow").replace("<a ", LINK) for block in blocks if block)
    return [Markup(block.replace("\n", "<br>")) for block in linked]  # noqa: S704
