"""What open pages see of a job, live."""

from __future__ import annotations

from typing import Any

from flask import render_template

from musicapp.core.db import LARGEST_ID
from musicapp.jobs import queries
from musicapp.jobs.presenting import shown
from musicapp.live.registry import fragment, topic


@fragment("job")
def render_job(job_id: int) -> str | None:
    job = queries.job_by_id(job_id)
    if job is None:
        return None
    view = queries.views_of([job])[0]
    return render_template("jobs/_job.html", job=view, shown=shown(view))


@topic("job")
def may_hear_job(viewer: Any, job_id: int | None) -> bool:
    # A topic's number may have 18 digits.
    return job_id is not None and job_id <= LARGEST_ID and queries.visible_job(viewer, job_id) is not None
