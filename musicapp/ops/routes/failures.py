"""What failed, sorted by reason, with tracebacks."""

from __future__ import annotations

from flask import Response

from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.queries import jobs as queries
from musicapp.ops.routes._blueprint import blueprint


@blueprint.get("/admin/failures")
@admin_only
def failures() -> Response:
    return admin_page("ops/failures_page.html", found=queries.failures())
