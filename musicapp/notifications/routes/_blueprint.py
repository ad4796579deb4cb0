"""The blueprint, and the bell that every page shows."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, g, render_template, request
from sqlalchemy.exc import SQLAlchemyError

from musicapp.accounts.identity import current_viewer
from musicapp.core.db import db, reading
from musicapp.notifications.notices.queries import unread_count

blueprint = Blueprint("notifications", __name__, template_folder="../templates")


def _bell() -> str:
    """The bell of a page that is loaded whole: a boosted link takes <main> out of the answer and leaves the rest."""
    viewer = current_viewer()
    if viewer.id is None or request.headers.get("HX-Request") == "true":
        return ""
    try:
        # A refused form is drawn by a POST: its page must neither take SQLite's lock nor write what was refused.
        with reading(), db.session.no_autoflush:
            known: int | None = g.pop("unread_notices", None)
            unread = unread_count(viewer.id) if known is None else known
    except SQLAlchemyError:  # on the page that says what went wrong with the database
        unread = 0
    return render_template("notifications/pages/_bell.html", user_id=viewer.id, unread=unread)


@blueprint.app_context_processor
def _words_of_every_page() -> dict[str, Any]:
    return {"bell": _bell}
