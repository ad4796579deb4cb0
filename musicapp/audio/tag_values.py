"""Tag values made safe and uniform: text cleaned and bounded, numbers and dates understood."""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from musicapp.audio.facts import AudioTags, EmbeddedCover

RawTags = Mapping[str, Sequence[str]]
"""Values by canonical key; the keys are those of `build_tags`."""

_MAX_TEXT_CHARS = 500
_MAX_LONG_TEXT_CHARS = 100_000
_MAX_VALUES = 50
# A name that turns the reading direction can make a page say something else than it stores.
_DIRECTION_OVERRIDES = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}\d{7}")
_DATE = re.compile(r"(?<!\d)(\d{4})(?:([-/.]?)(\d{2})(?:\2(\d{2}))?)?(?!\d)")
_YEAR = re.compile(r"(?<!\d)([12]\d{3})(?!\d)")
_NUMBER = re.compile(r"\s*[A-Za-z]?\s*0*(\d{1,4})\s*(?:(?:/|of)\s*0*(\d{1,4}))?\s*$")
_DECIBELS = re.compile(r"\s*([+-]?\d+(?:[.,]\d+)?)\s*(?:dB)?\s*$", re.IGNORECASE)
_LRC_LINE = re.compile(r"^\s*(?:\[\d{1,3}:\d{2}(?:[.:]\d{1,3})?\]\s*)+", re.MULTILINE)


def build_tags(raw: RawTags, cover: EmbeddedCover | None = None) -> AudioTags:
    """Return tags from canonical keys: title, artist, album, albumartist, tracknumber, tracktotal,
    discnumber, date, genre, isrc, musicbrainz_{recording,track,release,artist}_id, lyrics,
    syncedlyrics, replaygain_track_gain, replaygain_track_peak, comment. What can't be understood is
    left out; nothing is raised for a value.
    """
    track_number, track_count = number_and_count(_first(raw, "tracknumber"))
    lyrics = clean_long_text(_first(raw, "lyrics"))
    synced = clean_long_text(_first(raw, "syncedlyrics"))
    if lyrics and is_lrc(lyrics):
        synced, lyrics = synced or lyrics, clean_long_text(_LRC_LINE.sub("", lyrics))
    return AudioTags(
        title=clean_text(_first(raw, "title")),
        artists=_texts(raw, "artist"),
        album=clean_text(_first(raw, "album")),
        album_artists=_texts(raw, "albumartist"),
        track_number=track_number,
        track_count=track_count or number_and_count(_first(raw, "tracktotal"))[0],
        disc_number=number_and_count(_first(raw, "discnumber"))[0],
        date=normalise_date(_first(raw, "date")),
        genres=_texts(raw, "genre"),
        isrc=_isrc(_first(raw, "isrc")),
        musicbrainz_recording_id=_uuid(_first(raw, "musicbrainz_recording_id")),
        musicbrainz_track_id=_uuid(_first(raw, "musicbrainz_track_id")),
        musicbrainz_release_id=_uuid(_first(raw, "musicbrainz_release_id")),
        musicbrainz_artist_ids=_unique(
            _uuid(part) for value in raw.get("musicbrainz_artist_id", ())[:_MAX_VALUES]
            for part in re.split(r"[/;,\s]+", value[:_MAX_TEXT_CHARS])
        ),
        lyrics=lyrics,
        synced_lyrics=synced,
        replaygain_track_gain_db=_bounded(_first(raw, "replaygain_track_gain"), 60),
        replaygain_track_peak=_bounded(_first(raw, "replaygain_track_peak"), 100),
        comment=clean_text(_first(raw, "comment")),
        cover=cover,
    )  # fmt: skip


def clean_text(value: str | None) -> str | None:
    """Return one line of at most 500 characters, or None if nothing is left."""
    if not value:
        return None
    text = _clean(value[: 4 * _MAX_TEXT_CHARS], keep="")
    return " ".join(text.split())[:_MAX_TEXT_CHARS].strip() or None


def clean_long_text(value: str | None) -> str | None:
    """Return lines, at most 100,000 characters, or None if nothing is left."""
    if not value:
        return None
    text = value[:_MAX_LONG_TEXT_CHARS].replace("\r\n", "\n").replace("\r", "\n")
    return _clean(text, keep="\n")[:_MAX_LONG_TEXT_CHARS].strip() or None


def _clean(text: str, keep: str) -> str:
    text = text.encode("utf-8", "replace").decode("utf-8")  # lone surrogates
    text = "".join(
        character if character in keep or unicodedata.category(character) != "Cc" else " "
        for character in text.replace("\0", "")
    )
    return unicodedata.normalize("NFC", text.translate(_DIRECTION_OVERRIDES))


def number_and_count(value: str | None) -> tuple[int | None, int | None]:
    """Understand "3", "03", "3/12", "3 of 12", and "A1" of a record's side A (its side is lost)."""
    match = _NUMBER.match(value[:50]) if value else None
    if match is None:
        return None, None
    number, count = int(match[1]), int(match[2] or 0)
    return number or None, count or None


def normalise_date(value: str | None) -> str | None:
    """Return YYYY, YYYY-MM or YYYY-MM-DD, as precise as the text is; None if no year is in it."""
    if not value:
        return None
    text = value.strip()[:50]
    match = _DATE.match(text)
    if match and int(match[1]) >= 1000:
        year, _, month, day = match.groups()
        if month and 1 <= int(month) <= 12:
            return f"{year}-{month}-{day}" if day and 1 <= int(day) <= 31 else f"{year}-{month}"
        return str(year)
    match = _YEAR.search(text)
    return match[1] if match else None


def is_lrc(text: str) -> bool:
    return len(_LRC_LINE.findall(text[:10_000])) >= 2


def _first(raw: RawTags, key: str) -> str | None:
    return next((value for value in raw.get(key, ()) if value.strip("\0 \t\r\n")), None)


def _texts(raw: RawTags, key: str) -> tuple[str, ...]:
    return _unique(clean_text(value) for value in raw.get(key, ())[:_MAX_VALUES])


def _unique(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(value for value in values if value))[:_MAX_VALUES]


def _uuid(value: str | None) -> str | None:
    match = _UUID.fullmatch(value.strip("\0 \n").lower()) if value else None
    return match[0] if match else None


def _isrc(value: str | None) -> str | None:
    match = _ISRC.fullmatch(re.sub(r"[\s\0-]", "", value[:50]).upper()) if value else None
    return match[0] if match else None


def _bounded(value: str | None, limit: float) -> float | None:
    match = _DECIBELS.match(value[:50]) if value else None
    number = float(match[1].replace(",", ".")) if match else None
    return number if number is not None and abs(number) <= limit else None
