"""Reads of the library: what one person likes, follows and has heard. No statement runs per row."""

from musicapp.library.queries.export import follows_of_user, likes_of_user
from musicapp.library.queries.history import HistoryPage, HistoryRow, RecentlyPlayed, history, recently_played
from musicapp.library.queries.kept import KINDS, SORTS, KeptPage, Wanted, genres_kept, kept, kept_counts, track_ids_kept
from musicapp.library.queries.state import ViewerState, may_see_artist, viewer_state

__all__ = [
    "KINDS",
    "SORTS",
    "HistoryPage",
    "HistoryRow",
    "KeptPage",
    "RecentlyPlayed",
    "ViewerState",
    "Wanted",
    "follows_of_user",
    "genres_kept",
    "history",
    "kept",
    "kept_counts",
    "likes_of_user",
    "may_see_artist",
    "recently_played",
    "track_ids_kept",
    "viewer_state",
]
