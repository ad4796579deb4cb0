"""Background work of the index."""

from __future__ import annotations

from celery import shared_task

from musicapp.core.db import db
from musicapp.jobs import services as jobs
from musicapp.jobs.context import JobContext
from musicapp.jobs.registry import job_kind
from musicapp.search import queries, services


@job_kind("rebuild_search_index")
def rebuild_search_index(job: JobContext) -> dict[str, int]:
    """Result: kind -> entries. Run twice, it changes nothing the second time."""
    job.step("Reading the library")
    return services.rebuild(after_batch=db.session.commit)


@shared_task(name="search.refresh")  # type: ignore[untyped-decorator]
def refresh() -> int:
    """Daily: what was played more moves up, and what an error kept from the index comes into it."""
    job_id = jobs.add("rebuild_search_index")
    db.session.commit()
    return job_id


@shared_task(name="search.fill_when_empty")  # type: ignore[untyped-decorator]
def fill_when_empty() -> bool:
    """Every minute, one look: a library that is older than its index, or a restored one, can be searched soon."""
    is_wanted = queries.is_unfilled()
    if is_wanted:
        jobs.add("rebuild_search_index", unique_key="rebuild_search_index: it is empty")
        db.session.commit()
    return is_wanted
