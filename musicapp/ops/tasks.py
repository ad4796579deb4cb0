"""What the desk asks of many jobs, in the background."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l

from musicapp.core.db import db
from musicapp.jobs import presenting
from musicapp.jobs.context import JobContext
from musicapp.jobs.registry import GoOn, job_kind
from musicapp.ops.services.jobs import act_on_part

presenting.call(act_on_jobs=_l("Try again or cancel many jobs"))


@job_kind("act_on_jobs")
def act_on_jobs(job: JobContext) -> dict[str, Any]:
    """Goes on where a request has begun; arguments: act, kind, until. Its own kind of job is not among them."""
    until = datetime.fromisoformat(job.arguments["until"])
    changed, left = act_on_part(job.arguments["act"], job.arguments["kind"], until)
    db.session.commit()
    if changed and left:
        raise GoOn
    return {"left": left}
