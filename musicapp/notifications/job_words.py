"""What this room's jobs are called, and what came of them: how many were told, sent, refused."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from musicapp.jobs import presenting
from musicapp.jobs.models import Job
from musicapp.jobs.presenting import Shown
from musicapp.jobs.queries import JobView
from musicapp.notifications.announcements import fragments as announcements
from musicapp.notifications.announcements import queries as announcement_queries
from musicapp.notifications.kinds import KINDS

presenting.call(
    tell=_l("Tell people"),
    mail_confirm_address=_l("Mail: confirm an address"),
    mail_reset_password=_l("Mail: a new password"),
    mail_email_changed=_l("Mail: the address was changed"),
    mail_new_device=_l("Mail: a new device signed in"),
    mail_again=_l("Mail: sent again"),
    mail_album_created=_l("Mail: congratulations on an album"),
    digest=_l("Digest"),
    newsletter=_l("Newsletter"),
    artist_figures=_l("The week in figures"),
    tell_uploads=_l("See whether uploads are done"),
)


@presenting.presents("tell")
def telling_in_words(job: JobView) -> Shown:
    kind = job.arguments.get("kind", "")
    if kind == "announcement":
        return announcements.shown(job.subject_id or 0)
    title = str(KINDS[kind].words) if kind in KINDS else presenting.words_of(job.kind)
    counts = {name: number for name, number in (job.result or {}).items() if isinstance(number, int)}
    return Shown(title, lines=tuple(_lines(counts)), counts=counts)


@presenting.shares("tell")
def is_shared(viewer: Any, job: Job) -> bool:
    """An announcement is its artist's: whoever may open its page sees its job, too."""
    if job.arguments.get("kind") != "announcement" or job.subject_id is None:
        return False
    return announcement_queries.may_open(viewer, job.subject_id)


@presenting.presents("digest", "newsletter", "artist_figures")
def mailing_in_words(job: JobView) -> Shown:
    counts = {name: number for name, number in (job.result or {}).items() if isinstance(number, int)}
    return Shown(presenting.words_of(job.kind), lines=tuple(_lines(counts)), counts=counts)


def _lines(counts: Mapping[str, Any]) -> Iterator[str]:
    if number := counts.get("page"):
        yield ngettext("%(n)s notice on the site", "%(n)s notices on the site", number, n=f"{number:,}")
    if number := counts.get("sent"):
        yield ngettext("%(n)s mail sent", "%(n)s mails sent", number, n=f"{number:,}")
    if number := counts.get("failed"):
        yield ngettext("%(n)s mail refused", "%(n)s mails refused", number, n=f"{number:,}")
    if number := counts.get("suppressed"):
        yield ngettext("%(n)s mail not wanted", "%(n)s mails not wanted", number, n=f"{number:,}")
    if number := counts.get("cancelled"):
        yield ngettext("%(n)s mail not sent: stopped", "%(n)s mails not sent: stopped", number, n=f"{number:,}")
    if counts and not any(counts.values()):
        yield _("Nobody wanted to hear of it.")
