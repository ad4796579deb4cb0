"""Asks for a walk through the store."""

from __future__ import annotations

from musicapp.jobs import services as jobs
from musicapp.ops.audit import audit
from musicapp.ops.queries.storage import MEASURE, running_walk


def measure(owner_id: int) -> bool:
    """Adds the job; False where one waits or is under way."""
    if running_walk() is not None:
        return False
    audit("storage.measure", job_id=jobs.add(MEASURE, owner_id=owner_id))
    return True
