"""The ledger of jobs as the desk lists it, one job with everything about it, and what failed lately."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, func, or_, select

from musicapp.accounts.models import User
from musicapp.core.db import LARGEST_ID, db, utc_now
from musicapp.jobs.models import CANCELLED, FAILED, LOST, QUEUED, RUNNING, Job, PeriodicRun
from musicapp.jobs.presenting import Shown, shown, words_of
from musicapp.jobs.queries import JobView, Progress, progress_of, views_of
from musicapp.jobs.registry import KINDS

PER_PAGE = 50

AGES = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(weeks=1)}
STUCK = "stuck"
"""Besides AGES: work that could have begun more than an hour ago and is not over."""
LOOKED_AT = 500
"""How many of the newest failures are sorted by what went wrong."""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are asked for; what is empty doesn't matter. `text`: an id, a subject's id, a key or a request's."""

    kind: str = ""
    state: str = ""
    owner: str = ""
    age: str = ""
    text: str = ""

    @classmethod
    def read(cls, arguments: Mapping[str, str]) -> JobFilter:
        found = {name: arguments.get(name, "").strip() for name in ("kind", "state", "owner", "age")}
        return cls(**found, text=arguments.get("q", "").strip()[:190])

    @property
    def arguments(self) -> dict[str, str]:
        """As they stand in an address."""
        found = {"kind": self.kind, "state": self.state, "owner": self.owner, "age": self.age, "q": self.text}
        return {name: value for name, value in found.items() if value}

    def but(self, **changes: str) -> dict[str, str]:
        return replace(self, **changes).arguments

    def conditions(self) -> list[ColumnElement[bool]]:
        now = utc_now()
        found: list[ColumnElement[bool]] = []
        if self.kind:
            found.append(Job.kind == self.kind)
        if self.state:
            found.append(Job.state == self.state)
        if self.owner:
            found.append(
                Job.owner_id == select(User.id).where(User.username_key == self.owner.lower()).scalar_subquery()
            )
        if self.age in AGES:
            found.append(or_(Job.finished_at >= now - AGES[self.age], Job.state.in_([QUEUED, RUNNING])))
        elif self.age == STUCK:
            found.append(and_(Job.state.in_([QUEUED, RUNNING]), Job.run_at <= now - timedelta(hours=1)))
        if self.text:
            found.append(_of_text(self.text, self.kind))
        return found


def _of_text(text: str, kind: str) -> ColumnElement[bool]:
    number = text.lstrip("#")
    if number.isascii() and number.isdigit() and int(number) <= LARGEST_ID:
        # With the kinds by name the index of subjects can be used.
        kinds = [kind] if kind else list(KINDS)
        return or_(Job.id == int(number), and_(Job.kind.in_(kinds), Job.subject_id == int(number)))
    return or_(Job.unique_key == text, Job.request_id == text)


@dataclass(frozen=True, slots=True)
class JobRow:
    """A line of the list. `when`: when it ended, began, or may begin, by its state."""

    id: int
    kind: str
    words: str
    subject_id: int | None
    state: str
    step: str
    attempts: int
    max_attempts: int
    when: datetime
    error: str
    owner_id: int | None
    owner: str
    progress: Progress
    is_cancel_requested: bool

    @property
    def can_retry(self) -> bool:
        return self.state in {FAILED, CANCELLED}

    @property
    def can_cancel(self) -> bool:
        return self.state in {QUEUED, RUNNING} and not self.is_cancel_requested


@dataclass(frozen=True, slots=True)
class JobList:
    """A page of the ledger, newest first; `next_after` is the key of the next page, None on the last."""

    rows: list[JobRow]
    next_after: int | None


