"""The audit log."""

from __future__ import annotations

from flask import Response, request

from musicapp.core.db import row_id
from musicapp.ops.acts import ROOMS
from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.queries import audit as queries
from musicapp.ops.routes._blueprint import blueprint


@blueprint.get("/admin/audit")
@admin_only
def audit_log() -> Response:
    """`actor` is who, `room` what, `q` stands in the subject's name, `after` for the pages that follow."""
    actor, room, text = (request.args.get(name, "").strip() for name in ("actor", "room", "q"))
    found = queries.audit_log(actor=actor, room=room, text=text, after=request.args.get("after", type=row_id))
    actors = [(name, name) for name in queries.actors()]
    return admin_page("ops/audit_page.html", found=found, actors=actors, rooms=ROOMS, actor=actor, room=room, q=text)
