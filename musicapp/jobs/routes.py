"""A job's page, try again, cancel."""

from __future__ import annotations

from flask import Blueprint, Response, abort, flash, jsonify, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from musicapp.core.db import db
from musicapp.core.pages import page, page_before, wants_fragment, wants_json
from musicapp.jobs import queries, services
from musicapp.jobs.models import Job
from musicapp.jobs.presenting import shown
from musicapp.live import services as live

FIELDS = ("id", "kind", "state", "step", "percent", "detail", "attempts", "error", "result", "place")

blueprint = Blueprint("jobs", __name__, url_prefix="/jobs", template_folder="templates")


def _job(job_id: int) -> Job:
    job = queries.visible_job(current_user, job_id)
    if job is None:
        abort(404)
    return job


@blueprint.get("/<int(max=2147483647):job_id>")
def job(job_id: int) -> Response:
    cursor = live.current_cursor()
    view = queries.views_of([_job(job_id)])[0]
    words = shown(view)
    if wants_json():
        told = {name: getattr(view, name) for name in FIELDS}
        response = jsonify(told | {"title": words.title, "url": words.url or None, "counts": words.counts})
    else:
        silent = queries.silent_queues()
        response = page("jobs/job_page.html", job=view, shown=words, cursor=cursor, silent_queues=silent)
    response.vary.add("Accept")
    return response


@blueprint.post("/<int(max=2147483647):job_id>/retry")
def retry(job_id: int) -> BaseResponse:
    done = services.retry(_job(job_id))
    db.session.commit()
    return _back(job_id, _("Queued again.") if done else _("This is already under way or done."))


@blueprint.post("/<int(max=2147483647):job_id>/cancel")
def cancel(job_id: int) -> BaseResponse:
    done = services.cancel(_job(job_id))
    db.session.commit()
    return _back(job_id, _("Stopping.") if done else _("This has already ended."))


@blueprint.get("/workers")
def workers() -> str:
    """The line that says when nobody is working; pages that wait ask for it every half minute."""
    return render_template("jobs/_workers.html", silent_queues=queries.silent_queues())


def _back(job_id: int, words: str) -> BaseResponse:
    """htmx gets nothing: the change reaches the page live. A plain form goes back to where it was."""
    if wants_json():
        return jsonify({"state": queries.job_by_id(job_id).state})  # type: ignore[union-attr]
    if wants_fragment():
        return Response(status=204)
    flash(words)
    return redirect(page_before() or url_for("jobs.job", job_id=job_id), 303)
