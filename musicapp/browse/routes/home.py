"""The home page, and the site's navigation."""

from __future__ import annotations

from typing import Any

from flask import Response, g, render_template, request
from flask_babel import gettext as _
from sqlalchemy.exc import SQLAlchemyError

from musicapp.accounts.identity import current_viewer, signed_in_id
from musicapp.accounts.listening import may_listen
from musicapp.browse import queries
from musicapp.browse.routes.blueprint import blueprint
from musicapp.core.db import db, reading, utc_now
from musicapp.core.pages import page
from musicapp.core.security import public
from musicapp.live import services as live


@blueprint.get("/")
@public
def home() -> Response:
    """What is new, and what one played; a stranger reads what this site is, and without PUBLIC_LISTENING only that."""
    cursor = live.current_cursor()
    viewer = current_viewer()
    shown = queries.home(viewer.id, utc_now().date()) if may_listen(viewer) else None
    names = shown.side_playlists if shown is not None else None
    return page("browse/home_page.html", home=shown, side_playlists=names, cursor=cursor)


@blueprint.get("/side/playlists")
def side_playlists() -> Response:
    """The side bar's playlists alone: it asks for them again when they change."""
    return page("browse/_side_playlists.html", playlists=queries.side_playlists(signed_in_id()))


def _beside(playlists: list[queries.SidePlaylist] | None = None) -> str:
    """The playlists under the navigation, of a page that is loaded whole; asked for unless the page has them."""
    viewer = current_viewer()
    # A boosted link takes <main> out of the answer and leaves the rest.
    if viewer.id is None or request.headers.get("HX-Request") == "true":
        return ""
    try:
        # A refused form is drawn by a POST: its page must neither take SQLite's lock nor write what was refused.
        with reading(), db.session.no_autoflush:
            if playlists is None:
                playlists, g.unread_notices = queries.side_bar(viewer.id)  # for the bell, which stands below
    except SQLAlchemyError:  # on the page that says what went wrong with the database
        return ""
    return render_template("browse/_side_playlists.html", playlists=playlists)


@blueprint.app_context_processor
def _navigation() -> dict[str, Any]:
    viewer = current_viewer()
    path = request.path if request else ""

    def item(url: str, label: str, icon: str, *, is_wide: bool = False) -> dict[str, Any]:
        is_active = path == url or (url != "/" and path.startswith(url.rstrip("/") + "/"))
        return {"url": url, "label": label, "icon": icon, "active": is_active, "is_wide": is_wide}

    items = [item("/", _("Home"), "house"), item("/search", _("Search"), "search")]
    if viewer.is_authenticated:
        items += [item("/library", _("Library"), "library"), item("/studio/", _("Studio"), "sliders-horizontal")]
    if viewer.is_admin:
        items.append(item("/admin/", _("Desk"), "gauge", is_wide=True))
    browsing = [
        item("/albums/", _("Albums"), "disc-3", is_wide=viewer.is_authenticated),
        item("/artists/", _("Artists"), "users", is_wide=viewer.is_authenticated),
        item("/genres/", _("Genres"), "audio-lines", is_wide=True),
    ]
    return {"nav_items": items, "nav_browsing": browsing, "beside": _beside}
