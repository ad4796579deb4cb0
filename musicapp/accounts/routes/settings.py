"""One's own account: profile, picture, password, address, devices."""

from __future__ import annotations

import shutil

import filetype
from babel import Locale
from flask import abort, current_app, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from musicapp.accounts import queries, services
from musicapp.accounts.forms import Errors, ProfileForm, check_new_password, read_email
from musicapp.accounts.identity import avatar_url, current_viewer, signed_in_id
from musicapp.accounts.passwords import hash_password, password_matches
from musicapp.accounts.routes._blueprint import blueprint, end_reading
from musicapp.audio.artwork import MAX_SOURCE_BYTES
from musicapp.core.db import db, reading, utc_now
from musicapp.core.limits import count_visit
from musicapp.core.pages import page
from musicapp.core.storage import store
from musicapp.jobs.queries import latest_jobs, silent_queues
from musicapp.live import services as live

FORM_EXTRA_BYTES = 64 * 1024
"""What a multipart form adds around its file."""


def languages() -> list[tuple[str, str]]:
    """(code, own name) of what the site can speak."""
    offered: list[Locale] = current_app.extensions["babel"].instance.list_translations()
    codes = sorted({str(locale) for locale in offered} | {"en"})
    return [(code, Locale.parse(code).get_display_name(code) or code) for code in codes]


def settings_page(
    status: int = 200, *, errors: Errors | None = None, profile: ProfileForm | None = None, new_email: str = ""
) -> ResponseReturnValue:
    """The whole page; `errors` has keys such as "new_email" and makes it 422."""
    viewer = current_viewer()
    cursor = live.current_cursor()
    with reading():
        user = queries.user_by_id(signed_in_id())
        if user is None:
            abort(404)
        devices = queries.devices_of(user.id, seen_since=utc_now() - current_app.permanent_session_lifetime)
        avatar_job = latest_jobs(["resize_avatar"], [user.id]).get(user.id)
    form = profile or ProfileForm(user.display_name, user.bio, user.time_zone, user.locale)
    return page(
        "accounts/settings.html",
        422 if errors or form.errors else status,
        user=user,
        picture=avatar_url(user.avatar_key, 320),
        form=form,
        errors=errors or {},
        new_email=new_email,
        devices=devices,
        this_session_id=viewer.session_id,
        avatar_job=avatar_job if avatar_job and avatar_job.state != "succeeded" else None,
        silent_queues=silent_queues() if avatar_job and avatar_job.can_cancel else [],
        languages=languages(),
        cursor=cursor,
        time_zones=[(name, name.replace("_", " ")) for name in sorted(ProfileForm.time_zones())],
    )


def password_is_right(user_id: int, errors: Errors, key: str = "current_password") -> str | None:
    """Checks the password typed into the field `key`; its hash when it is right, else errors[key] is set.

    Counted like sign-ins, so that a stolen cookie can't be used to try passwords.
    """
    count_visit("LOGIN_RATE_LIMIT", "settings", str(user_id))
    with reading():
        password_hash = queries.password_hash_of(user_id)
    end_reading()
    if password_hash and password_matches(password_hash, request.form.get(key, "")):
        return password_hash
    errors[key] = _("This is not your present password.")
    return None


def _saved(words: str) -> ResponseReturnValue:
    flash(words, "success")
    return redirect(url_for("accounts.settings"), 303)


@blueprint.get("/settings")
def settings() -> ResponseReturnValue:
    return settings_page()


@blueprint.get("/settings/person")
def person() -> str:
    """One's own name and picture as the top bar shows them; open pages ask when either has changed."""
    return render_template("core/_person.html")


@blueprint.post("/settings/profile")
def save_profile() -> ResponseReturnValue:
    form = ProfileForm.read(request.form, [code for code, _name in languages()])
    if form.errors:
        return settings_page(profile=form)
    services.update_profile(
        signed_in_id(),
        display_name=form.display_name,
        bio=form.bio,
        time_zone=form.time_zone,
        locale=form.locale,
    )
    db.session.commit()
    return _saved(_("Saved."))


@blueprint.post("/settings/avatar")
def save_avatar() -> ResponseReturnValue:
    """Keeps the file and has a job make the sizes of it."""
    request.max_content_length = MAX_SOURCE_BYTES + FORM_EXTRA_BYTES
    file = request.files.get("picture")
    head = file.stream.read(512) if file else b""
    if file is None or filetype.image_match(head) is None:
        return settings_page(errors={"picture": _("Choose a picture: JPEG, PNG, WebP, GIF or AVIF.")})
    file.stream.seek(0)
    folder = store().scratch_dir()
    try:
        file.save(folder / "picture")
        source_key = store().adopt(folder / "picture", "avatar-sources")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    services.change_avatar(signed_in_id(), source_key)
    db.session.commit()
    return _saved(_("Your new picture will show in a moment."))


@blueprint.post("/settings/avatar/delete")
def remove_avatar() -> ResponseReturnValue:
    services.set_avatar(signed_in_id(), None)
    db.session.commit()
    return _saved(_("The picture is gone."))


@blueprint.post("/settings/password")
def change_password() -> ResponseReturnValue:
    """Asks for the present one, and signs every other device out."""
    viewer = current_viewer()
    errors: Errors = {}
    password = request.form.get("new_password", "")
    check_new_password(password, errors, key="new_password", names=(viewer.username,))
    old_hash = password_is_right(signed_in_id(), errors)
    if errors or old_hash is None:
        return settings_page(errors=errors)
    new_hash = hash_password(password)
    services.change_password(signed_in_id(), new_hash, old_hash=old_hash, keep_session_id=viewer.session_id)
    db.session.commit()
    return _saved(_("The new password counts from now on. Other devices are signed out."))


@blueprint.post("/settings/email")
def change_email() -> ResponseReturnValue:
    """The new address counts once the link that goes there was used."""
    errors: Errors = {}
    email = read_email(request.form, "new_email", errors)
    if password_is_right(signed_in_id(), errors, "email_password") is None or errors:
        return settings_page(errors=errors, new_email=email)
    try:
        services.request_email_change(signed_in_id(), email)
    except services.NameTakenError:
        db.session.rollback()
        return settings_page(errors={"new_email": _("Another account has this address.")}, new_email=email)
    db.session.commit()
    return _saved(_("We sent a link to %(email)s: open it to confirm the address.", email=email))


@blueprint.post("/settings/email/confirm")
def send_confirmation() -> ResponseReturnValue:
    """Sends the link again."""
    count_visit("RESET_RATE_LIMIT", "confirm", str(signed_in_id()))
    is_waiting = services.request_email_confirmation(signed_in_id())
    db.session.commit()
    return _saved(_("The link is on its way.") if is_waiting else _("Your address is confirmed already."))


@blueprint.post("/settings/devices/<int(max=2147483647):session_id>/revoke")
def revoke_device(session_id: int) -> ResponseReturnValue:
    if not services.revoke_session(signed_in_id(), session_id):
        abort(404)
    db.session.commit()
    return _saved(_("That device is signed out."))


@blueprint.post("/settings/devices/revoke-others")
def revoke_other_devices() -> ResponseReturnValue:
    services.revoke_sessions(signed_in_id(), besides_id=current_viewer().session_id)
    db.session.commit()
    return _saved(_("Every other device is signed out."))
