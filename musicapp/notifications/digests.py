"""Daily and weekly digests: what waits for a reader goes out as one mail, in the morning where they live.

For each time zone whose morning has come there is one job. Its deliveries are unique by reader and day, so a job that
is tried again, or a reader who moves to another zone, gets no second one. Entries go once their mail has an end.
"""

from __future__ import annotations

from datetime import date, datetime, time
from typing import Any

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select

from musicapp.accounts.models import User
from musicapp.core.db import db, insert_into, reading, utc_now
from musicapp.jobs import services as jobs
from musicapp.jobs.context import JobContext
from musicapp.jobs.periodic import periodic
from musicapp.jobs.registry import job_kind
from musicapp.notifications import due, posting, preferences
from musicapp.notifications.kinds import MAIL, WEEKLY
from musicapp.notifications.models import CANCELLED, FAILED, SENT, SUPPRESSED, Delivery, DigestEntry
from musicapp.notifications.notices import services as notices
from musicapp.playlists import services as playlists

CHUNK_READERS = 500
DIGEST = "digest"
"""The kind of mail: letters.WRITERS has it. Arguments: entry_ids, frequency, and `before` which instant they came."""


@periodic("notifications.send_digests", words=_l("Sends daily and weekly digests where it is morning"))
def send_digests() -> dict[str, int]:
    """Every few minutes: a job for each time zone whose morning has come and where somebody's entries wait."""
    with reading():
        due_now = due_digests(utc_now())
        db.session.rollback()
    for frequency, time_zone, before, day in due_now:
        jobs.add(
            "digest",
            unique_key=f"digest/{frequency}/{time_zone}/{day}",
            arguments={"frequency": frequency, "time_zone": time_zone, "before": before.isoformat(), "day": str(day)},
        )
    db.session.commit()
    return {"time_zones": len(due_now)}


@periodic("notifications.ask_for_playlist_digests", words=_l("Tells who wants to know what changed in playlists"))
def ask_for_playlist_digests() -> int:
    """Hourly: what others changed becomes a notice, or an entry of a digest, for whoever chose so."""
    count = playlists.ask_for_digests(preferences.who_wants(preferences.PLAYLIST_CHANGED))
    db.session.commit()
    return count


@periodic("notifications.purge_notices", words=_l("Removes old notices"))
def purge_notices() -> dict[str, int]:
    """Daily: removes notices older than NOTICE_DAYS, a thousand at a time."""
    removed = 0
    while count := notices.purge(current_app.config["NOTICE_DAYS"]):
        db.session.commit()
        removed += count
    db.session.commit()
    return {"notices": removed}


def due_digests(now: datetime) -> list[tuple[str, str, datetime, date]]:
    """(frequency, time zone, instant, local date) of the mornings that came while entries waited; one statement."""
    at = time.fromisoformat(current_app.config["DIGEST_AT"])
    waiting = (
        select(User.time_zone, DigestEntry.frequency, func.min(DigestEntry.created_at).label("first_at"))
        .join(User, User.id == DigestEntry.user_id)
        .where(DigestEntry.outlet == MAIL, User.deleted_at.is_(None), User.suspended_at.is_(None))
        .group_by(User.time_zone, DigestEntry.frequency)
    )
    found = []
    for row in db.session.execute(waiting):
        weekday = due.MONDAY if row.frequency == WEEKLY else None
        instant, day = due.latest(now, due.zone_of(row.time_zone), at, weekday)
        if row.first_at < instant:
            found.append((row.frequency, row.time_zone, instant, day))
    return found


@job_kind("digest", queue="default", max_attempts=posting.MAX_ATTEMPTS)
def send_digest(job: JobContext) -> dict[str, int]:
    """Arguments: frequency, time_zone, before, day. Result: what the mails came to (posting.send_waiting)."""
    while not job.arguments.get("is_filled"):
        job.check_cancelled()
        _add_deliveries(job)
    try:
        return posting.send_waiting(job)
    finally:
        # In parts: also where the rest goes out later.
        _remove_sent_entries(job)


def _add_deliveries(job: JobContext) -> None:
    """Deliveries of the readers that follow the one remembered, in a transaction of its own."""
    frequency, day = job.arguments["frequency"], job.arguments["day"]
    before = datetime.fromisoformat(job.arguments["before"])
    entries = (
        select(DigestEntry.user_id, DigestEntry.id)
        .join(User, User.id == DigestEntry.user_id)
        .where(*_waiting(frequency, before), User.time_zone == job.arguments["time_zone"])
        .where(User.deleted_at.is_(None), User.suspended_at.is_(None))
    )
    readers = (
        entries.with_only_columns(DigestEntry.user_id)
        .where(DigestEntry.user_id > job.arguments.get("filled_to", 0))
        .distinct()
        .order_by(DigestEntry.user_id)
        .limit(CHUNK_READERS)
    )
    with reading():
        user_ids = list(db.session.scalars(readers))
        ids: dict[int, list[int]] = {user_id: [] for user_id in user_ids}
        if user_ids:
            between = entries.where(DigestEntry.user_id >= user_ids[0], DigestEntry.user_id <= user_ids[-1])
            for row in db.session.execute(between.order_by(DigestEntry.id)):
                ids[row.user_id].append(row.id)
        db.session.rollback()
    if not user_ids:
        job.remember(is_filled=True)
    else:
        db.session.execute(
            insert_into(Delivery).on_conflict_do_nothing(),
            [
                {
                    "job_id": job.id,
                    "kind": DIGEST,
                    "user_id": user_id,
                    "reason": f"{DIGEST}/{frequency}/{user_id}/{day}",
                    "arguments": {"entry_ids": entry_ids, "frequency": frequency},
                }
                for user_id, entry_ids in ids.items()
            ],
        )
        job.remember(filled_to=user_ids[-1])
    db.session.commit()


def _remove_sent_entries(job: JobContext) -> None:
    """Those that stood in the mails, by their ids: what came to a reader's next digest meanwhile is not among them."""
    db.session.rollback()
    before = datetime.fromisoformat(job.arguments["before"])
    # of readers who have something left: a mailing in many parts looks at each of its mails once
    left = select(DigestEntry.user_id).where(*_waiting(job.arguments["frequency"], before))
    ended = select(Delivery.arguments).where(
        Delivery.job_id == job.id,
        Delivery.state.in_((SENT, SUPPRESSED, FAILED, CANCELLED)),
        Delivery.user_id.in_(left),
    )
    with reading():
        entry_ids = [entry_id for arguments in db.session.scalars(ended) for entry_id in arguments["entry_ids"]]
        db.session.rollback()
    for first in range(0, len(entry_ids), CHUNK_READERS):
        gone = DigestEntry.id.in_(entry_ids[first : first + CHUNK_READERS])
        db.session.execute(delete(DigestEntry).where(gone).execution_options(synchronize_session=False))
    db.session.commit()


def _waiting(frequency: str, before: datetime) -> tuple[Any, ...]:
    return DigestEntry.outlet == MAIL, DigestEntry.frequency == frequency, DigestEntry.created_at < before
