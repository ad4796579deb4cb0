"""The desk's first page: what needs attention, and the figures of the day."""

from __future__ import annotations

from flask import Response

from musicapp.ops import queries
from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.routes._blueprint import blueprint


@blueprint.get("/admin/")
@admin_only
def desk() -> Response:
    return admin_page("ops/desk_page.html", readiness=queries.readiness())
