"""Artists, albums, tracks, renditions and artwork; the studio in which they are made."""
