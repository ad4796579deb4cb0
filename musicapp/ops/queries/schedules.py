"""The schedule as the desk shows it: what runs when, how its last run ended, when the next one is due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select

from musicapp.core.celery import celery_app
from musicapp.core.db import db, utc_now
from musicapp.core.settings import setting
from musicapp.jobs import schedule_rows
from musicapp.jobs.models import PeriodicRun
from musicapp.jobs.periodic import CLOCK, PERIODIC, seconds_since_beat
from musicapp.jobs.reports import BEAT_SILENT_AFTER_S
from musicapp.jobs.timing import Timing

RUNS_SHOWN = 50


@dataclass(frozen=True, slots=True)
class Row:
    """An entry of the schedule, or a task that none calls (`timing` is None). `entry_id` where it can be edited."""

    entry_id: int | None
    name: str
    task: str
    words: str
    timing: Timing | None
    is_enabled: bool
    is_over: bool
    next_at: datetime | None
    run: PeriodicRun | None
    """The newest run of its task, which may be under way."""

    @property
    def title(self) -> str:
        return self.name[:1].upper() + self.name[1:]


@dataclass(frozen=True, slots=True)
class Schedules:
    rows: list[Row]
    is_beat_silent: bool


def can_be_edited() -> bool:
    return bool(setting("SCHEDULES_IN_DATABASE"))


def is_added(name: str) -> bool:
    """Whether an admin added it: what comes from schedule.py can be switched off; removed, it would come back."""
    return name not in celery_app().conf.beat_schedule


def schedules() -> Schedules:
    """All of it, in three statements and a look into Redis."""
    runs = _newest_runs()
    begun = _begun_by_the_clock()
    found = schedule_rows.entries() if can_be_edited() else _entries_of_the_file()
    rows = [_row(entry, begun.get(entry.task), runs.get(entry.task)) for entry in found]
    called = {entry.task for entry in found}
    for name, task in sorted(PERIODIC.items()):
        if name not in called:
            rows.append(Row(None, name, name, str(task.words), None, False, False, None, runs.get(name)))
    silent_s = seconds_since_beat()
    return Schedules(rows, silent_s is None or silent_s > BEAT_SILENT_AFTER_S)


def _row(entry: schedule_rows.Entry, begun_at: datetime | None, run: PeriodicRun | None) -> Row:
    # Beat writes its rows from time to time only; its runs are written as they begin.
    last = max(filter(None, (entry.last_run_at, begun_at)), default=None)
    is_once = entry.timing.at is not None
    # Beat lets what never ran come soon after its own start, which nobody else knows.
    is_unknown = not entry.is_enabled or (last is None and not is_once and not entry.id and not entry.timing.line)
    task = PERIODIC.get(entry.task)
    return Row(
        entry_id=entry.id or None,
        name=entry.name,
        task=entry.task,
        words=str(task.words) if task else "",
        timing=entry.timing,
        is_enabled=entry.is_enabled,
        is_over=entry.is_over,
        next_at=None if is_unknown else entry.timing.next_run(entry.last_run_at if is_once else last),
        run=run,
    )


def _entries_of_the_file() -> list[schedule_rows.Entry]:
    return [
        schedule_rows.Entry(0, name, entry["task"], Timing.of(entry["schedule"]), True, False, None, "")
        for name, entry in sorted(celery_app().conf.beat_schedule.items())
    ]


def _newest_runs() -> dict[str, PeriodicRun]:
    newest = select(func.max(PeriodicRun.id)).group_by(PeriodicRun.task)
    return {run.task: run for run in db.session.scalars(select(PeriodicRun).where(PeriodicRun.id.in_(newest)))}


def _begun_by_the_clock() -> dict[str, datetime]:
    newest = select(PeriodicRun.task, func.max(PeriodicRun.started_at)).where(PeriodicRun.started_by == CLOCK)
    return {row[0]: row[1] for row in db.session.execute(newest.group_by(PeriodicRun.task))}


def runs_of(task: str) -> list[PeriodicRun]:
    """The newest runs, the newest first."""
    of_task = select(PeriodicRun).where(PeriodicRun.task == task)
    return list(db.session.scalars(of_task.order_by(PeriodicRun.id.desc()).limit(RUNS_SHOWN)))


def result_words(result: dict[str, Any] | None) -> str:
    """expired 2 · finished 1: what a run did, without what it counted in vain."""
    return " · ".join(f"{name.replace('_', ' ')} {count}" for name, count in (result or {}).items() if count)


def clock_words(instant: datetime, zone: ZoneInfo) -> str:
    """21 Nov, 08:00, in the reader's zone; the time alone on this day, with seconds where it is minutes away."""
    local, now = instant.astimezone(zone), utc_now().astimezone(zone)
    clock = local.strftime("%H:%M:%S" if abs((local - now).total_seconds()) < 600 else "%H:%M")
    if local.date() == now.date():
        return clock
    return f"{local.day} {local.strftime('%b' if local.year == now.year else '%b %Y')}, {clock}"


def task_choices(also: Iterable[str] = ()) -> list[tuple[str, str]]:
    """(name, words) of every task, for a form."""
    names = sorted({*PERIODIC, *also})
    return [(name, f"{PERIODIC[name].words} ({name})" if name in PERIODIC else name) for name in names]
