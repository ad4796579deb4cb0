"""Writes of the index. Nothing here commits."""

from musicapp.search.services.entries import drop_entries, drop_entry, put_entries, put_entry, rebuild
from musicapp.search.services.following import follow_album, follow_artist, follow_person, follow_track
from musicapp.search.sources import NewEntry

__all__ = [
    "NewEntry",
    "drop_entries",
    "drop_entry",
    "follow_album",
    "follow_artist",
    "follow_person",
    "follow_track",
    "put_entries",
    "put_entry",
    "rebuild",
]
