"""Playlists as files: M3U8 and JSPF, written and read. Pure: rows in, text out, bytes in, lines out."""

from musicapp.playlists.exchange.lines import FileLine, PlaylistFile, PlaylistWords
from musicapp.playlists.exchange.reading import MAX_BYTES, read_playlist_file
from musicapp.playlists.exchange.writing import write_jspf, write_m3u8

__all__ = [
    "MAX_BYTES",
    "FileLine",
    "PlaylistFile",
    "PlaylistWords",
    "read_playlist_file",
    "write_jspf",
    "write_m3u8",
]
