"""Users: the list, one account, and what an admin does with it."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, abort, current_app, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import signed_in_id
from musicapp.accounts.oversight import OversightError
from musicapp.core.db import LARGEST_ID, db, reading, row_id
from musicapp.jobs.presenting import words_of
from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.forms import QuotaForm, read_words
from musicapp.ops.queries import users as queries
from musicapp.ops.routes._blueprint import blueprint
from musicapp.ops.services import people

ADDRESS = f"/admin/users/<int(max={LARGEST_ID}):user_id>"
FOR_ONESELF = {"ops.set_quotas", "ops.confirm_address", "ops.send_reset_link"}


@blueprint.get("/admin/users")
@admin_only
def users() -> Response:
    """`q` in names and addresses, `show` one of queries.SHOWS, `after` for the pages that follow."""
    text, show = request.args.get("q", "").strip(), request.args.get("show", "all")
    found = queries.users(text, show, request.args.get("after", type=row_id))
    return admin_page("ops/users_page.html", found=found, counts=queries.user_counts(), q=text, show=show)


@blueprint.get(ADDRESS)
@admin_only
def user(user_id: int) -> Response:
    return _page(user_id)


@reading()
def _page(user_id: int, status: int = 200, *, form: QuotaForm | None = None, words: str = "") -> Response:
    """The account; `words` say why what was asked for can't be done."""
    shown = queries.user_page(user_id, seen_for=current_app.permanent_session_lifetime)
    if shown is None:
        abort(404)
    form = form or QuotaForm.of(shown.user.quota_bytes, shown.user.quota_seconds)
    is_self = user_id == signed_in_id()
    return admin_page(
        "ops/user_page.html", status, shown=shown, form=form, words=words, is_self=is_self, job_words=words_of
    )


@blueprint.post(f"{ADDRESS}/suspend")
@admin_only
def suspend_user(user_id: int) -> BaseResponse:
    reason = read_words(request.form, "reason")
    if not reason:
        return _page(user_id, 422, words=_("Write why: the person reads it at the sign-in."))
    return _done(user_id, lambda: people.suspend(user_id, reason), _("Suspended, and signed out everywhere."))


@blueprint.post(f"{ADDRESS}/unsuspend")
@admin_only
def unsuspend_user(user_id: int) -> BaseResponse:
    return _done(user_id, lambda: people.unsuspend(user_id), _("The account is open again."))


@blueprint.post(f"{ADDRESS}/role")
@admin_only
def set_role(user_id: int) -> BaseResponse:
    is_admin = request.form.get("role") == "admin"
    words = _("This person is an admin now.") if is_admin else _("This person is no admin any more.")
    return _done(user_id, lambda: people.set_admin(user_id, is_admin), words)


@blueprint.post(f"{ADDRESS}/quotas")
@admin_only
def set_quotas(user_id: int) -> BaseResponse:
    form = QuotaForm.read(request.form)
    if form.errors:
        return _page(user_id, 422, form=form)
    quotas = {"quota_bytes": form.quota_bytes, "quota_seconds": form.quota_seconds}
    return _done(user_id, lambda: people.set_quotas(user_id, **quotas), _("Saved."))


@blueprint.post(f"{ADDRESS}/confirm")
@admin_only
def confirm_address(user_id: int) -> BaseResponse:
    return _done(user_id, lambda: people.confirm_address(user_id), _("The address counts as confirmed."))


@blueprint.post(f"{ADDRESS}/reset")
@admin_only
def send_reset_link(user_id: int) -> BaseResponse:
    return _done(user_id, lambda: people.send_reset_link(user_id), _("The link is on its way."))


@blueprint.post(f"{ADDRESS}/sign-out")
@admin_only
def sign_out_user(user_id: int) -> BaseResponse:
    return _done(user_id, lambda: people.sign_out_everywhere(user_id), _("Every device was signed out."))


def _done(user_id: int, act: Callable[[], object], words: str) -> BaseResponse:
    """Does it, for anybody but oneself: who locks the own door behind oneself needs another admin."""
    if user_id == signed_in_id() and request.endpoint not in FOR_ONESELF:
        return _page(user_id, 422, words=_("You can't do this to your own account. Ask another admin."))
    try:
        changed = act()
    except OversightError as error:
        db.session.rollback()
        return _page(user_id, 422, words=str(error))
    db.session.commit()
    flash(_("That is so already.") if changed is False else words)
    return redirect(url_for("ops.user", user_id=user_id), 303)
