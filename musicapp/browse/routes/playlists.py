"""A playlist as listeners see it: its rows carry what the viewer likes, which playlists don't know."""

from __future__ import annotations

from urllib.parse import urlencode

from flask import Response, abort, render_template, request
from flask_babel import gettext as _

from musicapp.accounts.listening import listening_page
from musicapp.browse.routes.blueprint import blueprint
from musicapp.core.db import row_id
from musicapp.core.pages import page
from musicapp.library.queries import ViewerState, viewer_state
from musicapp.live import services as live
from musicapp.playlists import queries
from musicapp.playlists.access import open_playlist
from musicapp.playlists.forms import MOST_PLACE, sent_ids
from musicapp.playlists.fragments import looking_of

ROWS_PER_PAGE = 50
PLAYLIST = "/playlists/<int(max=2147483647):playlist_id>"


@blueprint.get(PLAYLIST)
@listening_page
def playlist(playlist_id: int) -> Response:
    """The first fifty rows, or those ?from= a place; ?sort=column and ?down=1 show another order than its own."""
    cursor = live.current_cursor()
    access = open_playlist(playlist_id)
    column, is_down, begins = _view()
    head = queries.playlist_head(playlist_id)
    if head is None:
        abort(404)
    entries = _entries(playlist_id, access.user_id, begins, ROWS_PER_PAGE)
    later = begins + ROWS_PER_PAGE
    return page(
        "playlists/playlist_page.html",
        head=head,
        access=access,
        entries=entries,
        viewer_state=_likes(access.user_id, entries),
        version=head.version,
        begins=begins,
        earlier=max(0, begins - ROWS_PER_PAGE),
        later=later if later < head.track_count else None,
        sort=column,
        is_down=is_down,
        view=urlencode({"sort": column, "down": "1" if is_down else "0"}) if column else "",
        columns=_columns(),
        is_followed=queries.following(access.user_id, playlist_id).is_followed if not access.role else False,
        undo_change_id=request.args.get("undo", type=row_id) if access.may_edit else None,
        people=looking_of(playlist_id, [row.person for row in head.members]) if access.role else [],
        cursor=cursor,
    )


@blueprint.get(f"{PLAYLIST}/rows")
@listening_page
def playlist_rows(playlist_id: int) -> str:
    """Rows as HTML for the page's script: ?ids=1,2,3 or ?from= and ?limit=, at most a hundred."""
    access = open_playlist(playlist_id)
    if "ids" in request.args:
        entries = queries.rows_by_entry_ids(playlist_id, access.user_id, sent_ids(request.args, "ids")[:ROWS_PER_PAGE])
    else:
        limit = min(request.args.get("limit", ROWS_PER_PAGE, type=row_id) or ROWS_PER_PAGE, ROWS_PER_PAGE)
        entries = _entries(playlist_id, access.user_id, _view()[2], limit)
    return render_template(
        "playlists/_rows.html",
        entries=entries,
        playlist_id=playlist_id,
        may_edit=access.may_edit,
        viewer_state=_likes(access.user_id, entries),
        begins=0,
    )


def _columns() -> dict[str, str]:
    return {
        "title": _("Title"),
        "artist": _("Artist"),
        "album": _("Album"),
        "added": _("Added"),
        "length": _("Length"),
        "plays": _("Plays"),
    }


def _view() -> tuple[str, bool, int]:
    """Column ("" for the playlist's own order), whether from the end, and the place of the first row."""
    column = request.args.get("sort", "")
    begins = min(request.args.get("from", 0, type=row_id) or 0, MOST_PLACE)
    return column if column in queries.SORT_COLUMNS else "", request.args.get("down") == "1", begins


def _entries(playlist_id: int, viewer_id: int | None, begins: int, limit: int) -> list[queries.EntryRow]:
    column, is_down, _begins = _view()
    return queries.rows(playlist_id, viewer_id, start=begins, limit=limit, column=column, down=is_down)


def _likes(user_id: int | None, entries: list[queries.EntryRow]) -> ViewerState:
    return viewer_state(user_id, track_ids=[row.track.id for row in entries if row.track is not None])
