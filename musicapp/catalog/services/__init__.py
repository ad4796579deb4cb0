"""Writes to the catalog. Nothing here commits: the door that calls does, once, as its last step."""

from musicapp.catalog.services.albums import (
    create_album,
    delete_album,
    publish_album,
    restore_album,
    unpublish_album,
    update_album,
)
from musicapp.catalog.services.artists import (
    add_member,
    create_artist,
    delete_drafts_of_nobody,
    delete_lonely_drafts,
    remove_member,
    update_artist,
)
from musicapp.catalog.services.artwork import (
    add_artwork,
    ask_for_album_cover,
    ask_for_artist_picture,
    forget_picture,
    keep_picture,
    set_album_cover,
    set_artist_picture,
)
from musicapp.catalog.services.credits import NewCredit
from musicapp.catalog.services.purge import forget_unused_artwork, purge_deleted
from musicapp.catalog.services.taking_down import album_ids_in_studio, give_album_back, take_down_album
from musicapp.catalog.services.tracks import (
    EncodeOutcome,
    NewOriginal,
    NewRendition,
    add_track,
    delete_track,
    move_track,
    remove_refused_track,
    reorder_tracks,
    restore_track,
    set_original_sha256,
    set_track_ready,
    update_track,
)

__all__ = [
    "EncodeOutcome",
    "NewCredit",
    "NewOriginal",
    "NewRendition",
    "add_artwork",
    "add_member",
    "add_track",
    "album_ids_in_studio",
    "ask_for_album_cover",
    "ask_for_artist_picture",
    "create_album",
    "create_artist",
    "delete_album",
    "delete_drafts_of_nobody",
    "delete_lonely_drafts",
    "delete_track",
    "forget_picture",
    "forget_unused_artwork",
    "give_album_back",
    "keep_picture",
    "move_track",
    "publish_album",
    "purge_deleted",
    "remove_member",
    "remove_refused_track",
    "reorder_tracks",
    "restore_album",
    "restore_track",
    "set_album_cover",
    "set_artist_picture",
    "set_original_sha256",
    "set_track_ready",
    "take_down_album",
    "unpublish_album",
    "update_album",
    "update_artist",
    "update_track",
]
