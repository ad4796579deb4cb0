"""The home page, and the site's navigation."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_babel import gettext as _

from musicapp.accounts.identity import current_viewer
from musicapp.accounts.listening import may_listen
from musicapp.browse.queries import HOME_ALBUMS
from musicapp.browse.routes.blueprint import blueprint
from musicapp.catalog import queries
from musicapp.core.pages import page
from musicapp.core.security import public
from musicapp.live import services as live


@blueprint.get("/")
@public
def home() -> Response:
    """New albums; a stranger also reads what this site is. Without PUBLIC_LISTENING strangers see no albums."""
    cursor = live.current_cursor()
    listens = may_listen(current_viewer())
    return page(
        "browse/home_page.html",
        may_listen=listens,
        albums=queries.latest_albums(HOME_ALBUMS) if listens else [],
        album_count=queries.published_album_count() if listens else 0,
        cursor=cursor,
    )


@blueprint.app_context_processor
def _navigation() -> dict[str, Any]:
    viewer = current_viewer()
    items = [("/", _("Home"), "house"), ("/albums/", _("Albums"), "disc-3"), ("/artists/", _("Artists"), "users")]
    if viewer.is_authenticated:
        items.append(("/studio/", _("Studio"), "sliders-horizontal"))
    path = request.path if request else ""
    return {
        "nav_items": [
            {"url": url, "label": label, "icon": icon, "active": path == url or (url != "/" and path.startswith(url))}
            for url, label, icon in items
        ]
    }
