"""What open playlists show anew, and who may hear of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from flask import render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from musicapp.core.db import LARGEST_ID
from musicapp.jobs import presenting
from musicapp.jobs.queries import JobView
from musicapp.live.frames import Partial
from musicapp.live.registry import fragment, topic
from musicapp.playlists import access, presence, queries

presenting.call(
    make_playlist_cover=_l("A playlist's picture"),
    forget_playlist_user=_l("Take a closed account out of playlists"),
    playlist_digest=_l("What others changed in a playlist"),
)

MOST_OPS = 300
"""Entries that a change may name before pages read the whole order instead: it would be longer than that."""
MOST_ROWS = 20
"""Rows that come with the change; more are fetched by whoever scrolls there."""


@topic("playlist")
def may_hear_playlist(viewer: Any, playlist_id: int | None) -> bool:
    return _is_id(playlist_id) and access.may_hear(viewer, playlist_id or 0)


@topic("playlist_people")
def may_hear_people(viewer: Any, playlist_id: int | None) -> bool:
    """Who is looking is for members only."""
    return _is_id(playlist_id) and queries.role_of(viewer.id, playlist_id or 0) is not None


def _is_id(number: int | None) -> bool:
    return number is not None and number <= LARGEST_ID


@presenting.presents("make_playlist_cover")
def cover_job_in_words(job: JobView) -> presenting.Shown:
    head = queries.playlist_head(job.subject_id or 0)
    if head is None:
        return presenting.Shown(presenting.words_of(job.kind))
    return presenting.Shown(
        _("The picture of “%(name)s”", name=head.name), f"/playlists/{head.id}", _("See the playlist")
    )


def told(change: queries.Change) -> dict[str, Any]:
    """A change as pages apply it (static/js/playlist/order.js): the same for everybody."""
    is_large = len(change.added) + len(change.removed) + len(change.moved) > MOST_OPS
    return {
        "id": change.id,
        "version": change.version,
        "kind": change.kind,
        "by": change.by.name if change.by else _("Somebody"),
        "by_id": change.by.id if change.by else None,
        "words": _in_words(change),
        "is_large": is_large,
        "added": [] if is_large else [asdict(entry) for entry in change.added],
        "removed": [] if is_large else list(change.removed),
        "moved": [] if is_large else [asdict(entry) for entry in change.moved],
    }


def _in_words(change: queries.Change) -> str:
    """One sentence without titles: not everybody may see every track."""
    said = {"name": change.by.name if change.by else _("Somebody")}
    words = {
        "added": ngettext("%(name)s added %(num)s track.", "%(name)s added %(num)s tracks.", len(change.added), **said),
        "removed": ngettext(
            "%(name)s removed %(num)s track.", "%(name)s removed %(num)s tracks.", len(change.removed), **said
        ),
        "moved": ngettext("%(name)s moved %(num)s track.", "%(name)s moved %(num)s tracks.", len(change.moved), **said),
        "sorted": _("%(name)s sorted the playlist.", **said),
        "edited": _("%(name)s changed the details.", **said),
        "undone": _("%(name)s took a change back.", **said),
        "restored": _("%(name)s brought an earlier version back.", **said),
    }
    return str(words.get(change.kind, ""))


def change_told(change_id: int) -> dict[str, Any] | None:
    """The same by id; None for a change that is no longer kept."""
    change = queries.change(change_id)
    return told(change) if change else None


@fragment("playlist_change")
def render_change(change_id: int) -> Sequence[Partial] | None:
    """The change for the page's script, with the rows that came, those that everybody may see."""
    change = queries.change(change_id)
    if change is None:
        return None
    ids = [entry.entry_id for entry in change.added[:MOST_ROWS]]
    rows = queries.rows_by_entry_ids(change.playlist_id, None, ids) if ids else []
    entries = [row for row in rows if row.track is not None]
    html = render_template("playlists/_change.html", told=told(change), entries=entries, playlist_id=change.playlist_id)
    return Partial.append(f"playlist-{change.playlist_id}-changes", f"playlist_change-{change_id}", html)


@fragment("playlist_head")
def render_head(playlist_id: int) -> str | None:
    head = queries.playlist_head(playlist_id)
    return render_template("playlists/_playlist_head.html", head=head) if head else None


@fragment("playlist_people", topic="playlist_people")
def render_people(playlist_id: int) -> str:
    people = looking_of(playlist_id, [row.person for row in queries.members(playlist_id)])
    return render_template("playlists/_people_now.html", playlist_id=playlist_id, people=people)


def looking_of(playlist_id: int, members: Iterable[queries.Person]) -> list[queries.Person]:
    """Those of the members who are looking right now."""
    here = set(presence.looking(playlist_id))
    return [person for person in members if person.id in here][: presence.MOST_SHOWN]
