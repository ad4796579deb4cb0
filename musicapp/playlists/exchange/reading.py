"""Reads M3U, M3U8 and JSPF as they come: with and without byte order mark, from Windows, half broken.

Own and small: the M3U libraries on PyPI read HLS streams, and those for XSPF read XML only.
"""

from __future__ import annotations

import json
import re
from pathlib import PureWindowsPath
from typing import Any

from musicapp.playlists.errors import ExchangeError
from musicapp.playlists.exchange.lines import FileLine, PlaylistFile
from musicapp.playlists.exchange.writing import RECORDING

MAX_BYTES = 5 * 1024**2
MAX_TEXT = 1_000
"""Characters of one field. Longer ones are cut: nobody's title is."""

_EXTINF = re.compile(r"#EXTINF:\s*(-?\d+(?:\.\d+)?)?[^,]*,?(.*)", re.IGNORECASE)
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ISRC = re.compile(r"[A-Z]{2}[A-Z0-9]{3}[0-9]{7}")
_LONGEST_MS = 7 * 24 * 3600 * 1000


def read_playlist_file(content: bytes, filename: str = "", *, most_lines: int = 10_000) -> PlaylistFile:
    """What a file says. Raises ExchangeError, with what to do, for one that is too large or no playlist."""
    if len(content) > MAX_BYTES:
        raise ExchangeError("This file is larger than 5 MB. A playlist file holds names and addresses, no music.")
    text = _text_of(content)
    is_json = text.lstrip().startswith("{")
    found = _read_jspf(text) if is_json else _read_m3u(text)
    if len(found.lines) > most_lines:
        raise ExchangeError(f"This file names more than {most_lines:,} tracks. Split it into several playlists.")
    if not found.lines:
        raise ExchangeError("There is no track in this file. Choose an M3U, M3U8 or JSPF file with at least one.")
    if found.name:
        return found
    return PlaylistFile(PureWindowsPath(filename).stem[:MAX_TEXT], found.description, found.lines)


def _text_of(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        # Plain M3U has no encoding of its own; what old players wrote is Latin-1 as often as not.
        text = content.decode("latin-1")
    if "\x00" in text:
        raise ExchangeError("This isn't a playlist file. Choose an M3U, M3U8 or JSPF file.")
    return text


def _read_m3u(text: str) -> PlaylistFile:
    name = ""
    lines: list[FileLine] = []
    pending: dict[str, Any] = {}

    def end(address: str) -> None:
        if pending or address:
            lines.append(FileLine(number=len(lines) + 1, address=address, **pending))
            pending.clear()

    # Not splitlines(): it also splits at characters that titles have.
    for raw in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        line = raw.strip()
        tag = line[:10].upper()
        if tag.startswith("#EXTINF:"):
            end("")
            pending.update(_read_extinf(line))
        elif tag.startswith("#PLAYLIST:"):
            name = name or line[10:].strip()[:MAX_TEXT]
        elif tag.startswith("#EXTART:"):
            pending["artist"] = line[8:].strip()[:MAX_TEXT]
        elif line and not line.startswith("#"):
            end(line[:MAX_TEXT])
    end("")
    return PlaylistFile(name, "", tuple(lines))


def _read_extinf(line: str) -> dict[str, Any]:
    match = _EXTINF.match(line)
    if match is None:
        return {}
    seconds = float(match[1] or -1)
    return {"label": match[2].strip()[:MAX_TEXT], "duration_ms": _length_ms(seconds * 1000)}


def _length_ms(value: Any) -> int | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return round(value) if is_number and 0 < value < _LONGEST_MS else None


def _read_jspf(text: str) -> PlaylistFile:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ExchangeError("This JSPF file is broken: it isn't JSON. Export it again, or choose another.") from None
    playlist = document.get("playlist") if isinstance(document, dict) else None
    tracks = playlist.get("track", []) if isinstance(playlist, dict) else None
    if not isinstance(playlist, dict) or not isinstance(tracks, list):
        raise ExchangeError("This JSON file isn't a JSPF playlist. Choose a JSPF, M3U or M3U8 file.")
    return PlaylistFile(
        _word(playlist.get("title")),
        _word(playlist.get("annotation"), 10_000),
        tuple(_read_jspf_track(track, number) for number, track in enumerate(tracks, 1)),
    )


def _read_jspf_track(track: Any, number: int) -> FileLine:
    if not isinstance(track, dict):
        return FileLine(number)
    identifiers = [*_words(track.get("identifier")), *_words(track.get("location"))]
    return FileLine(
        number=number,
        address=next(iter(_words(track.get("location"))), ""),
        title=_word(track.get("title")),
        artist=_word(track.get("creator")),
        duration_ms=_length_ms(track.get("duration")),
        isrc=_isrc([*identifiers, *_metadata_isrc(track.get("extension"))]),
        musicbrainz_recording_id=next(
            (
                match[0].lower()
                for word in identifiers
                if word.startswith((RECORDING, RECORDING.replace("https:", "http:"))) and (match := _UUID.search(word))
            ),
            None,
        ),
    )


def _metadata_isrc(extension: Any) -> list[str]:
    parts = extension.values() if isinstance(extension, dict) else ()
    found: list[str] = []
    for part in parts:
        metadata = part.get("additional_metadata") if isinstance(part, dict) else None
        if isinstance(metadata, dict):
            found += _words(metadata.get("isrc"))
    return found


def _isrc(words: list[str]) -> str | None:
    for word in words:
        bare = word.rsplit(":", 1)[-1].replace("-", "").strip().upper()
        if _ISRC.fullmatch(bare):
            return bare
    return None


def _word(value: Any, limit: int = MAX_TEXT) -> str:
    if not isinstance(value, str):
        return ""
    # JSON can spell half a character ("\ud800") and NUL, which databases don't take.
    return value[: 2 * limit].encode(errors="replace").decode().replace("\0", "").strip()[:limit]


def _words(value: Any) -> list[str]:
    """One string or several: files have both."""
    values = value if isinstance(value, list) else [value]
    return [word for one in values if (word := _word(one))]
