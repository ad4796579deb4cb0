"""What people type into the studio, checked: values, or words that stand beside the field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from flask_babel import gettext as _
from werkzeug.datastructures import FileStorage, MultiDict

from musicapp.catalog.models import ALBUM_KINDS
from musicapp.catalog.services.credits import JOIN_LIMIT, NAME_LIMIT, ROLES, NewCredit
from musicapp.catalog.text import clean_line, clean_text

MAX_PICTURE_BYTES = 20 * 1024**2
MAX_REQUEST_BYTES = MAX_PICTURE_BYTES + 2 * 1024**2
"""Where reading a form with a picture stops; what is only a little too large still gets its words beside the field."""
_MOST_CREDITS = 50


@dataclass(slots=True)
class Form:
    """Values by field name and errors by field name; valid where there are none."""

    values: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        return not self.errors


def _line(form: Form, sent: Mapping[str, str], name: str, limit: int, required: str = "") -> str:
    typed = clean_line(sent.get(name, ""), limit + 1)
    form.values[name] = typed
    if required and not typed:
        form.errors[name] = required
    elif len(typed) > limit:
        form.errors[name] = _("Please keep this under %(limit)s characters.", limit=limit + 1)
    return typed


def _number(form: Form, sent: Mapping[str, str], name: str, most: int) -> int | None:
    typed = sent.get(name, "").strip()
    form.values[name] = typed[:20]
    if not typed:
        return None
    if not (typed.isascii() and typed.isdecimal() and len(typed) < 10 and 1 <= int(typed) <= most):
        form.errors[name] = _("Write a whole number from 1 to %(most)s.", most=most)
        return None
    return int(typed)


def _day(form: Form, sent: Mapping[str, str], name: str) -> date | None:
    typed = sent.get(name, "").strip()
    form.values[name] = typed[:20]
    if not typed:
        return None
    try:
        return date.fromisoformat(typed)
    except ValueError:
        form.errors[name] = _("Write the date as year-month-day, like 2026-03-31.")
        return None


def artist_form(sent: Mapping[str, str]) -> Form:
    """name, bio."""
    form = Form()
    _line(form, sent, "name", NAME_LIMIT, required=_("Under which name do you publish?"))
    form.values["bio"] = clean_text(sent.get("bio", ""), 10_000)
    return form


@dataclass(slots=True)
class AlbumForm(Form):
    """An album's own fields; `release_on` and `genres` are the parsed forms of what stands in values."""

    release_on: date | None = None
    genres: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> dict[str, Any]:
        """What create_album and update_album take."""
        return {
            "title": self.values["title"],
            "kind": self.values["kind"],
            "release_on": self.release_on,
            "genres": self.genres,
            "description": self.values["description"],
        }


def album_form(sent: Mapping[str, str]) -> AlbumForm:
    """title, kind, release_on, genres (joined by commas), description."""
    form = AlbumForm()
    _line(form, sent, "title", 300, required=_("Please give the album a title."))
    form.values["kind"] = sent.get("kind", "album")
    if form.values["kind"] not in ALBUM_KINDS:
        form.errors["kind"] = _("Choose one of the kinds.")
    form.release_on = _day(form, sent, "release_on")
    typed = clean_line(sent.get("genres", ""), 1000)
    form.values["genres"] = typed
    form.genres = [name for part in typed.replace(";", ",").split(",") if (name := part.strip())]
    if len(form.genres) > 10:
        form.errors["genres"] = _("Ten genres are the most an album can have.")
    elif any(len(name) > 80 for name in form.genres):
        form.errors["genres"] = _("Put a comma between the genres; one has at most 80 characters.")
    form.values["description"] = clean_text(sent.get("description", ""), 10_000)
    return form


def credit_rows(sent: MultiDict[str, str]) -> list[NewCredit]:
    """The rows of the credits table: fields credit_name, credit_join, credit_role, repeated. Rows without a name go."""
    names, joins = sent.getlist("credit_name"), sent.getlist("credit_join")
    roles = sent.getlist("credit_role")
    rows = []
    for index, name in enumerate(names[:_MOST_CREDITS]):
        role = roles[index] if index < len(roles) else "performer"
        join = joins[index] if index < len(joins) else ""
        if line := clean_line(name, NAME_LIMIT):
            rows.append(NewCredit(line, _spaced(join), role if role in ROLES else "performer"))
    return rows


