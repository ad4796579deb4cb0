"""What open playlists show anew, and who may hear of it."""

from __future__ import annotations
