"""Taking one's things along: the export, and closing the account."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Response, current_app, flash, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from musicapp.accounts import queries, services
from musicapp.accounts.forms import Errors
from musicapp.accounts.identity import current_viewer, sign_out, signed_in_id
from musicapp.accounts.routes._blueprint import blueprint
from musicapp.accounts.routes.settings import password_is_right, settings_page
from musicapp.core.db import db, utc_now


def _plain(value: Any) -> str:
    if isinstance(value, date):  # an instant is one, too
        return value.isoformat()
    raise TypeError(f"an export section holds a {type(value).__name__}")


@blueprint.get("/settings/export")
def export() -> ResponseReturnValue:
    """All that the site knows about somebody, as one JSON file. features.EXPORT_SECTIONS lists the rooms' parts."""
    user_id = signed_in_id()
    sections: tuple[tuple[str, Callable[[int], object]], ...] = current_app.extensions["export_sections"]
    content = {
        "site": current_app.config["SITE_URL"],
        "exported_at": utc_now(),
        **queries.account_export(user_id),
        **{name: read(user_id) for name, read in sections},
    }
    response = Response(json.dumps(content, default=_plain, ensure_ascii=False, indent=2), mimetype="application/json")
    response.headers["Cache-Control"] = "private, no-store"
    response.headers.set("Content-Disposition", "attachment", filename=f"{current_viewer().username}.json")
    return response


@blueprint.post("/settings/delete")
def delete_account() -> ResponseReturnValue:
    """Asks for the password and closes the account."""
    errors: Errors = {}
    if "sure" not in request.form:
        errors["sure"] = _("Mark the box if you mean it.")
    elif password_is_right(signed_in_id(), errors, "delete_password") is not None:
        services.delete_account(signed_in_id())
        db.session.commit()
        sign_out()
        flash(_("Your account is closed. Farewell!"), "success")
        return redirect("/", 303)
    return settings_page(errors=errors)
