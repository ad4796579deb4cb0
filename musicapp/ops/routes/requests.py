"""How long answers take, and which took too long."""

from __future__ import annotations

from flask import Response, current_app

from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.queries.slow_requests import requests as find_requests
from musicapp.ops.routes._blueprint import blueprint


@blueprint.get("/admin/requests")
@admin_only
def requests() -> Response:
    return admin_page("ops/requests_page.html", found=find_requests(), slow_ms=current_app.config["SLOW_REQUEST_MS"])
