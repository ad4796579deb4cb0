"""What is behind playback's kinds of job."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from musicapp.core.db import db
from musicapp.jobs.context import JobContext
from musicapp.jobs.periodic import periodic
from musicapp.jobs.presenting import call
from musicapp.jobs.registry import job_kind
from musicapp.playback import forgetting, services
from musicapp.playback.play_queue import services as play_queue

call(forget_listener=_l("Take a closed account out of what was heard"))


@job_kind("forget_listener", queue="default")
def forget_listener(job: JobContext) -> None:
    """Cuts the tie between a deleted user and what they heard."""
    services.forget_listener(job.subject_id)
    play_queue.forget(job.subject_id)
    db.session.commit()


@periodic("playback.purge_events", words=_l("Removes what players reported long ago; the plays counted from it stay"))
def purge_events() -> dict[str, int]:
    """Daily: removes listening events that no hearing can need any more, a batch at a time."""
    events = 0
    while removed := services.purge_events():
        db.session.commit()
        events += removed
    db.session.rollback()
    return {"events": events}


@periodic("playback.forget_deleted_plays", words=_l("Cuts the tie to plays that were taken out of a history"))
def forget_deleted_plays() -> dict[str, int]:
    """Daily: plays that were taken out of a history a day ago are nobody's from now on."""
    plays = 0
    while forgotten := forgetting.forget_deleted_plays():
        db.session.commit()
        plays += forgotten
    return {"plays": plays}
