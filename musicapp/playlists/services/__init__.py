"""Writes of playlists. Nothing here commits: the door that calls does, once, as its last step.

Every change takes the playlist's lock first, counts its version up by one, writes one PlaylistChange and publishes
PlaylistChanged: the order of versions is the order in which everybody sees the changes.
"""

from musicapp.playlists.services.digests import ask_for_digests, tell_digest
from musicapp.playlists.services.entries import Added, add_tracks, move_entries, remove_entries, sort_entries
from musicapp.playlists.services.following import begin_digests, follow, mark_seen, set_digest, unfollow
from musicapp.playlists.services.history import restore_version, undo_change, undo_last
from musicapp.playlists.services.importing import Imported, MissedLine, import_playlist, match_lines
from musicapp.playlists.services.leaving import forget_user
from musicapp.playlists.services.members import (
    accept_invitation,
    change_role,
    decline_invitation,
    hand_over,
    invite_by_link,
    invite_user,
    leave,
    remove_member,
    revoke_invitation,
)
from musicapp.playlists.services.playlists import (
    ask_for_cover,
    create_playlist,
    delete_playlist,
    duplicate_playlist,
    edit_playlist,
    hide_playlist,
    remove_cover,
    renew_link,
    restore_playlist,
    set_cover,
)

__all__ = [
    "Added",
    "Imported",
    "MissedLine",
    "accept_invitation",
    "add_tracks",
    "ask_for_cover",
    "ask_for_digests",
    "begin_digests",
    "change_role",
    "create_playlist",
    "decline_invitation",
    "delete_playlist",
    "duplicate_playlist",
    "edit_playlist",
    "follow",
    "forget_user",
    "hand_over",
    "hide_playlist",
    "import_playlist",
    "invite_by_link",
    "invite_user",
    "leave",
    "mark_seen",
    "match_lines",
    "move_entries",
    "remove_cover",
    "remove_entries",
    "remove_member",
    "renew_link",
    "restore_playlist",
    "restore_version",
    "revoke_invitation",
    "set_cover",
    "set_digest",
    "sort_entries",
    "tell_digest",
    "undo_change",
    "undo_last",
    "unfollow",
]
