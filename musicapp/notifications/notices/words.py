"""What a notice says and where it leads, read anew when it is shown. Each kind reads its subjects for all its notices.

To add a kind: a function here and its line in WRITERS. A notice that a writer leaves out says that its subject is gone.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import select

from musicapp.catalog.models import Album, Artist
from musicapp.catalog.queries import AlbumCard, album_cards
from musicapp.core.db import db
from musicapp.notifications.models import Announcement, Notice
from musicapp.playlists.models import Playlist, PlaylistInvitation
from musicapp.playlists.queries.people import people_by_id


@dataclass(frozen=True, slots=True)
class Words:
    """`line` is the sentence, `title` what it is about; `url` where it leads, "" where nothing is left to see."""

    icon: str
    line: str
    title: str = ""
    url: str = ""
    cover_url: str | None = None
    has_cover: bool = False
    """A cover is drawn, from the title where there is no picture."""


Writer = Callable[[list[Notice]], dict[int, Words]]


def words_of(notices: Collection[Notice]) -> dict[int, Words]:
    """Notice id -> its words, for all of them."""
    said: dict[int, Words] = {}
    for write in dict.fromkeys(WRITERS[notice.kind] for notice in notices if notice.kind in WRITERS):
        said |= write([notice for notice in notices if WRITERS.get(notice.kind) is write])
    gone = Words("bell", _("What this was about is no longer here."))
    return {notice.id: said.get(notice.id, gone) for notice in notices}


def _about_albums(notices: list[Notice]) -> dict[int, Words]:
    ids = {notice.subject_id for notice in notices}
    cards = {card.id: card for card in album_cards(select(Album).where(Album.id.in_(ids), Album.deleted_at.is_(None)))}
    said = {}
    for notice in notices:
        card = cards.get(notice.subject_id or 0)
        if card is not None and (notice.kind != "new_release" or card.published_at is not None):
            said[notice.id] = _about_album(notice, card)
    return said


def _about_album(notice: Notice, card: AlbumCard) -> Words:
    ready, failed = notice.arguments.get("ready", 0), notice.arguments.get("failed", 0)
    icon, line, url = {
        "new_release": ("disc-3", _("New from %(artists)s", artists=card.artists), card.url),
        "album_created": ("disc-3", _("Your album is begun. Congratulations!"), card.studio_url),
        "album_published": ("globe", _("Your album is public now."), card.url),
        "upload_finished": ("circle-check", _tracks_ready(ready), card.studio_url),
        "upload_failed": ("circle-alert", _tracks_failed(ready, failed), card.studio_url),
    }[notice.kind]
    cover_url = card.picture.url(160) if card.picture else None
    return Words(icon, line, card.title, url, cover_url, has_cover=True)


def _tracks_ready(count: int) -> str:
    return str(ngettext("A track is ready.", "%(num)s tracks are ready.", count))


def _tracks_failed(ready: int, failed: int) -> str:
    words = str(ngettext("A file could not be used.", "%(num)s files could not be used.", failed))
    return f"{words} {_tracks_ready(ready)}" if ready else words


def _announced(notices: list[Notice]) -> dict[int, Words]:
    rows = db.session.execute(
        select(Announcement.id, Announcement.title, Announcement.artist_id, Artist.name)
        .outerjoin(Artist, Artist.id == Announcement.artist_id)
        .where(Announcement.id.in_({notice.subject_id for notice in notices}))
    )
    found = {row.id: row for row in rows}
    return {
        notice.id: Words(
            "send",
            _("%(name)s writes", name=row.name) if row.artist_id else _("From the people who run this site"),
            row.title,
            f"/announcements/{row.id}",
        )
        for notice in notices
        if (row := found.get(notice.subject_id))
    }


def _invited(notices: list[Notice]) -> dict[int, Words]:
    rows = db.session.execute(
        select(
            PlaylistInvitation.id,
            PlaylistInvitation.token,
            PlaylistInvitation.created_by_id,
            PlaylistInvitation.answered_at,
        )
        .add_columns(Playlist.id.label("playlist_id"), Playlist.name)
        .join(Playlist, Playlist.id == PlaylistInvitation.playlist_id)
        .where(
            PlaylistInvitation.id.in_({notice.subject_id for notice in notices}),
            PlaylistInvitation.revoked_at.is_(None),
            Playlist.deleted_at.is_(None),
        )
    ).all()
    people = people_by_id(row.created_by_id for row in rows)
    found = {row.id: row for row in rows}
    said = {}
    for notice in notices:
        if row := found.get(notice.subject_id):
            by = people.get(row.created_by_id or 0)
            url = f"/playlists/{row.playlist_id}" if row.answered_at else f"/playlists/invitations/{row.token}"
            line = _("%(name)s invites you to a playlist", name=by.name if by else _("Somebody"))
            said[notice.id] = Words("user-plus", line, row.name, url)
    return said


def _playlists_changed(notices: list[Notice]) -> dict[int, Words]:
    ids = {notice.subject_id for notice in notices}
    found = {
        row.id: row.name
        for row in db.session.execute(
            select(Playlist.id, Playlist.name).where(Playlist.id.in_(ids), Playlist.deleted_at.is_(None))
        )
    }
    people = people_by_id(id_ for notice in notices for id_ in notice.arguments.get("by_ids", ()))
    said = {}
    for notice in notices:
        if notice.subject_id in found:
            names = [people[id_].name for id_ in notice.arguments.get("by_ids", ()) if id_ in people]
            line = _changed_line(names, notice.arguments.get("added", 0), notice.arguments.get("removed", 0))
            said[notice.id] = Words("list-music", line, found[notice.subject_id], f"/playlists/{notice.subject_id}")
    return said


def _changed_line(names: Iterable[str], added: int, removed: int) -> str:
    who = ", ".join(names) or str(_("Somebody"))
    if added and removed:
        return str(_("%(who)s: %(added)s added, %(removed)s removed", who=who, added=added, removed=removed))
    if added:
        return str(ngettext("%(who)s added a track", "%(who)s added %(num)s tracks", added, who=who))
    if removed:
        return str(ngettext("%(who)s removed a track", "%(who)s removed %(num)s tracks", removed, who=who))
    return str(_("%(who)s changed a playlist", who=who))


def _pictures(notices: list[Notice]) -> dict[int, Words]:
    """Arguments: `words` and `url` as the room of the picture says them, `failed` where it could not be used."""
    return {
        notice.id: Words(
            "circle-alert" if notice.arguments.get("failed") else "image",
            _("This picture could not be used.") if notice.arguments.get("failed") else _("Your picture is ready."),
            str(notice.arguments.get("words", "")),
            str(notice.arguments.get("url", "/settings")),
        )
        for notice in notices
    }


def _albums_moderated(notices: list[Notice]) -> dict[int, Words]:
    ids = {notice.subject_id for notice in notices}
    cards = {card.id: card for card in album_cards(select(Album).where(Album.id.in_(ids)))}
    said = {}
    for notice in notices:
        if card := cards.get(notice.subject_id or 0):
            count = int(notice.arguments.get("count", 1))
            line = moderated_line(count, notice.arguments["reason"], is_down=notice.arguments["is_down"])
            title, url = (card.title, card.studio_url) if count == 1 else (card.artists, "/studio/")
            said[notice.id] = Words("triangle-alert", line, title, url, None, has_cover=False)
    return said


def moderated_line(count: int, reason: str, *, is_down: bool) -> str:
    """What operators did with so many albums of an artist, in one sentence; in mails, too."""
    if not is_down:
        return str(ngettext("This album is back where it was.", "%(num)s albums are back where they were.", count))
    one = "The people who run this site took this album down: %(reason)s"
    many = "The people who run this site took %(num)s albums down: %(reason)s"
    return str(ngettext(one, many, count, reason=reason))


def decided_line(state: str) -> str:
    """What became of a report, in one sentence; in mails, too."""
    if state == "acted":
        return str(_("Thank you: we acted on your report."))
    return str(_("We read your report and left this as it is."))


def _reports_decided(notices: list[Notice]) -> dict[int, Words]:
    """Their words stand in the arguments: what was reported may be gone by now."""
    said = {}
    for notice in notices:
        state = notice.arguments["state"]
        said[notice.id] = Words(
            "circle-check",
            f"{decided_line(state)} {notice.arguments['words']}".strip(),
            notice.arguments["about"],
            "" if state == "acted" else notice.arguments["url"],
        )
    return said


WRITERS: dict[str, Writer] = {
    "new_release": _about_albums,
    "album_created": _about_albums,
    "album_published": _about_albums,
    "upload_finished": _about_albums,
    "upload_failed": _about_albums,
    "announcement": _announced,
    "invited_to_playlist": _invited,
    "playlist_changed": _playlists_changed,
    "picture_ready": _pictures,
    "album_moderated": _albums_moderated,
    "report_decided": _reports_decided,
}
"""Kind -> what writes its notices: every kind that may reach the page."""
