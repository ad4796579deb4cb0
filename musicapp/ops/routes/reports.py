"""Reports: the form for everybody who is signed in, and the desk where they are decided."""

from __future__ import annotations

from flask import Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import safe_next, signed_in_id
from musicapp.accounts.oversight import OversightError
from musicapp.core.db import LARGEST_ID, db, reading, row_id
from musicapp.core.limits import count_visit
from musicapp.core.pages import page, page_before
from musicapp.ops import reportable
from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.forms import read_words
from musicapp.ops.queries import reports as queries
from musicapp.ops.routes._blueprint import blueprint
from musicapp.ops.services import reports as services

ADDRESS = f"/admin/reports/<int(max={LARGEST_ID}):report_id>"


@blueprint.get("/report")
def report() -> Response:
    """`subject=album-3`; what one may not see can't be reported: 404."""
    subject = reportable.subject_for(signed_in_id(), request.args.get("subject", ""))
    return _form(subject, page_before() or subject.url)


@reading()
def _form(subject: queries.Subject, back: str, status: int = 200, **words: str) -> Response:
    reasons = list(reportable.REASONS.items())
    return page("ops/report_form_page.html", status, subject=subject, reasons=reasons, back=back, **words)


@blueprint.post("/report")
def send_report() -> BaseResponse:
    user_id, words, reason = signed_in_id(), read_words(request.form, "words"), request.form.get("reason", "")
    with reading():
        subject = reportable.subject_for(user_id, request.form.get("subject", ""))
    db.session.rollback()
    back = safe_next(request.form.get("back")) or subject.url
    if error := reportable.problem(reason, words):
        return _form(subject, back, 422, error=error, words=words, reason=reason)
    count_visit("REPORT_RATE_LIMIT", str(user_id))
    is_new = services.report(user_id, subject.kind, subject.id, reason=reason, words=words)
    db.session.commit()
    flash(_("Thank you. We will look at it and tell you.") if is_new else _("You have reported this already."))
    return redirect(back, 303)


@blueprint.get("/admin/reports")
@admin_only
def reports() -> Response:
    """`state` is open, dismissed or acted; `after` for the pages that follow."""
    state = request.args.get("state", "open")
    found = queries.reports(state, request.args.get("after", type=row_id))
    counts = queries.report_counts()
    return admin_page("ops/reports_page.html", found=found, counts=counts, state=state, reasons=reportable.REASONS)


@blueprint.get(ADDRESS)
@admin_only
def report_page(report_id: int) -> Response:
    return _page(report_id)


@reading()
def _page(report_id: int, status: int = 200, words: str = "", typed: str = "") -> Response:
    """The report; `words` say why what was asked for can't be done, `typed` is what stood in the form."""
    shown = queries.report_by_id(report_id)
    if shown is None:
        abort(404)
    others = queries.reports_about([(shown.subject_kind, shown.subject_id)], limit=10)
    return admin_page(
        "ops/report_page.html",
        status,
        shown=shown,
        people=queries.people_behind(shown.subject) if shown.subject else [],
        others=[other for other in others if other.id != report_id],
        deeds=services.deeds_for(shown.subject_kind),
        reasons=reportable.REASONS,
        words=words,
        typed=typed,
    )


@blueprint.post(ADDRESS)
@admin_only
def decide_report(report_id: int) -> BaseResponse:
    """`deed` is dismiss, or one of services.deeds_for; `words` go to the reporter, and to who made the thing."""
    deed, words = request.form.get("deed", ""), read_words(request.form, "words")
    try:
        services.decide(report_id, deed, words)
    except LookupError as error:
        abort(400 if isinstance(error, KeyError) else 404)
    except (OversightError, services.DecisionError) as error:
        db.session.rollback()
        return _page(report_id, 422, str(error), words)
    db.session.commit()
    flash(_("Decided. The person who reported it is told."))
    return redirect(url_for("ops.reports"), 303)
