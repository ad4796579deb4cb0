"""Reads of the catalog: small rows that pages, fragments and other rooms show. No statement runs per row."""

from musicapp.catalog.queries.albums import (
    AlbumPage,
    album_by_id,
    album_cards,
    album_page,
    credited_artist_ids,
    drafts_and_albums_of,
    latest_albums,
    published_album_count,
)
from musicapp.catalog.queries.artists import (
    ArtistCard,
    ArtistPage,
    MemberRow,
    artist_cards,
    artist_page,
    artists_of_user,
    members_of,
)
from musicapp.catalog.queries.export import albums_for_export, artists_for_export
from musicapp.catalog.queries.pictures import Picture, ServedArtwork, artwork_for
from musicapp.catalog.queries.rights import (
    may_edit_album,
    may_edit_artist,
    may_see_album,
    member_ids,
    visible_album,
    visible_track,
)
from musicapp.catalog.queries.rows import AlbumCard, Credit, TrackRow
from musicapp.catalog.queries.tracks import (
    TrackPage,
    editable_track,
    track_page,
    track_row_by_id,
    track_rows,
    visible_rows,
)

__all__ = [
    "AlbumCard",
    "AlbumPage",
    "ArtistCard",
    "ArtistPage",
    "Credit",
    "MemberRow",
    "Picture",
    "ServedArtwork",
    "TrackPage",
    "TrackRow",
    "album_by_id",
    "album_cards",
    "album_page",
    "albums_for_export",
    "artist_cards",
    "artist_page",
    "artists_for_export",
    "artists_of_user",
    "artwork_for",
    "credited_artist_ids",
    "drafts_and_albums_of",
    "editable_track",
    "latest_albums",
    "may_edit_album",
    "may_edit_artist",
    "may_see_album",
    "member_ids",
    "members_of",
    "published_album_count",
    "track_page",
    "track_row_by_id",
    "track_rows",
    "visible_album",
    "visible_rows",
    "visible_track",
]