def jobs(wanted: JobFilter, after: int | None = None) -> JobList:
    """One statement and one question to Redis."""
    statement = (
        select(
            Job.id,
            Job.kind,
            Job.subject_id,
            Job.state,
            Job.step,
            Job.attempts,
            Job.max_attempts,
            Job.run_at,
            Job.started_at,
            Job.finished_at,
            func.substr(Job.error, 1, 200).label("error"),
            Job.owner_id,
            Job.is_cancel_requested,
            User.username,
        )
        .outerjoin(User, User.id == Job.owner_id)
        .where(*wanted.conditions())
        .order_by(Job.id.desc())
        .limit(PER_PAGE + 1)
    )
    if after is not None:
        statement = statement.where(Job.id < after)
    found = db.session.execute(statement).all()
    progress = progress_of(row.id for row in found[:PER_PAGE] if row.state == RUNNING)
    nothing = Progress()
    rows = [
        JobRow(
            id=row.id,
            kind=row.kind,
            words=words_of(row.kind),
            subject_id=row.subject_id,
            state=row.state,
            step=row.step,
            attempts=row.attempts,
            max_attempts=row.max_attempts,
            when=row.finished_at or (row.started_at if row.state == RUNNING else None) or row.run_at,
            error=row.error or "",
            owner_id=row.owner_id,
            owner=row.username or "",
            progress=progress.get(row.id, nothing),
            is_cancel_requested=row.is_cancel_requested,
        )
        for row in found[:PER_PAGE]
    ]
    return JobList(rows, rows[-1].id if len(found) > PER_PAGE else None)


def open_counts() -> dict[str, int]:
    """How many wait, run and have failed: what an operator looks for. The others are too many to count each time."""
    statement = select(Job.state, func.count()).where(Job.state.in_([QUEUED, RUNNING, FAILED])).group_by(Job.state)
    return {row[0]: row[1] for row in db.session.execute(statement)}


@dataclass(frozen=True, slots=True)
class JobPage:
    """A job with what only operators see."""

    job: Job
    view: JobView
    shown: Shown
    owner: str


def job_page(job_id: int) -> JobPage | None:
    job = db.session.get(Job, job_id)
    if job is None:
        return None
    view = views_of([job])[0]
    owner = db.session.scalar(select(User.username).where(User.id == job.owner_id)) if job.owner_id else None
    return JobPage(job, view, shown(view), owner or "")


@dataclass(slots=True)
class Failure:
    """Things that failed for one reason. `kind` is empty for a task of the clock."""

    kind: str
    words: str
    reason: str
    traceback: str
    last_at: datetime
    count: int = 0
    job_ids: list[int] = field(default_factory=list)

    @property
    def key(self) -> str:
        """Tells failures apart, the same on every look."""
        return f"{zlib.crc32(f'{self.words}/{self.reason}'.encode()):08x}"


@dataclass(frozen=True, slots=True)
class Failures:
    """What failed, sorted by reason, newest first; `is_all` is false where there are more than were looked at."""

    jobs: list[Failure]
    runs: list[Failure]
    is_all: bool


def failures() -> Failures:
    """Two statements. Failed jobs, and failed or lost runs of the clock's tasks."""
    newest = (
        select(Job.id, Job.kind, Job.error, Job.traceback, Job.finished_at, Job.created_at)
        .where(Job.state == FAILED)
        .order_by(Job.id.desc())
        .limit(LOOKED_AT + 1)
    )
    rows = db.session.execute(newest).all()
    by_reason: dict[tuple[str, str], Failure] = {}
    for row in rows[:LOOKED_AT]:
        reason = _reason(row.traceback, row.error, row.id)
        failure = by_reason.get((row.kind, reason))
        at = row.finished_at or row.created_at
        if failure is None:
            failure = Failure(row.kind, words_of(row.kind), reason, row.traceback or "", at)
            by_reason[row.kind, reason] = failure
        failure.count += 1
        failure.last_at = max(failure.last_at, at)
        if len(failure.job_ids) < 5:
            failure.job_ids.append(row.id)
    return Failures(_sorted(by_reason.values()), _failed_runs(), len(rows) <= LOOKED_AT)


def _failed_runs() -> list[Failure]:
    run = PeriodicRun
    statement = (
        select(run.task, run.error, run.traceback, run.finished_at, run.started_at)
        .where(run.state.in_([FAILED, LOST]))
        .order_by(run.id.desc())
        .limit(LOOKED_AT)
    )
    by_reason: dict[tuple[str, str], Failure] = {}
    for row in db.session.execute(statement):
        reason = _reason(row.traceback, row.error, 0)
        at = row.finished_at or row.started_at
        found = by_reason.setdefault((row.task, reason), Failure("", row.task, reason, row.traceback or "", at))
        found.count += 1
    return _sorted(by_reason.values())


def _sorted(found: Any) -> list[Failure]:
    return sorted(found, key=lambda failure: failure.last_at, reverse=True)


def _reason(traceback: str | None, error: str | None, job_id: int) -> str:
    """The exception in one line, or the words for the owner, without the number of the job in them."""
    lines = [line for line in (traceback or "").splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else (error or "").replace(f"job {job_id}", "job …")[:300]
