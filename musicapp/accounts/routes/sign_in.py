"""Register, log in, log out."""

from __future__ import annotations

from flask import abort, current_app, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from musicapp.accounts import queries, services
from musicapp.accounts.forms import RegisterForm, SignInForm
from musicapp.accounts.identity import current_viewer, safe_next, sign_in, sign_out
from musicapp.accounts.passwords import hash_password, needs_rehash, password_matches
from musicapp.accounts.routes._blueprint import blueprint, end_reading, this_device
from musicapp.core.db import db, reading
from musicapp.core.limits import count_visit, visitor_address
from musicapp.core.pages import page
from musicapp.core.security import public

LOOSER_PER_ADDRESS = 10
"""An address may be a whole school: it may try so many times what one of its accounts may."""


def _next_or(default: str) -> str:
    return safe_next(request.values.get("next")) or default


def _register_page(form: RegisterForm) -> ResponseReturnValue:
    return page(
        "accounts/register.html",
        422 if form.errors else 200,
        form=form,
        next=safe_next(request.values.get("next")),
    )


def _check_invitation(form: RegisterForm) -> None:
    if current_app.config["REGISTRATION"] != "invitation":
        form.invitation = ""
        return
    with reading():
        invitation = queries.open_invitation(form.invitation)
    if invitation is None:
        abort(403, _("This site is by invitation, and this link was used or is too old. Ask for a new one."))
    if invitation.email:
        form.email = form.email or invitation.email
        if invitation.email != form.email:
            form.errors["email"] = _("The invitation is for another address.")


@blueprint.get("/register")
@public
def register() -> ResponseReturnValue:
    """The form; an invitation comes as ?invitation=…"""
    if current_viewer().is_authenticated:
        return redirect(_next_or("/"), 303)
    if current_app.config["REGISTRATION"] == "closed":
        return page("accounts/registration_closed.html", 403)
    form = RegisterForm(invitation=request.args.get("invitation", ""))
    _check_invitation(form)
    return _register_page(form)


@blueprint.post("/register")
@public
def create_account() -> ResponseReturnValue:
    if current_app.config["REGISTRATION"] == "closed":
        return page("accounts/registration_closed.html", 403)
    count_visit("REGISTER_RATE_LIMIT", visitor_address())
    form = RegisterForm.read(request.form)
    _check_invitation(form)
    with reading():
        form.say_taken(queries.taken_names(form.username, form.email))
    end_reading()
    if form.errors:
        return _register_page(form)
    password_hash = hash_password(form.password)
    artist_name = form.artist_name if form.is_musician else None
    try:
        user = services.register(
            username=form.username, email=form.email, password_hash=password_hash, artist_name=artist_name
        )
        if form.invitation:
            services.use_invitation(form.invitation, user)
    except services.NameTakenError as error:
        db.session.rollback()
        form.say_taken(error.fields)
        return _register_page(form)
    except services.InvitationError:
        abort(403, _("This site is by invitation, and this link was used or is too old. Ask for a new one."))
    token = services.open_session(user.id, **this_device())
    db.session.commit()
    sign_in(token)
    flash(_("Welcome! We sent a link to %(email)s: open it to confirm the address.", email=form.email), "success")
    return redirect(_next_or("/studio/" if artist_name else "/"), 303)


def _leave_present_session() -> None:
    viewer = current_viewer()
    if viewer.id is not None and viewer.session_id is not None:
        services.revoke_session(viewer.id, viewer.session_id)


@blueprint.get("/login")
@public
def login() -> ResponseReturnValue:
    if current_viewer().is_authenticated:
        return redirect(_next_or("/"), 303)
    return page("accounts/login.html", form=SignInForm(), next=safe_next(request.args.get("next")))


@blueprint.post("/login")
@public
def log_in() -> ResponseReturnValue:
    form = SignInForm.read(request.form)
    address = visitor_address()
    count_visit("LOGIN_RATE_LIMIT", address, times=LOOSER_PER_ADDRESS)
    count_visit("LOGIN_RATE_LIMIT", address, queries.key_of_username(form.username))
    if not form.errors:
        with reading():
            facts = queries.sign_in_facts(form.username)
        end_reading()
        if not password_matches(facts.password_hash if facts else None, form.password) or facts is None:
            form.errors["password"] = _(
                "Username and password don't fit together. Check both, or ask for a new password."
            )
        elif facts.is_suspended:
            form.errors["username"] = (
                _(
                    "This account is suspended: “%(reason)s” Ask the people who run this site.",
                    reason=facts.suspended_reason,
                )
                if facts.suspended_reason
                else _("This account is suspended. Ask the people who run this site.")
            )
        else:
            stronger = hash_password(form.password) if needs_rehash(facts.password_hash) else None
            _leave_present_session()
            token = services.open_session(facts.user_id, **this_device(), new_password_hash=stronger)
            db.session.commit()
            sign_in(token)
            return redirect(_next_or("/"), 303)
    return page("accounts/login.html", 422, form=form, next=safe_next(request.form.get("next")))


@blueprint.post("/logout")
@public
def logout() -> ResponseReturnValue:
    """Also for strangers: somebody whose device was revoked a moment ago presses the button too."""
    _leave_present_session()
    db.session.commit()
    sign_out()
    return redirect(url_for("accounts.login") if not current_app.config["PUBLIC_LISTENING"] else "/", 303)
