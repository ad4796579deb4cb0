"""The schedule: what runs when, run now, and where it lives in the database, every edit of it."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

from flask import Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.forms import ProfileForm
from musicapp.accounts.identity import current_viewer
from musicapp.core.db import LARGEST_ID, db, reading
from musicapp.core.pages import page_before
from musicapp.jobs.periodic import PERIODIC, NobodyToAskError, ask_for_run
from musicapp.jobs.schedule_rows import Entry, NameTakenError, entry_by_id
from musicapp.live import services as live
from musicapp.ops.admin import admin_only, admin_page
from musicapp.ops.queries import schedules as queries
from musicapp.ops.routes._blueprint import blueprint
from musicapp.ops.schedule_form import ScheduleForm
from musicapp.ops.services import schedules as services

ENTRY = f"/admin/schedules/<int(max={LARGEST_ID}):entry_id>"


@blueprint.get("/admin/schedules")
@admin_only
def schedules() -> Response:
    cursor = live.current_cursor()
    return admin_page("ops/schedules_page.html", **_shown(), cursor=cursor)


@blueprint.get("/admin/schedules/rows")
@admin_only
def schedule_rows() -> Response:
    """The part that changes: the page fetches it when a run begins or ends."""
    return admin_page("ops/_schedules.html", **_shown())


def _shown() -> dict[str, Any]:
    return {
        "found": queries.schedules(),
        "can_edit": queries.can_be_edited(),
        **_words(),
    }


def _words() -> dict[str, Any]:
    zone = ZoneInfo(current_viewer().time_zone)
    return {"zone": zone, "result_words": queries.result_words, "clock_words": queries.clock_words}


@blueprint.get("/admin/schedules/tasks/<task>")
@admin_only
def periodic_task(task: str) -> Response:
    if task not in PERIODIC:
        abort(404)
    runs = queries.runs_of(task)
    return admin_page("ops/periodic_task_page.html", task=PERIODIC[task], runs=runs, **_words())


@blueprint.post("/admin/schedules/tasks/<task>/run")
@admin_only
def run_periodic_task(task: str) -> BaseResponse:
    if task not in PERIODIC:
        abort(404)
    started_by = current_viewer().username[:40]
    db.session.rollback()  # nothing is held while Redis is asked
    try:
        ask_for_run(task, started_by=started_by)
    except NobodyToAskError:
        flash(_("Redis is away, so no worker can be told. Start it, and press the button again."), "error")
    else:
        services.note_run(task)
        db.session.commit()
        flash(_("A worker is told. The result appears here."))
    return redirect(page_before() or url_for("ops.schedules"), 303)


@blueprint.get("/admin/schedules/new")
@admin_only
def new_schedule() -> Response:
    _only_in_database()
    return _form(None, ScheduleForm(task=request.args.get("task", ""), time_zone=current_viewer().time_zone))


@blueprint.get(ENTRY)
@admin_only
def schedule(entry_id: int) -> Response:
    entry = _entry(entry_id)
    return _form(entry, ScheduleForm.of(entry, current_viewer().time_zone))


@blueprint.post("/admin/schedules/new", defaults={"entry_id": None})
@blueprint.post(ENTRY)
@admin_only
def save_schedule(entry_id: int | None) -> BaseResponse:
    _only_in_database()
    entry = _entry(entry_id) if entry_id is not None else None
    form = ScheduleForm.read(request.form, current_viewer().time_zone)
    if form.errors or form.timing is None:
        return _form(entry, form, 422)
    try:
        services.save(entry, form.name, form.task, form.timing)
    except NameTakenError:
        db.session.rollback()
        form.errors["name"] = _("Another entry has this name. Choose a different one.")
        return _form(entry, form, 422)
    db.session.commit()
    flash(_("Saved. The clock knows it within a few seconds."))
    return redirect(url_for("ops.schedules"), 303)


@blueprint.post(f"{ENTRY}/switch")
@admin_only
def switch_schedule(entry_id: int) -> BaseResponse:
    """`on` is 1 or 0."""
    is_on = request.form.get("on") == "1"
    services.switch(_entry(entry_id), is_on)
    db.session.commit()
    flash(_("Switched on.") if is_on else _("Switched off. It does not run until it is switched on again."))
    return redirect(url_for("ops.schedules"), 303)


@blueprint.post(f"{ENTRY}/remove")
@admin_only
def remove_schedule(entry_id: int) -> BaseResponse:
    entry = _entry(entry_id)
    services.remove(entry)
    db.session.commit()
    flash(_("“%(name)s” is removed.", name=entry.name))
    return redirect(url_for("ops.schedules"), 303)


@reading()
def _form(entry: Entry | None, form: ScheduleForm, status: int = 200) -> Response:
    return admin_page(
        "ops/schedule_page.html",
        status,
        entry=entry,
        form=form,
        tasks=queries.task_choices([entry.task] if entry else []),
        zones=[(zone, zone) for zone in sorted(ProfileForm.time_zones())],
        own_zone=current_viewer().time_zone,
        can_be_removed=entry is not None and queries.is_added(entry.name),
    )


def _only_in_database() -> None:
    if not queries.can_be_edited():
        abort(404)


def _entry(entry_id: int) -> Entry:
    _only_in_database()
    found = entry_by_id(entry_id)
    if found is None:
        abort(404)
    return found
