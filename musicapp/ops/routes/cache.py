"""What the cache spares the database, and Redis itself."""

from __future__ import annotations

from flask import Response

from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.queries.cache import cache_page
from musicapp.ops.routes._blueprint import blueprint


@blueprint.get("/admin/cache")
@admin_only
def cache() -> Response:
    return admin_page("ops/cache_page.html", found=cache_page())
