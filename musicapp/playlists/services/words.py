"""Name, description, cover and who may see: the fields of a playlist that changes tell of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from musicapp.catalog.text import clean_line, clean_text, sort_name
from musicapp.core.db import db
from musicapp.core.events import publish
from musicapp.playlists.errors import PlaylistInputError
from musicapp.playlists.events import PlaylistEdited, PlaylistVisibilityChanged
from musicapp.playlists.models import VISIBILITIES, Playlist

NAME_LIMIT = 200
DESCRIPTION_LIMIT = 2_000


def clean_name(name: str) -> str:
    """Raises PlaylistInputError where nothing is left of it."""
    kept = clean_line(name, NAME_LIMIT)
    if not kept:
        raise PlaylistInputError("name", "Give the playlist a name.")
    return kept


def clean_description(description: str) -> str:
    return clean_text(description, DESCRIPTION_LIMIT)


def checked_visibility(visibility: str) -> str:
    """Raises PlaylistInputError for a word that isn't in VISIBILITIES."""
    if visibility not in VISIBILITIES:
        raise PlaylistInputError("visibility", "Choose who sees the playlist: private, unlisted or public.")
    return visibility


def set_fields(playlist: Playlist, values: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Sets name, description, visibility, cover_id where they differ; returns name -> (old, new) of those that did."""
    changed = {
        name: (getattr(playlist, name), value) for name, value in values.items() if getattr(playlist, name) != value
    }
    for name, (_, value) in changed.items():
        setattr(playlist, name, value)
    if "name" in changed:
        playlist.sort_name = sort_name(playlist.name, NAME_LIMIT)
    db.session.flush()
    if "visibility" in changed:
        publish(PlaylistVisibilityChanged(playlist.id))
    if changed:
        publish(PlaylistEdited(playlist.id))
    return changed
