"""Background work of the index."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from musicapp.core.db import db, reading
from musicapp.jobs import services as jobs
from musicapp.jobs.context import JobContext
from musicapp.jobs.periodic import periodic
from musicapp.jobs.presenting import call
from musicapp.jobs.registry import job_kind
from musicapp.search import queries, services

call(rebuild_search_index=_l("Make the search index anew"))


@job_kind("rebuild_search_index")
def rebuild_search_index(job: JobContext) -> dict[str, int]:
    """Result: kind -> entries. Run twice, it changes nothing the second time."""
    job.step("Reading the library")
    return services.rebuild(after_batch=db.session.commit)


@periodic("search.refresh", words=_l("Brings the search index up to date: what was missed, what is played more"))
def refresh() -> dict[str, int]:
    """Daily: what was played more moves up, and what an error kept from the index comes into it."""
    jobs.add("rebuild_search_index")
    db.session.commit()
    return {"jobs": 1}


@periodic("search.fill_when_empty", words=_l("Fills a search index that is empty"))
def fill_when_empty() -> bool:
    """Every minute, one look: a library that is older than its index, or a restored one, can be searched soon."""
    with reading():
        is_wanted = queries.is_unfilled()
        db.session.rollback()
    if is_wanted:
        jobs.add("rebuild_search_index", unique_key="rebuild_search_index: it is empty")
        db.session.commit()
    return is_wanted
