"""M3U8 (https://datatracker.ietf.org/doc/html/rfc8216 for the encoding, Winamp's tags for the rest) and JSPF
(https://www.xspf.org/jspf), written row by row."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from musicapp.playlists.exchange.lines import PlaylistWords

RECORDING = "https://musicbrainz.org/recording/"
TRACK_EXTENSION = "https://musicbrainz.org/doc/jspf#track"


class Row(Protocol):
    """What is written of a track: queries.ExportRow."""

    @property
    def track_id(self) -> int: ...
    @property
    def title(self) -> str: ...
    @property
    def artists(self) -> str: ...
    @property
    def album(self) -> str: ...
    @property
    def duration_ms(self) -> int | None: ...
    @property
    def isrc(self) -> str | None: ...
    @property
    def musicbrainz_recording_id(self) -> str | None: ...


def write_m3u8(words: PlaylistWords, rows: Iterable[Row], site_url: str) -> Iterator[str]:
    """Line by line. Seconds are -1 where nobody knows the length yet."""
    yield "#EXTM3U\n"
    yield f"#PLAYLIST:{_one_line(words.name)}\n"
    for row in rows:
        seconds = -1 if row.duration_ms is None else round(row.duration_ms / 1000)
        yield f"#EXTINF:{seconds},{_one_line(row.artists)} - {_one_line(row.title)}\n"
        if row.album:
            yield f"#EXTALB:{_one_line(row.album)}\n"
        yield f"{_track_url(site_url, row.track_id)}\n"


def write_jspf(words: PlaylistWords, rows: Iterable[Row], site_url: str) -> Iterator[str]:
    """One JSON document, track by track."""
    head = {
        "title": words.name,
        "creator": words.owner,
        "annotation": words.description or None,
        "identifier": words.url,
    }
    opening = json.dumps({name: value for name, value in head.items() if value}, ensure_ascii=False)
    yield f'{{"playlist": {opening[:-1]}, "track": [\n'
    before = ""
    for row in rows:
        yield before + json.dumps(_jspf_track(row, site_url), ensure_ascii=False)
        before = ",\n"
    yield "\n]}}\n"


def _jspf_track(row: Row, site_url: str) -> dict[str, Any]:
    track: dict[str, Any] = {
        "location": [_track_url(site_url, row.track_id)],
        "title": row.title,
        "creator": row.artists,
        "album": row.album,
    }
    if row.duration_ms is not None:
        track["duration"] = row.duration_ms
    if row.musicbrainz_recording_id:
        track["identifier"] = [RECORDING + row.musicbrainz_recording_id]
    if row.isrc:
        track["extension"] = {TRACK_EXTENSION: {"additional_metadata": {"isrc": row.isrc}}}
    return track


def _track_url(site_url: str, track_id: int) -> str:
    return f"{site_url}/tracks/{track_id}"


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())
