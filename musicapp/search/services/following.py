"""The index follows the catalog and the people: each function makes it say what is true now of one thing."""

from __future__ import annotations

from collections.abc import Collection

from musicapp.search.queries import subjects
from musicapp.search.services.entries import drop_entries, put_entries
from musicapp.search.sources import NewEntry


def follow_album(album_id: int) -> None:
    """The album, its tracks and whoever they name; a dozen statements, however many tracks there are."""
    album = subjects.album_to_find(album_id)
    if not album and not subjects.is_to_find("album", album_id):
        return  # a draft, and it was one before
    artist_ids = subjects.artist_ids_on(album_id) | subjects.artist_ids_found_by_words("album", album_id)
    _say("album", [album_id], album)
    _say("track", subjects.track_ids_of(album_id), subjects.tracks_to_find(album_id))
    _say("artist", artist_ids, subjects.artists_to_find(artist_ids))


def follow_track(track_id: int, album_id: int) -> None:
    """The track and whoever it names."""
    track = subjects.tracks_to_find(album_id, track_id)
    if not track and not subjects.is_to_find("track", track_id):
        return
    artist_ids = subjects.artist_ids_on(album_id) | subjects.artist_ids_found_by_words("track", track_id)
    _say("track", [track_id], track)
    _say("artist", artist_ids, subjects.artists_to_find(artist_ids))


def follow_artist(artist_id: int) -> None:
    """The artist, and whatever carries the name."""
    _say("artist", [artist_id], subjects.artists_to_find([artist_id]))
    for album_id in subjects.album_ids_naming(artist_id):
        if album := subjects.album_to_find(album_id):
            put_entries([*album, *subjects.tracks_to_find(album_id)])


def follow_person(user_id: int) -> None:
    _say("person", [user_id], subjects.person_to_find(user_id))


def _say(kind: str, subject_ids: Collection[int], entries: list[NewEntry]) -> None:
    """Puts the entries; the others of these subjects are not to be found."""
    put_entries(entries)
    drop_entries(kind, {*subject_ids} - {entry.subject_id for entry in entries})
