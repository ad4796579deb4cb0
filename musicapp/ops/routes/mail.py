"""The ledger of mails: what left, what waits, what came back."""

from __future__ import annotations

from datetime import date

from flask import Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import current_viewer
from musicapp.core.db import LARGEST_ID, db, row_id
from musicapp.core.pages import page_before
from musicapp.notifications.letters import WRITERS
from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.queries import mail as queries
from musicapp.ops.routes._blueprint import blueprint
from musicapp.ops.services import mail as services

ADDRESS = f"/admin/mail/<int(max={LARGEST_ID}):delivery_id>"


@blueprint.get("/admin/mail")
@admin_only
def mails() -> Response:
    """`q` in the address, `kind`, `state`, `day` (as 2030-01-31), `after` for the pages that follow."""
    text, kind, state = (request.args.get(name, "").strip() for name in ("q", "kind", "state"))
    day = request.args.get("day", type=date.fromisoformat)
    search = queries.MailSearch(text, kind, state, day, current_viewer().time_zone)
    found = queries.mails(search, request.args.get("after", type=row_id))
    return admin_page("ops/mails_page.html", found=found, search=search, kinds=sorted(WRITERS), states=queries.STATES)


@blueprint.get(ADDRESS)
@admin_only
def mail(delivery_id: int) -> Response:
    return admin_page("ops/mail_page.html", shown=_shown(delivery_id))


@blueprint.post(f"{ADDRESS}/again")
@admin_only
def send_mail_again(delivery_id: int) -> BaseResponse:
    shown = _shown(delivery_id)
    done = services.send_again(delivery_id, subject_words=shown.mail.subject or shown.address)
    db.session.commit()
    flash(_("It is queued again.") if done else _("It has left, or is on its way: nothing was done."))
    return redirect(url_for("ops.mail", delivery_id=delivery_id), 303)


@blueprint.get("/admin/mail/addresses")
@admin_only
def bouncing_addresses() -> Response:
    """`after` is the last address of the page before."""
    rows, next_after = queries.bouncing_addresses(request.args.get("after", ""))
    return admin_page("ops/mail_addresses_page.html", rows=rows, next_after=next_after)


@blueprint.post("/admin/mail/addresses/allow")
@admin_only
def allow_address() -> BaseResponse:
    done = services.allow_address(request.form.get("address", ""))
    db.session.commit()
    flash(_("Mails go there again.") if done else _("Nothing keeps mails from this address."))
    return redirect(page_before() or url_for("ops.bouncing_addresses"), 303)


def _shown(delivery_id: int) -> queries.MailPage:
    shown = queries.mail_page(delivery_id)
    if shown is None:
        abort(404)
    return shown
