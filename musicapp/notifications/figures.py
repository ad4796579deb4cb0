"""An artist's figures: every Monday morning, where the reader lives, for each artist they make music as.

A week is the seven UTC days that ended last: tallies are made of those.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import exists, select

from musicapp.accounts.models import User
from musicapp.catalog.models import ArtistMember
from musicapp.core.db import db, insert_into, reading, utc_now
from musicapp.jobs.context import JobContext
from musicapp.jobs.periodic import periodic
from musicapp.jobs.registry import job_kind
from musicapp.notifications import due, mornings, posting
from musicapp.notifications.models import Delivery
from musicapp.notifications.readers import readers_of_mail
from musicapp.stats import queries as stats
from musicapp.stats.services import tally_day

FIGURES = "artist_figures"
TASK = "notifications.send_figures"
CHUNK_READERS = 200


@periodic(TASK, words=_l("Send artists their figures where Monday morning has come"))
def send_figures() -> dict[str, int]:
    """Every few minutes: a job for each time zone in which it is Monday, at the newsletter's hour."""
    at = current_app.config["NEWSLETTER_AT"]
    return {"time_zones": mornings.add_jobs(FIGURES, TASK, at, utc_now(), weekday=due.MONDAY)}


@job_kind(FIGURES, queue="default", max_attempts=posting.MAX_ATTEMPTS)
def send_figures_of_week(job: JobContext) -> dict[str, int]:
    """Arguments: time_zone, day, until. Result: what the mails came to (posting.send_waiting)."""
    if not job.arguments.get("is_filled"):
        last_day = datetime.fromisoformat(job.arguments["until"]).astimezone(UTC).date() - timedelta(days=1)
        tally_day(last_day)  # it may have ended a moment ago
        db.session.commit()
        while not job.arguments.get("is_filled"):
            job.check_cancelled()
            _add_deliveries(job, str(last_day - timedelta(days=6)))
    return posting.send_waiting(job)


def _add_deliveries(job: JobContext, first_day: str) -> None:
    """Deliveries of the readers that follow the one remembered, in a short transaction of its own."""
    with reading():
        readers = readers_of_mail(FIGURES, job.arguments["time_zone"], job.arguments.get("filled_to", 0))
        makes_music = exists().where(ArtistMember.user_id == User.id)
        user_ids = list(db.session.scalars(readers.where(makes_music).limit(CHUNK_READERS)))
        artists = _heard_artists(user_ids, first_day) if user_ids else {}
        db.session.rollback()
    if artists:
        db.session.execute(
            insert_into(Delivery).on_conflict_do_nothing(),
            [
                {
                    "job_id": job.id,
                    "kind": FIGURES,
                    "user_id": user_id,
                    "reason": f"{FIGURES}/{user_id}/{job.arguments['day']}",
                    "arguments": {"artist_ids": artist_ids, "first_day": first_day},
                }
                for user_id, artist_ids in artists.items()
            ],
        )
    if len(user_ids) < CHUNK_READERS:
        job.remember(is_filled=True)
    else:
        job.remember(filled_to=user_ids[-1])
    db.session.commit()


def _heard_artists(user_ids: Sequence[int], first_day: str) -> dict[int, list[int]]:
    """User id -> those of their artists of whom there is something to say; who has none of them is left out."""
    members = db.session.execute(
        select(ArtistMember.user_id, ArtistMember.artist_id)
        .where(ArtistMember.user_id.in_(user_ids))
        .order_by(ArtistMember.artist_id)
    ).all()
    ids = sorted({row.artist_id for row in members})
    weeks = stats.weeks_of_artists(ids, datetime.fromisoformat(first_day).date())
    heard = {week.artist_id for week in weeks if not week.is_silent}
    artists: dict[int, list[int]] = {}
    for row in members:
        if row.artist_id in heard:
            artists.setdefault(row.user_id, []).append(row.artist_id)
    return artists
