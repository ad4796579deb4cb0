"""Pages of artists, albums and tracks, the pictures, and the studio."""

from musicapp.catalog.routes import artwork, pages, studio, studio_artists, studio_tracks
from musicapp.catalog.routes.door import blueprint

__all__ = ["artwork", "blueprint", "pages", "studio", "studio_artists", "studio_tracks"]
