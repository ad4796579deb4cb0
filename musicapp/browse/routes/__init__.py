"""Pages that mix rooms: home, albums, artists, tracks."""

from musicapp.browse.routes import home, pages
from musicapp.browse.routes.blueprint import blueprint

__all__ = ["blueprint", "home", "pages"]
