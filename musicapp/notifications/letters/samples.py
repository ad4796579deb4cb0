"""A sample of each mail for the preview, filled with albums of the site or, where it is empty, with made-up ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from musicapp.catalog.queries import AlbumCard
from musicapp.notifications.kinds import KINDS
from musicapp.notifications.letters.digest import Group
from musicapp.notifications.letters.music import COVER_PX, album_line
from musicapp.notifications.letters.writing import (
    Line,
    Written,
    can_be_chosen,
    cover_of,
    fill,
    paragraphs_of,
    site_url,
)
from musicapp.notifications.notices.words import decided_line, moderated_line
from musicapp.stats.queries import Figure, WeekOfArtist

AT = datetime(2026, 11, 20, 8, 14, tzinfo=UTC)
WORDS = """After two years in a cellar without a window, the new record is done. It is called Tidal Rooms.

Before that we play it once from beginning to end, in the old swimming hall. Bring a towel. Tickets:
https://tickets.example/hall?night=1"""


@dataclass(frozen=True, slots=True)
class Sample:
    """What the preview shows of a kind. `key` stands in its address; `context` is what its templates need."""

    key: str
    words: Any
    kind: str
    context: Mapping[str, Any] = field(default_factory=dict)


def fill_sample(sample: Sample, *, name: str, locale: str, time_zone: str) -> Written:
    """The mail as this reader would get it. Its links lead nowhere in particular: no token stands in them."""
    link = site_url("/unsubscribe/…") if can_be_chosen(sample.kind) else ""
    return fill(sample.kind, name=name, locale=locale, time_zone=time_zone, unsubscribe_link=link, **sample.context)


def samples(albums: Sequence[AlbumCard] = ()) -> dict[str, Sample]:
    """Key -> sample, in the order of a person's life here. `albums` are the newest of the site."""
    cards = [*albums, *_made_up()][:6]
    first = cards[0]
    album = {
        "title": first.title,
        "artist_name": first.artists,
        "cover": cover_of(first.title, first.picture, COVER_PX),
        "link": site_url(first.url),
    }
    uploads = {**album, "is_published": False, "count": 12, "ready_count": 9, "files": [], "more_count": 0}
    all_samples = (
        *_account(),
        Sample("album_created", _kind("album_created"), "album_created", {**album, "is_published": False}),
        Sample(
            "album_published",
            _kind("album_published"),
            "album_published",
            {**album, "announce_link": site_url("/studio/announcements/new")},
        ),
        Sample("upload_finished", _kind("upload_finished"), "upload_finished", uploads),
        Sample("upload_failed", _kind("upload_failed"), "upload_failed", {**uploads, **_failed_files()}),
        Sample(
            "artist_inactive",
            _kind("artist_inactive"),
            "artist_inactive",
            {"artist_name": first.artists, "title": first.title, "days": 31, "link": site_url("/studio/")},
        ),
        Sample("artist_figures", _kind("artist_figures"), "artist_figures", _figures(cards)),
        Sample("new_release", _kind("new_release"), "new_release", {**album, "kind": first.kind}),
        Sample("newsletter", _kind("newsletter"), "newsletter", _newsletter(cards)),
        Sample("announcement", _l("Announcement of an artist"), "announcement", _announcement(first.artists)),
        Sample("announcement-all", _l("Announcement to everybody"), "announcement", _announcement("")),
        Sample(
            "invited_to_playlist",
            _kind("invited_to_playlist"),
            "invited_to_playlist",
            {
                "title": _("Slow mornings"),
                "invited_by": "Charlie",
                "may_edit": True,
                "until": AT,
                "cover": cover_of(_("Slow mornings"), None),
                "link": site_url("/playlists/invitations/…"),
            },
        ),
        *_moderation(album),
        Sample("playlist_changed", _kind("playlist_changed"), "digest", _digest([_playlists()], is_weekly=False)),
        Sample("digest-daily", _l("Daily digest"), "digest", _digest(_groups(cards), is_weekly=False)),
        Sample("digest-weekly", _l("Weekly digest"), "digest", _digest(_groups(cards), is_weekly=True)),
    )
    return {sample.key: sample for sample in all_samples}


