"""Background work of playlists."""

from __future__ import annotations
