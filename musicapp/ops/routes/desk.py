"""The desk's first page: what needs attention, and the figures of the day."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Response

from musicapp.accounts.identity import current_viewer
from musicapp.core.db import utc_now
from musicapp.live import services as live
from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.queries import desk as queries
from musicapp.ops.routes._blueprint import blueprint


@blueprint.get("/admin/")
@admin_only
def desk() -> Response:
    cursor = live.current_cursor()
    return admin_page("ops/desk_page.html", overview=queries.overview(_midnight()), cursor=cursor)


@blueprint.get("/admin/overview")
@admin_only
def overview() -> Response:
    """The part of the page that changes: it asks for itself again."""
    return admin_page("ops/_overview.html", overview=queries.overview(_midnight()))


def _midnight() -> datetime:
    now = utc_now().astimezone(ZoneInfo(current_viewer().time_zone))
    return now.replace(hour=0, minute=0, second=0, microsecond=0)
