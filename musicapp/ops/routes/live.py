"""The live channel as the web processes see it."""

from __future__ import annotations

from flask import Response

from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.queries.live import live as find_live
from musicapp.ops.routes._blueprint import blueprint


@blueprint.get("/admin/live")
@admin_only
def live() -> Response:
    return admin_page("ops/live_page.html", found=find_live())
