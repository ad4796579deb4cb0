"""What open pages see of an announcement, live; and how its job is put into words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from flask_babel import ngettext

from musicapp.core.db import LARGEST_ID
from musicapp.jobs.presenting import Shown
from musicapp.live.registry import fragment, topic
from musicapp.notifications.announcements import queries


@topic("announcement")
def may_hear_announcement(viewer: Any, announcement_id: int | None) -> bool:
    return announcement_id is not None and announcement_id <= LARGEST_ID and queries.may_open(viewer, announcement_id)


@fragment("announcement")
def render_announcement(announcement_id: int) -> str | None:
    told = queries.told(announcement_id)
    return render_template("notifications/announcements/_announcement.html", told=told) if told else None


COUNTED = ("total", "sent", "failed", "suppressed", "cancelled", "waiting")


def shown(announcement_id: int) -> Shown:
    """The job of an announcement in words."""
    told = queries.told(announcement_id)
    if told is None:
        return Shown(_("Announcement"))
    counts = {name: getattr(told.outcome.counts, name) for name in COUNTED}
    title = _("Announcement “%(title)s”", title=told.title)
    return Shown(title, told.url, _("See the announcement"), tuple(lines_of(told)), counts)


def lines_of(told: queries.Told) -> Iterator[str]:
    """What became of it, one sentence each: 312 mails sent, 2 refused and why."""
    outcome, counts = told.outcome, told.outcome.counts
    if outcome.notices:
        yield ngettext("%(n)s notice on the site", "%(n)s notices on the site", outcome.notices, n=_n(outcome.notices))
    if counts.sent or told.state == "delivered":
        yield ngettext("%(n)s mail sent", "%(n)s mails sent", counts.sent, n=_n(counts.sent))
    if outcome.in_digests:
        one, many = "%(n)s gets it with a digest", "%(n)s get it with their digests"
        yield ngettext(one, many, outcome.in_digests, n=_n(outcome.in_digests))
    for reason in outcome.reasons:
        why = reason.words or _("the mail server gave no reason")
        one, many = "%(n)s mail refused: %(why)s", "%(n)s mails refused: %(why)s"
        yield ngettext(one, many, reason.count, n=_n(reason.count), why=why)
    if counts.suppressed:
        one = "%(n)s left out: unsubscribed, or the address takes no mail"
        many = "%(n)s left out: unsubscribed, or their addresses take no mail"
        yield ngettext(one, many, counts.suppressed, n=_n(counts.suppressed))
    if counts.cancelled:
        one, many = "%(n)s mail not sent: stopped", "%(n)s mails not sent: stopped"
        yield ngettext(one, many, counts.cancelled, n=_n(counts.cancelled))


def _n(number: int) -> str:
    return f"{number:,}"
