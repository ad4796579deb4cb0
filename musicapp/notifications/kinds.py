"""What people may be told of, where it reaches them unless they chose otherwise, and what they may choose.

To add a kind: its line here, its audience in audiences.py, its words (notices/ for pages, letters/ for mails) and a
handler that calls `telling.tell`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask_babel import lazy_gettext as _

OFF, NOW, DAILY, WEEKLY = "off", "now", "daily", "weekly"
PAGE, MAIL = "page", "mail"
"""Names of outlets: files in outlets/."""


@dataclass(frozen=True, slots=True)
class Kind:
    """`defaults`: outlet -> frequency. `choices`: outlet -> what may be chosen; an outlet not in it never tells."""

    name: str
    words: str
    group: str
    defaults: Mapping[str, str]
    choices: Mapping[str, tuple[str, ...]]
    for_artists: bool = False
    """Only people with a studio are asked about it."""
    only_when_away: bool = False
    """Mailed only to who had no page open when it happened: the others saw it."""


AT_ONCE_OR_DIGEST = {PAGE: (OFF, NOW), MAIL: (OFF, NOW, DAILY, WEEKLY)}
AT_ONCE = {PAGE: (OFF, NOW), MAIL: (OFF, NOW)}
DIGEST = {PAGE: (OFF, NOW), MAIL: (OFF, DAILY, WEEKLY)}
MAIL_ONLY = {MAIL: (OFF, NOW)}
MODERATED = {PAGE: (NOW,), MAIL: (OFF, NOW)}

_ALL = (
    Kind("new_release", _("New albums of artists you follow"), "music", {PAGE: NOW, MAIL: NOW}, AT_ONCE_OR_DIGEST),
    Kind("newsletter", _("New music, every morning"), "music", {MAIL: DAILY}, {MAIL: (OFF, DAILY)}),
    Kind("announcement", _("Announcements"), "music", {PAGE: NOW, MAIL: NOW}, AT_ONCE_OR_DIGEST),
    Kind("invited_to_playlist", _("Invitations to playlists"), "playlists", {PAGE: NOW, MAIL: NOW}, AT_ONCE),
    Kind("playlist_changed", _("Changes of playlists you make or follow"), "playlists", {PAGE: OFF, MAIL: OFF}, DIGEST),
    Kind("album_created", _("An album of yours was made"), "studio", {PAGE: NOW, MAIL: NOW}, AT_ONCE, True),
    Kind("album_published", _("An album of yours is public"), "studio", {PAGE: NOW, MAIL: NOW}, AT_ONCE, True),
    Kind("upload_finished", _("Uploads that are done"), "studio", {PAGE: NOW, MAIL: NOW}, AT_ONCE, True, True),
    Kind("upload_failed", _("Uploads that failed"), "studio", {PAGE: NOW, MAIL: NOW}, AT_ONCE, True, True),
    Kind("artist_inactive", _("A reminder when you have been silent"), "studio", {MAIL: NOW}, MAIL_ONLY, True),
    Kind("artist_figures", _("Your figures"), "studio", {MAIL: WEEKLY}, {MAIL: (OFF, WEEKLY)}, True),
    Kind("album_moderated", _("Albums of yours, taken down"), "studio", {PAGE: NOW, MAIL: NOW}, MODERATED, True),
    Kind("report_decided", _("What became of your reports"), "account", {PAGE: NOW, MAIL: NOW}, AT_ONCE),
    Kind("picture_ready", _("Pictures that are done"), "account", {PAGE: NOW}, {PAGE: (OFF, NOW)}),
)

KINDS: dict[str, Kind] = {kind.name: kind for kind in _ALL}
"""What one may choose about. Mails that an account needs (confirm, reset, new device) are not here: always sent."""

OWN_DOING = frozenset(
    ("album_created", "album_published", "upload_finished", "upload_failed", "album_moderated", "report_decided")
)
"""Kinds that answer something that their reader did here."""


def needs_confirmed_address(kind: str) -> bool:
    """Whether mails of the kind, or a digest, go to confirmed addresses only; another may be a stranger's.

    What an account needs is sent anyway, and so is what answers its owner's own doing.
    """
    return kind == "digest" or (kind in KINDS and kind not in OWN_DOING)


GROUPS: dict[str, str] = {
    "music": _("Music"),
    "playlists": _("Playlists"),
    "studio": _("Your studio"),
    "account": _("Your account"),
}
"""Name -> heading, in the preferences."""

FREQUENCIES: dict[str, str] = {OFF: _("Off"), NOW: _("At once"), DAILY: _("Daily"), WEEKLY: _("Weekly")}
