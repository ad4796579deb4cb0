"""The pages of playlists."""

from musicapp.playlists.routes.blueprint import blueprint

__all__ = ["blueprint"]
