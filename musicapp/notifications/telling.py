"""One event, several outlets: a job finds who shall hear of something and hands them to each outlet, a chunk at a time.

What is told is told once for a reason: the job is unique by it, and so is every row that an outlet writes. How far each
outlet is stands in the job, written with the rows themselves, so a killed worker's successor goes on where it stopped.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import Any

from sqlalchemy import Select

from musicapp.core.db import db, utc_now
from musicapp.jobs import services as jobs
from musicapp.jobs.context import JobContext
from musicapp.jobs.registry import GoOn, job_kind
from musicapp.notifications.audiences import audience_of
from musicapp.notifications.kinds import KINDS
from musicapp.notifications.outlets import OUTLETS, Outlet, Telling
from musicapp.notifications.posting import MAX_ATTEMPTS
from musicapp.notifications.readers import next_readers

PART_SECONDS = 1.5
"""Then the job stands at the end of the queue again: nobody's single mail waits longer behind a mailing."""


def tell(
    kind: str,
    *,
    subject_id: int,
    arguments: dict[str, Any] | None = None,
    reason: str = "",
    owner_id: int | None = None,
    run_at: datetime | None = None,
) -> int:
    """Adds the job that tells of something to the current transaction and returns its id.

    `reason` (default `<kind>/<subject_id>`, at most 120 letters): told once for each, whatever comes later under the
    same one; the job that is there already is returned. `arguments` are ids and short strings; `user_ids` among them
    names the audience of a kind that is about one person. Raises KeyError for a kind that nobody declared.
    """
    reason = reason or f"{KINDS[kind].name}/{subject_id}"
    return jobs.add(
        "tell",
        subject_id=subject_id,
        owner_id=owner_id,
        unique_key=f"tell/{reason}",
        arguments={"kind": KINDS[kind].name, "reason": reason, "about": arguments or {}},
        run_at=run_at,
    )


@job_kind("tell", queue="default", max_attempts=MAX_ATTEMPTS)
def tell_everybody(job: JobContext) -> dict[str, int]:
    """Result: for each outlet how many it told, and what its mails came to (posting.send_waiting)."""
    told = _told_of(job)
    if told.kind.name == "announcement":  # its author follows it on a page of its own
        job.shows_on(f"announcement-{told.subject_id}", "announcement", told.subject_id)
    audience = audience_of(told.kind.name, told.subject_id, told.arguments)
    ends_at = time.monotonic() + PART_SECONDS
    outlets = [outlet for outlet in OUTLETS.values() if outlet.choices(told.kind)]
    not_before = [outlet.begins_at(told) for outlet in outlets if not _tell_all(job, told, outlet, audience, ends_at)]
    if not_before:
        raise GoOn(max(0.0, (min(not_before) - utc_now()).total_seconds()))
    counts: dict[str, int] = {outlet.name: job.arguments["told"][outlet.name]["count"] for outlet in outlets}
    for outlet in outlets:
        counts |= outlet.finish(told, job)
    return counts


def _told_of(job: JobContext) -> Telling:
    if "began_at" not in job.arguments:
        # From now on it happened then, also where it was put off and is told in parts.
        job.remember(began_at=utc_now().isoformat())
        db.session.commit()
    return Telling(
        job_id=job.id,
        kind=KINDS[job.arguments["kind"]],
        subject_id=job.subject_id,
        arguments=job.arguments["about"],
        reason=job.arguments["reason"],
        happened_at=datetime.fromisoformat(job.arguments["began_at"]),
    )


def _tell_all(job: JobContext, told: Telling, outlet: Outlet, audience: Select[Any], ends_at: float) -> bool:
    """Tells whom this outlet has not told yet; False where its time has not come. Raises GoOn after a part."""
    has_come = utc_now() >= outlet.begins_at(told)
    progress = {"to": 0, "count": 0, "is_done": False} | job.arguments.get("told", {}).get(outlet.name, {})
    while has_come and not progress["is_done"]:
        job.check_cancelled()
        readers = next_readers(audience, progress["to"])
        if readers is None:
            progress["is_done"] = True
        else:
            progress["count"] += outlet.tell(told, readers)
            progress["to"] = readers.upto
        job.remember(told={**job.arguments.get("told", {}), outlet.name: dict(progress)})
        db.session.commit()
        if time.monotonic() > ends_at:
            raise GoOn
    return has_come