def _moderation(album: Mapping[str, Any]) -> tuple[Sample, ...]:
    reason = _("Two of its tracks are somebody else's recordings.")
    down = {**album, "count": 1, "is_down": True, "reason": reason, "line": moderated_line(1, reason, is_down=True)}
    back = {**down, "is_down": False, "line": moderated_line(1, "", is_down=False)}
    decided = {"about": album["title"], "line": decided_line("acted"), "words": reason, "link": ""}
    return (
        Sample("album_taken_down", _l("An album was taken down"), "album_moderated", down),
        Sample("album_given_back", _l("An album was given back"), "album_moderated", back),
        Sample("report_decided", _kind("report_decided"), "report_decided", decided),
    )


def _kind(name: str) -> Any:
    return KINDS[name].words


def _account() -> tuple[Sample, ...]:
    confirm = {"link": site_url("/confirm/…"), "days": 7}
    return (
        Sample("welcome", _l("Welcome, and confirm the address"), "confirm_address", {**confirm, "is_change": False}),
        Sample("confirm_address", _l("Confirm a new address"), "confirm_address", {**confirm, "is_change": True}),
        Sample("email_changed", _l("The address was changed"), "email_changed", {"new_email": "new@example.org"}),
        Sample(
            "reset_password", _l("Choose a new password"), "reset_password", {"link": site_url("/reset/…"), "hours": 2}
        ),
        Sample(
            "new_device",
            _l("New device signed in"),
            "new_device",
            {
                "device": "Firefox on Linux",
                "at": AT,
                "ip_address": "2001:db8::7334",
                "link": site_url("/settings#devices"),
            },
        ),
    )


def _made_up() -> list[AlbumCard]:
    names = (
        ("Tidal Rooms", "The Auroras", "album"),
        ("Über den Wolken und immer weiter", "Ala & Söhne", "ep"),
        ("空の上", "青い鳥", "single"),
        ("Slow Light", "Nadia Okafor feat. Ben Ruiz", "album"),
        ("Kelp", "Low Tide", "album"),
        ("Ninety-nine Bridges", "The Auroras", "single"),
    )
    return [
        AlbumCard(number, title, kind, artists, number, date(2026, 11, 20), AT, None, None)
        for number, (title, artists, kind) in enumerate(names, 1)
    ]


def _failed_files() -> dict[str, Any]:
    files = [
        ("03 Low Tide.flac", _("The file ends in the middle. Send it again.")),
        ("cover.psd", _("This is no audio file.")),
    ]
    return {"files": files, "count": len(files)}


def _figures(cards: Sequence[AlbumCard]) -> dict[str, Any]:
    tops = tuple((card.title, 412 - 90 * place) for place, card in enumerate(cards[:4]))
    week = WeekOfArtist(1, cards[0].artists, Figure(1284, 960), Figure(311, 340), Figure(24, 9), Figure(57, 57), tops)
    return {
        "weeks": [week],
        "from_day": date(2026, 11, 9),
        "to_day": date(2026, 11, 15),
        "link": site_url("/studio/"),
    }


def _newsletter(cards: Sequence[AlbumCard]) -> dict[str, Any]:
    return {
        "first": cards[0],
        "count": len(cards),
        "followed": [album_line(card) for card in cards[:2]],
        "others": [album_line(card) for card in cards[2:]],
    }


def _announcement(artist_name: str) -> dict[str, Any]:
    return {
        "title": _("One night in the swimming hall"),
        "words": WORDS,
        "paragraphs": paragraphs_of(WORDS),
        "artist_name": artist_name,
        "link": site_url("/artists/1") if artist_name else site_url("/"),
    }


def _playlists() -> Group:
    lines = (
        Line(
            _("Slow mornings"),
            site_url("/playlists/1"),
            cover_of(_("Slow mornings"), None),
            (_("Charlie: added 2 tracks"), "Kelp – Low Tide", "Slow Light – Nadia Okafor"),
        ),
    )
    return Group(str(KINDS["playlist_changed"].words), lines)


def _groups(cards: Sequence[AlbumCard]) -> list[Group]:
    releases = Group(str(KINDS["new_release"].words), tuple(album_line(card) for card in cards[:3]))
    said = Line(
        _("One night in the swimming hall"),
        site_url("/announcements/1"),
        cover_of(cards[0].artists, None),
        (cards[0].artists,),
    )
    return [releases, Group(str(KINDS["announcement"].words), (said,)), _playlists()]


def _digest(groups: list[Group], *, is_weekly: bool) -> dict[str, Any]:
    return {"groups": groups, "count": sum(len(group.lines) for group in groups), "is_weekly": is_weekly}
