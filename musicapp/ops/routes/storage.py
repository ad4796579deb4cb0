"""Storage: what is kept, for whom, and the walk that counts the files."""

from __future__ import annotations

from flask import Response, current_app, flash, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import signed_in_id
from musicapp.core.db import db
from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.queries import storage as queries
from musicapp.ops.routes._blueprint import blueprint
from musicapp.ops.services import storage as services


@blueprint.get("/admin/storage")
@admin_only
def storage() -> Response:
    quota_bytes = current_app.config["USER_QUOTA_BYTES"]
    return admin_page("ops/storage_page.html", shown=queries.storage_page(), quota_bytes=quota_bytes)


@blueprint.post("/admin/storage/measure")
@admin_only
def measure_storage() -> BaseResponse:
    is_new = services.measure(signed_in_id())
    db.session.commit()
    flash(_("The files are being counted.") if is_new else _("They are being counted already."))
    return redirect(url_for("ops.storage"), 303)
