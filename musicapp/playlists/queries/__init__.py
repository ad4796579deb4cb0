"""Reads of playlists: rights, heads, rows, changes, people, lists. No statement runs per row."""

from musicapp.playlists.queries.changes import (
    AddedEntry,
    Change,
    HistoryRow,
    MovedEntry,
    change,
    changes_since,
    history,
    keys_at,
)
from musicapp.playlists.queries.covers import COVER_USE
from musicapp.playlists.queries.digest import Digest, digest_of
from musicapp.playlists.queries.entries import EntryRow, rows, rows_by_entry_ids, track_ids_of
from musicapp.playlists.queries.export import ExportRow, export_rows, playlists_for_export
from musicapp.playlists.queries.following import Following, following
from musicapp.playlists.queries.heads import PlaylistHead, playlist_head, version_of
from musicapp.playlists.queries.lists import (
    PlaylistCard,
    deleted_playlists_of,
    editable_playlists_of,
    is_kept_by,
    playlists_of,
    public_cards,
    public_playlists,
)
from musicapp.playlists.queries.mosaics import mosaics
from musicapp.playlists.queries.order import SORT_COLUMNS, order, sorted_entry_ids
from musicapp.playlists.queries.people import (
    InvitationRow,
    MemberRow,
    Person,
    invitation_by_token,
    invitations_for,
    members,
    open_invitations,
)
from musicapp.playlists.queries.rights import access, link_token_of, may_see, role_of
from musicapp.playlists.queries.search import playlist_to_find, playlists_to_find

__all__ = [
    "COVER_USE",
    "SORT_COLUMNS",
    "AddedEntry",
    "Change",
    "Digest",
    "EntryRow",
    "ExportRow",
    "Following",
    "HistoryRow",
    "InvitationRow",
    "MemberRow",
    "MovedEntry",
    "Person",
    "PlaylistCard",
    "PlaylistHead",
    "access",
    "change",
    "changes_since",
    "deleted_playlists_of",
    "digest_of",
    "editable_playlists_of",
    "export_rows",
    "following",
    "history",
    "invitation_by_token",
    "invitations_for",
    "is_kept_by",
    "keys_at",
    "link_token_of",
    "may_see",
    "members",
    "mosaics",
    "open_invitations",
    "order",
    "playlist_head",
    "playlist_to_find",
    "playlists_for_export",
    "playlists_of",
    "playlists_to_find",
    "public_cards",
    "public_playlists",
    "role_of",
    "rows",
    "rows_by_entry_ids",
    "sorted_entry_ids",
    "track_ids_of",
    "version_of",
]
