"""The pictures, and the studio. Pages for listeners are made in browse, which knows all rooms."""

from musicapp.catalog.routes import artwork, studio, studio_artists, studio_tracks
from musicapp.catalog.routes.door import blueprint

__all__ = ["artwork", "blueprint", "studio", "studio_artists", "studio_tracks"]
