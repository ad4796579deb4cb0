"""What playlists do when something happens elsewhere."""

from __future__ import annotations