def _spaced(join: str) -> str:
    """What stands between two names: "," wants a space after it, words one on each side."""
    words = clean_line(join, JOIN_LIMIT - 2)
    if not words:
        return ", "
    return f"{words} " if words in {",", ";"} else f" {words} "


@dataclass(slots=True)
class TrackForm(Form):
    """A track's tags and credits."""

    disc_number: int = 1
    track_number: int | None = None
    credits: list[NewCredit] = field(default_factory=list)

    @property
    def arguments(self) -> dict[str, Any]:
        """What update_track takes."""
        words = ("title", "isrc", "genre", "recorded_on", "lyrics", "synced_lyrics")
        return {
            **{name: self.values[name] for name in words},
            "credits": self.credits,
            "disc_number": self.disc_number,
            "track_number": self.track_number,
        }


def track_form(sent: MultiDict[str, str]) -> TrackForm:
    """title, disc_number, track_number, isrc, genre, recorded_on, lyrics, synced_lyrics and the credits table."""
    form = TrackForm()
    _line(form, sent, "title", 500, required=_("Please give the track a title."))
    form.disc_number = _number(form, sent, "disc_number", 99) or 1
    form.track_number = _number(form, sent, "track_number", 9999)
    _line(form, sent, "genre", 200)
    isrc = sent.get("isrc", "").replace("-", "").replace(" ", "").upper()
    form.values["isrc"] = isrc[:20]
    if isrc and not (
        len(isrc) == 12 and isrc.isascii() and isrc.isalnum() and isrc[:2].isalpha() and isrc[5:].isdecimal()
    ):
        form.errors["isrc"] = _("An ISRC has 12 characters: two letters, three letters or digits, seven digits.")
    form.values["recorded_on"] = sent.get("recorded_on", "").strip()[:20]
    if not _is_partial_date(form.values["recorded_on"]):
        form.errors["recorded_on"] = _("Write a year, a month or a day: 2026, 2026-03 or 2026-03-31.")
    for name in ("lyrics", "synced_lyrics"):
        form.values[name] = clean_text(sent.get(name, ""), 100_000)
    form.credits = credit_rows(sent)
    return form


def _is_partial_date(text: str) -> bool:
    if not text:
        return True
    try:
        date.fromisoformat(text + "-01-01"[len(text) - 4 :] if len(text) in {4, 7} else text)
    except ValueError:
        return False
    return len(text) in {4, 7, 10}


def picture_error(picture: FileStorage | None) -> str:
    """Words for a picture that need not be looked at closer; "" for none at all or one worth a look.

    Only the size and the first bytes: whether it can be drawn is found out by a job.
    """
    if picture is None or not is_sent(picture):
        return ""
    stream = picture.stream
    size_bytes = stream.seek(0, 2)
    stream.seek(0)
    head = stream.read(16)
    stream.seek(0)
    if size_bytes > MAX_PICTURE_BYTES:
        return str(_("This picture is larger than 20 MB. Choose a smaller one."))
    if picture_suffix(head) is None:
        return str(_("This is not a picture we can read. Choose a JPEG, PNG, WebP, GIF or AVIF file."))
    return ""


def is_sent(picture: FileStorage | None) -> bool:
    """True where a file was chosen: browsers send an empty one otherwise."""
    return picture is not None and bool(picture.filename)


def picture_suffix(head: bytes) -> str | None:
    """The file name's end for what the first 12 bytes say, or None for what is no picture."""
    if head.startswith(b"\xff\xd8\xff"):
        return ".jpg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return ".png"
    if head.startswith((b"GIF87a", b"GIF89a")):
        return ".gif"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return ".webp"
    if head[4:12] in {b"ftypavif", b"ftypavis"}:
        return ".avif"
    return None
