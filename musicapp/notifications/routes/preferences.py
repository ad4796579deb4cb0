"""What one wants to hear of, and how."""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import signed_in_id
from musicapp.catalog.queries import artists_of_user
from musicapp.core.db import db, reading
from musicapp.core.pages import page
from musicapp.notifications import preferences
from musicapp.notifications.kinds import FREQUENCIES
from musicapp.notifications.outlets import OUTLETS
from musicapp.notifications.routes._blueprint import blueprint
from musicapp.notifications.unsubscribing import ALL


@reading()
def _preferences_page(status: int = 200, error: str = "") -> BaseResponse:
    user_id = signed_in_id()
    choices = preferences.choices_of(user_id, is_artist=bool(artists_of_user(user_id)))
    return page(
        "notifications/pages/preferences_page.html",
        status,
        groups=preferences.grouped(choices),
        outlets=OUTLETS.values(),
        frequencies=FREQUENCIES,
        error=error,
    )


@blueprint.get("/settings/notifications")
def show_preferences() -> BaseResponse:
    return _preferences_page()


@blueprint.post("/settings/notifications")
def save_preferences() -> BaseResponse:
    """Fields `<kind>.<outlet>` with a frequency each; what is not sent stays as it is."""
    wanted = {
        (kind, outlet): chosen
        for field, chosen in request.form.items()
        if (kind := field.partition(".")[0]) and (outlet := field.partition(".")[2])
    }
    try:
        preferences.save(signed_in_id(), wanted)
    except ValueError:
        db.session.rollback()
        return _preferences_page(422, _("One of the choices is not offered any more. Choose again and save."))
    db.session.commit()
    flash(_("Saved."), "success")
    return redirect(url_for("notifications.show_preferences"), 303)


@blueprint.post("/settings/notifications/no-mails")
def end_all_mails() -> BaseResponse:
    """Every mail of choice is off from now on."""
    preferences.unsubscribe(signed_in_id(), ALL)
    db.session.commit()
    flash(_("No mails from now on, except those that your account needs."), "success")
    return redirect(url_for("notifications.show_preferences"), 303)
