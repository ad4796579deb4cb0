"""The desk's own navigation: one line per page."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from flask import request, url_for
from flask_babel import lazy_gettext as _l


@dataclass(frozen=True, slots=True)
class Entry:
    """A page of the desk: the endpoint of its first page, and what its line says. Pages below that address light it."""

    group: str
    endpoint: str
    words: str
    icon: str


@dataclass(frozen=True, slots=True)
class Link:
    """An entry as the template draws it."""

    url: str
    words: str
    icon: str
    is_active: bool


MUSIC, WORK, SITE = _l("People and music"), _l("Work and mail"), _l("The site")

ENTRIES: tuple[Entry, ...] = (
    Entry("", "ops.desk", _l("Overview"), "gauge"),
    Entry(MUSIC, "ops.users", _l("Users"), "users"),
    Entry(MUSIC, "ops.artists", _l("Artists"), "audio-lines"),
    Entry(MUSIC, "ops.albums", _l("Albums"), "disc-3"),
    Entry(MUSIC, "ops.reports", _l("Reports"), "flag"),
    Entry(WORK, "ops.mails", _l("Mail"), "mail"),
    Entry(WORK, "ops.announcements", _l("Announcements"), "send"),
    Entry(WORK, "ops.jobs", _l("Jobs"), "list-checks"),
    Entry(WORK, "ops.failures", _l("Failures"), "circle-alert"),
    Entry(WORK, "ops.schedules", _l("Schedules"), "calendar"),
    Entry(WORK, "ops.queues", _l("Queues"), "list-end"),
    Entry(WORK, "ops.workers", _l("Workers"), "settings"),
    Entry(SITE, "ops.live", _l("Live"), "globe"),
    Entry(SITE, "ops.requests", _l("Requests"), "clock"),
    Entry(SITE, "ops.cache", _l("Cache"), "list-start"),
    Entry(SITE, "ops.storage", _l("Storage"), "hard-drive"),
    Entry(SITE, "ops.audit_log", _l("Audit log"), "scroll-text"),
)
"""In the order of the column; entries of one group stand together."""


def groups() -> list[tuple[str, list[Link]]]:
    """(heading or "", links) for the column beside a page of the desk."""
    return [(group, [_link(entry) for entry in entries]) for group, entries in groupby(ENTRIES, lambda e: e.group)]


def links() -> dict[str, str]:
    """Endpoint -> address, of every page in the column."""
    return {entry.endpoint: url_for(entry.endpoint) for entry in ENTRIES}


def _link(entry: Entry) -> Link:
    url = url_for(entry.endpoint)
    is_below = url != "/admin/" and request.path.startswith(url.rstrip("/") + "/")
    return Link(url, entry.words, entry.icon, request.path == url or is_below)
