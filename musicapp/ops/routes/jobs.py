"""The ledger of jobs: the list, one job, trying again and cancelling, one by one and in bulk."""

from __future__ import annotations

from flask import Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response as BaseResponse

from musicapp.core.db import LARGEST_ID, db, row_id
from musicapp.core.pages import page_before
from musicapp.jobs.presenting import words_of
from musicapp.jobs.registry import KINDS
from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.queries import jobs as queries
from musicapp.ops.routes._blueprint import blueprint
from musicapp.ops.services import jobs as services

ADDRESS = f"/admin/jobs/<int(max={LARGEST_ID}):job_id>"


@blueprint.get("/admin/jobs")
@admin_only
def jobs() -> Response:
    """`kind`, `state`, `owner` (a name), `age`, `q` choose; `after` is the key of the pages that follow."""
    wanted = queries.JobFilter.read(request.args)
    found = queries.jobs(wanted, request.args.get("after", type=row_id))
    kinds = sorted(((name, words_of(name)) for name in KINDS), key=lambda kind: kind[1])
    return admin_page(
        "ops/jobs_page.html",
        found=found,
        wanted=wanted,
        kinds=kinds,
        counts=queries.open_counts(),
    )


@blueprint.get(ADDRESS)
@admin_only
def job(job_id: int) -> Response:
    shown = queries.job_page(job_id)
    if shown is None:
        abort(404)
    return admin_page("ops/job_page.html", shown=shown)


@blueprint.post(f"{ADDRESS}/<any(retry, cancel):act>")
@admin_only
def act_on_job(job_id: int, act: str) -> BaseResponse:
    acted = services.act_on(act, [job_id])
    db.session.commit()
    flash(_acted_words(act, acted.done) if acted.done else _("Nothing to do: it has moved on already."))
    return _back()


@blueprint.post("/admin/jobs")
@admin_only
def act_on_jobs() -> BaseResponse:
    """`act` retry or cancel; `job` the ticked ones, or `kind`: all of it that have failed, or that wait."""
    act, kind = request.form.get("act", ""), request.form.get("kind", "")
    ids = request.form.getlist("job", type=row_id)
    if act not in services.ACTS or not (ids or kind in KINDS):
        flash(_("Tick the jobs first, then press the button."), "error")
        return _back()
    acted = services.act_on(act, ids) if ids else services.act_on_all(act, kind)
    db.session.commit()
    flash(_acted_words(act, acted.done))
    if acted.job_id:
        flash(_("%(left)s more are seen to by job %(id)s.", left=acted.left, id=acted.job_id))
    return _back()


def _acted_words(act: str, done: int) -> str:
    if act == services.RETRY:
        return str(ngettext("%(num)s job waits again.", "%(num)s jobs wait again.", done))
    return str(ngettext("%(num)s job is cancelled.", "%(num)s jobs are cancelled.", done))


def _back() -> BaseResponse:
    return redirect(page_before() or url_for("ops.jobs"), 303)
