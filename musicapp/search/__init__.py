"""One index over artists, albums, tracks, playlists and people."""
