"""Pages that mix rooms: home, albums, artists, tracks."""

from musicapp.browse.routes import history, home, menu, now_playing, pages, playlists, search, shelves
from musicapp.browse.routes.blueprint import blueprint

__all__ = ["blueprint", "history", "home", "menu", "now_playing", "pages", "playlists", "search", "shelves"]
