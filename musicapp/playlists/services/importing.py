"""Playlist files become playlists: each line is looked for among what the user may see."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy import ColumnElement, select

from musicapp.audio.filenames import title_from_filename
from musicapp.catalog.models import Album, Track
from musicapp.catalog.queries.rights import sees
from musicapp.catalog.queries.rows import Credit, credits_of_tracks, line_of
from musicapp.catalog.text import fold
from musicapp.core.db import LARGEST_ID, db
from musicapp.core.settings import setting
from musicapp.playlists.exchange import FileLine, read_playlist_file
from musicapp.playlists.models import Playlist
from musicapp.playlists.queries.batches import in_batches
from musicapp.playlists.services.entries import visible_ids
from musicapp.playlists.services.playlists import create_playlist

FOLDED_LIMIT = 1_000
_TRACK_PATH = re.compile(r"(?:https?://[^/]+)?/tracks/(\d{1,10})/?", re.IGNORECASE)
_DASH = re.compile(r"\s+[-–—]\s+")


@dataclass(frozen=True, slots=True)
class MissedLine:
    """A line whose track isn't here, or not for this user."""

    number: int
    words: str
    """What the file calls it."""
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What came of a file."""

    playlist: Playlist | None
    """None where no line matched: an empty playlist helps nobody."""
    matched_count: int
    missed: tuple[MissedLine, ...]


def import_playlist(user_id: int, content: bytes, filename: str = "", *, name: str = "") -> Imported:
    """Makes a private playlist of a file; `name` goes before the file's own. Raises ExchangeError."""
    file = read_playlist_file(content, filename, most_lines=setting("PLAYLIST_MAX_TRACKS"))
    track_ids, missed = match_lines(file.lines, user_id)
    if not track_ids:
        return Imported(None, 0, missed)
    playlist = create_playlist(
        user_id, name.strip() or file.name or "Imported playlist", file.description, "private", track_ids
    )
    return Imported(playlist, len(track_ids), missed)


def match_lines(lines: Sequence[FileLine], user_id: int | None) -> tuple[list[int], tuple[MissedLine, ...]]:
    """Track ids in the file's order, and the lines that found none.

    A line is found by our own address, else by MusicBrainz recording or ISRC, else by artist and title without
    case and accents. Statements run per few thousand lines, never per line.
    """
    found = _by_address(lines, user_id)
    for column, of_line in (
        (Track.musicbrainz_recording_id, lambda line: line.musicbrainz_recording_id),
        (Track.isrc, lambda line: line.isrc),
    ):
        found |= _by_identifier([line for line in lines if line.number not in found], column, of_line, user_id)
    found |= _by_names([line for line in lines if line.number not in found], user_id)
    missed = tuple(MissedLine(line.number, line.words, _reason(line)) for line in lines if line.number not in found)
    return [found[line.number] for line in lines if line.number in found], missed


def _reason(line: FileLine) -> str:
    if not any(title for _, title in _names(line)):
        return "The line names no track."
    return "No track of this name by this artist is here."


def _by_address(lines: Sequence[FileLine], user_id: int | None) -> dict[int, int]:
    """Line number -> track id, for addresses of this site."""
    own_host = urlsplit(setting("SITE_URL")).netloc
    named: dict[int, int] = {}
    for line in lines:
        match = _TRACK_PATH.fullmatch(line.address.split("?", 1)[0].split("#", 1)[0])
        if match and _host(line.address) in ("", own_host) and int(match[1]) <= LARGEST_ID:
            named[line.number] = int(match[1])
    visible = visible_ids(set(named.values()), user_id)
    return {number: id_ for number, id_ in named.items() if id_ in visible}


def _host(address: str) -> str:
    try:
        return urlsplit(address).netloc
    except ValueError:
        return "?"


def _by_identifier(lines: Sequence[FileLine], column: Any, of_line: Any, user_id: int | None) -> dict[int, int]:
    wanted = {of_line(line) for line in lines} - {None}
    ids: dict[str, int] = {}
    for batch in in_batches(wanted):
        rows = db.session.execute(_visible(column.in_(batch), user_id, column).order_by(Track.id.desc()))
        ids.update({row[1]: row[0] for row in rows})  # the oldest of several wins
    return {line.number: ids[of_line(line)] for line in lines if of_line(line) in ids}


def _visible(condition: ColumnElement[bool], user_id: int | None, *columns: Any) -> Any:
    return (
        select(Track.id, *columns)
        .join(Album, Album.id == Track.album_id)
        .where(condition, Track.deleted_at.is_(None), Album.deleted_at.is_(None), sees(user_id))
    )


@dataclass(frozen=True, slots=True)
class _Candidate:
    id: int
    duration_ms: int | None
    artists: frozenset[str]


def _by_names(lines: Sequence[FileLine], user_id: int | None) -> dict[int, int]:
    titles = {title for line in lines for _, title in _names(line) if title}
    by_title: dict[str, list[_Candidate]] = {}
    for batch in in_batches(titles):
        condition = Track.search_text.in_(batch)
        rows = db.session.execute(_visible(condition, user_id, Track.search_text, Track.duration_ms)).all()
        credits: dict[int, list[Credit]] = {}
        for ids in in_batches(row.id for row in rows):
            credits |= credits_of_tracks(ids)
        for row in rows:
            artists = _artists(credits.get(row.id, []))
            by_title.setdefault(row.search_text, []).append(_Candidate(row.id, row.duration_ms, artists))
    found = {line.number: _best(line, by_title) for line in lines}
    return {number: id_ for number, id_ in found.items() if id_ is not None}


def _artists(credits: list[Credit]) -> frozenset[str]:
    """What a file may call them: the whole line, or one of the names."""
    performers = [credit.name for credit in credits if credit.role == "performer"]
    return frozenset(fold(name, FOLDED_LIMIT) for name in (line_of(credits), *performers))


def _best(line: FileLine, by_title: dict[str, list[_Candidate]]) -> int | None:
    for artist, title in _names(line):
        candidates = by_title.get(title, [])
        if artist:
            candidates = [one for one in candidates if artist in one.artists]
        elif len({one.artists for one in candidates}) > 1:
            continue  # several artists have a track of this name, and nothing says whose is meant
        if candidates:
            return min(candidates, key=lambda one: (abs((one.duration_ms or 0) - (line.duration_ms or 0)), one.id)).id
    return None


def _names(line: FileLine) -> Iterator[tuple[str, str]]:
    """(artist, title), both folded, the likeliest reading first. A hyphen may also belong to either of them."""
    if line.title:
        yield fold(line.artist, FOLDED_LIMIT), fold(line.title, FOLDED_LIMIT)
        return
    label = line.label or (title_from_filename(unquote(line.address)) if line.address else "")
    if line.artist:
        yield fold(line.artist, FOLDED_LIMIT), fold(label, FOLDED_LIMIT)
    parts = _DASH.split(label)
    for at in range(1, min(len(parts), 6)):
        yield fold(" - ".join(parts[:at]), FOLDED_LIMIT), fold(" - ".join(parts[at:]), FOLDED_LIMIT)
    yield "", fold(label, FOLDED_LIMIT)
