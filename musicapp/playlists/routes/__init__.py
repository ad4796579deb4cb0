"""The pages of playlists. The playlist itself is drawn by browse, which knows what its viewer likes."""

from musicapp.playlists.routes import choose, editing, entries, history, lists, people
from musicapp.playlists.routes.blueprint import blueprint

__all__ = ["blueprint", "choose", "editing", "entries", "history", "lists", "people"]
