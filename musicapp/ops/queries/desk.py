"""The desk's first page: figures of the day, and what needs somebody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import InstrumentedAttribute

from musicapp.accounts.models import User
from musicapp.core.db import db, utc_now
from musicapp.jobs.models import FAILED, Job
from musicapp.notifications.models import Delivery
from musicapp.ops.models import Report
from musicapp.ops.queries.health import Readiness, readiness
from musicapp.ops.queries.queues import Work, queues
from musicapp.ops.queries.storage import Disk, disk
from musicapp.ops.queries.workers import Workers, workers
from musicapp.playback.models import Play

LATE_AFTER_S = 300
"""A job that could have begun so long ago is worth a look."""


@dataclass(frozen=True, slots=True)
class Concern:
    """Something that needs somebody: words, the endpoint that shows more ("" where none does), how bad it is."""

    words: str
    endpoint: str
    is_bad: bool = False


@dataclass(frozen=True, slots=True)
class Overview:
    users: int
    new_users: int
    plays_today: int
    failed_jobs: int
    mails_waiting: int
    mails_failed: int
    mails_sent: int
    open_reports: int
    disk: Disk | None
    queues: list[Work]
    workers: Workers
    readiness: Readiness

    @property
    def worker_count(self) -> int | None:
        return None if self.workers.workers is None else len(self.workers.workers)

    @property
    def concerns(self) -> list[Concern]:
        """The worst first; empty on a good day."""
        found = [
            Concern(str(part["words"]), "", part["status"] == "failing")
            for part in self.readiness.parts.values()
            if part["status"] != "ok" and part.get("words")
        ]
        late = [queue.name for queue in self.queues if (queue.oldest_s or 0) > LATE_AFTER_S]
        if late:
            found.append(Concern(_("Jobs wait for long: %(queues)s.", queues=", ".join(late)), "ops.queues"))
        if self.failed_jobs:
            words = ngettext(
                "%(num)s job failed in the last day.", "%(num)s jobs failed in the last day.", self.failed_jobs
            )
            found.append(Concern(words, "ops.failures"))
        if self.mails_failed:
            words = ngettext(
                "%(num)s mail failed in the last day.", "%(num)s mails failed in the last day.", self.mails_failed
            )
            found.append(Concern(words, "ops.mails"))
        if self.open_reports:
            words = ngettext("%(num)s report waits for you.", "%(num)s reports wait for you.", self.open_reports)
            found.append(Concern(words, "ops.reports"))
        if self.disk is not None and self.disk.is_low:
            found.append(Concern(_("Less than a tenth of the disk is free."), "ops.storage"))
        return sorted(found, key=lambda concern: not concern.is_bad)


def overview(today_began_at: datetime) -> Overview:
    """`today_began_at`: midnight of the one who looks."""
    a_day_ago = utc_now() - timedelta(days=1)
    is_recent = Delivery.created_at >= a_day_ago
    users, new_users = db.session.execute(
        select(func.count(), func.count().filter(User.created_at >= a_day_ago)).where(User.deleted_at.is_(None))
    ).one()
    rows = db.session.execute(select(Delivery.state, func.count()).where(is_recent).group_by(Delivery.state))
    mails = {row[0]: row[1] for row in rows}
    plays_today, failed_jobs, open_reports = db.session.execute(
        select(
            _counted(Play.id, Play.started_at >= today_began_at),
            _counted(Job.id, Job.state == FAILED, Job.finished_at >= a_day_ago),
            _counted(Report.id, Report.state == "open"),
        )
    ).one()
    return Overview(
        users=users,
        new_users=new_users,
        plays_today=plays_today,
        failed_jobs=failed_jobs,
        mails_waiting=mails.get("waiting", 0) + mails.get("sending", 0),
        mails_failed=mails.get("failed", 0),
        mails_sent=mails.get("sent", 0),
        open_reports=open_reports,
        disk=disk(),
        queues=queues().queues,
        workers=workers(),
        readiness=readiness(),
    )


def _counted(column: InstrumentedAttribute[int], *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count(column)).where(*conditions).scalar_subquery()
