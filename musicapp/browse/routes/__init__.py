"""Pages that mix rooms: home, albums, artists, tracks."""

from musicapp.browse.routes import history, home, menu, pages, playlists, shelves
from musicapp.browse.routes.blueprint import blueprint

__all__ = ["blueprint", "history", "home", "menu", "pages", "playlists", "shelves"]
