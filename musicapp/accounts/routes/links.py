"""What the links in mails open: a forgotten password, an address to confirm.

Opening a link changes nothing, since mail scanners open them too; the button on the page does.
"""

from __future__ import annotations

from flask import flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from musicapp.accounts import queries, services
from musicapp.accounts.forms import Errors, check_new_password, read_email
from musicapp.accounts.identity import current_viewer, sign_in
from musicapp.accounts.passwords import hash_password
from musicapp.accounts.routes._blueprint import blueprint, end_reading, this_device
from musicapp.accounts.tokens import fits_password_hash, read_confirm_token, read_reset_token
from musicapp.core.db import db, reading
from musicapp.core.limits import count_visit, visitor_address
from musicapp.core.pages import page
from musicapp.core.security import public


@blueprint.get("/forgot")
@public
def forgot() -> ResponseReturnValue:
    return page("accounts/forgot.html", email="", errors={})


@blueprint.post("/forgot")
@public
def ask_for_reset() -> ResponseReturnValue:
    """Answers the same whether or not somebody has the address."""
    errors: Errors = {}
    email = read_email(request.form, "email", errors)
    count_visit("RESET_RATE_LIMIT", visitor_address(), times=4)
    count_visit("RESET_RATE_LIMIT", visitor_address(), email)
    if errors:
        return page("accounts/forgot.html", 422, email=email, errors=errors)
    services.request_password_reset(email)
    db.session.commit()
    return page("accounts/forgot_sent.html", email=email)


def _reset_target(token: str) -> tuple[int, str] | None:
    """(user id, present hash) of a link that still counts."""
    read = read_reset_token(token)
    if read is None:
        return None
    user_id, fingerprint = read
    with reading():
        password_hash = queries.password_hash_of(user_id)
    end_reading()
    if password_hash is None or not fits_password_hash(fingerprint, password_hash):
        return None
    return user_id, password_hash


@blueprint.get("/reset/<token>")
@public
def reset(token: str) -> ResponseReturnValue:
    if _reset_target(token) is None:
        return page("accounts/link_expired.html", 410, try_url=url_for("accounts.forgot"))
    return page("accounts/reset.html", token=token, errors={})


@blueprint.post("/reset/<token>")
@public
def set_new_password(token: str) -> ResponseReturnValue:
    """Stores the new password, signs every device out and this one in."""
    count_visit("RESET_RATE_LIMIT", visitor_address(), times=4)
    target = _reset_target(token)
    if target is None:
        return page("accounts/link_expired.html", 410, try_url=url_for("accounts.forgot"))
    user_id, old_hash = target
    password = request.form.get("password", "")
    errors: Errors = {}
    check_new_password(password, errors)
    if errors:
        return page("accounts/reset.html", 422, token=token, errors=errors)
    new_hash = hash_password(password)
    if not services.change_password(user_id, new_hash, old_hash=old_hash, keep_session_id=None):
        return page("accounts/link_expired.html", 410, try_url=url_for("accounts.forgot"))
    signed_in_token = services.open_session(user_id, **this_device())
    db.session.commit()
    sign_in(signed_in_token)
    flash(_("The new password counts from now on. Other devices are signed out."), "success")
    return redirect("/", 303)


@blueprint.get("/confirm/<token>")
@public
def confirm(token: str) -> ResponseReturnValue:
    read = read_confirm_token(token)
    if read is None:
        return page("accounts/link_expired.html", 410, try_url=url_for("accounts.settings"))
    return page("accounts/confirm.html", token=token, email=read[1])


@blueprint.post("/confirm/<token>")
@public
def confirm_address(token: str) -> ResponseReturnValue:
    """May be pressed twice: the second time finds the address confirmed."""
    read = read_confirm_token(token)
    try:
        is_confirmed = read is not None and services.confirm_email(*read)
    except services.NameTakenError:
        flash(_("Another account has this address by now."), "error")
        return redirect(url_for("accounts.settings"), 303)
    if not is_confirmed:
        return page("accounts/link_expired.html", 410, try_url=url_for("accounts.settings"))
    db.session.commit()
    flash(_("Thank you: the address is confirmed."), "success")
    return redirect("/" if current_viewer().is_authenticated else url_for("accounts.login"), 303)
