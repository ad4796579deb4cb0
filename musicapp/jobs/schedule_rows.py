"""Schedules that live in the database: read, changed, and filled from schedule.py. Nothing here commits.

The rows are sqlalchemy-celery-beat's. Beat looks with each turn, every few seconds, whether a change was noted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Table, delete, func, insert, select, update

from musicapp.core.db import db, utc_now
from musicapp.jobs.periodic import PERIODIC
from musicapp.jobs.schedule_tables import CHANGES, CRONTABS, ENTRIES, INTERVALS, MOMENTS
from musicapp.jobs.timing import CRONTAB, FIELDS, INTERVAL, MOMENT, Timing

TABLES = {INTERVAL: INTERVALS, CRONTAB: CRONTABS, MOMENT: MOMENTS}
KINDS = {"intervalschedule": INTERVAL, "crontabschedule": CRONTAB, "clockedschedule": MOMENT}
"""The library's word -> ours."""
WORDS = {kind: word for word, kind in KINDS.items()}
UNEDITED = "schedule.py: "
"""Begins the description of an entry that nobody has edited; the time that schedule.py gave it follows."""


class NameTakenError(ValueError):
    """Another entry has this name."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the schedule. `is_ours`: it comes from schedule.py, so it can be switched off and not removed."""

    id: int
    name: str
    task: str
    timing: Timing
    is_enabled: bool
    is_over: bool
    """It ran once, at its moment."""
    last_run_at: datetime | None
    description: str


def entries(entry_id: int | None = None) -> list[Entry]:
    """All entries by name, or that one, in one statement."""
    statement = (
        select(ENTRIES, INTERVALS, CRONTABS, MOMENTS)
        .outerjoin(INTERVALS, (ENTRIES.c.schedule_id == INTERVALS.c.id) & (ENTRIES.c.discriminator == WORDS[INTERVAL]))
        .outerjoin(CRONTABS, (ENTRIES.c.schedule_id == CRONTABS.c.id) & (ENTRIES.c.discriminator == WORDS[CRONTAB]))
        .outerjoin(MOMENTS, (ENTRIES.c.schedule_id == MOMENTS.c.id) & (ENTRIES.c.discriminator == WORDS[MOMENT]))
        .where(ENTRIES.c.discriminator.in_(KINDS))
        .order_by(ENTRIES.c.name)
    )
    if entry_id is not None:
        statement = statement.where(ENTRIES.c.id == entry_id)
    return [_entry(row._mapping) for row in db.session.execute(statement)]


def entry_by_id(entry_id: int) -> Entry | None:
    return next(iter(entries(entry_id)), None)


def _entry(row: Mapping[Any, Any]) -> Entry:
    kind = KINDS[row[ENTRIES.c.discriminator]]
    if kind == INTERVAL:
        timing = Timing(kind, every=row[INTERVALS.c.every], period=_word(row[INTERVALS.c.period]))
    elif kind == CRONTAB:
        line = " ".join(row[CRONTABS.c[name]] for name in FIELDS)
        timing = Timing(kind, line=line, time_zone=row[CRONTABS.c.timezone])
    else:
        timing = Timing(kind, at=_aware(row[MOMENTS.c.clocked_time]))
    return Entry(
        id=row[ENTRIES.c.id],
        name=row[ENTRIES.c.name],
        task=row[ENTRIES.c.task],
        timing=timing,
        is_enabled=row[ENTRIES.c.enabled],
        is_over=kind == MOMENT and row[ENTRIES.c.last_run_at] is not None,
        last_run_at=_aware(row[ENTRIES.c.last_run_at]),
        description=row[ENTRIES.c.description] or "",
    )


def _word(period: Any) -> str:
    return str(getattr(period, "value", period))


def _aware(instant: datetime | None) -> datetime | None:
    """SQLite drops the zone."""
    return instant.replace(tzinfo=UTC) if instant is not None and instant.tzinfo is None else instant


def put_entry(name: str, task: str, timing: Timing, *, in_place_of: Entry | None = None, description: str = "") -> int:
    """Adds an entry, or a new row for one that gets another time or name; returns its id.

    A new row, because beat keeps when a row ran in its memory and writes it back later. Raises NameTakenError.
    """
    if in_place_of is not None:
        remove_entry(in_place_of)
    if db.session.scalar(select(func.count()).select_from(ENTRIES).where(ENTRIES.c.name == name)):
        raise NameTakenError(name)
    of_kind: dict[str, dict[str, Any]] = {
        INTERVAL: {"every": timing.every, "period": timing.period},
        CRONTAB: {**dict(zip(FIELDS, timing.line.split(), strict=False)), "timezone": timing.time_zone},
        MOMENT: {"clocked_time": timing.at},
    }
    table: Table = TABLES[timing.kind]
    schedule_id = db.session.scalar(insert(table).values(**of_kind[timing.kind]).returning(table.c.id))
    now = utc_now()
    is_once = timing.kind == MOMENT
    made: int = db.session.execute(
        insert(ENTRIES)
        .values(
            name=name,
            task=task,
            args="[]",
            kwargs="{}",
            headers="{}",
            queue=PERIODIC[task].queue if task in PERIODIC else "default",
            discriminator=WORDS[timing.kind],
            schedule_id=schedule_id,
            # As in schedule.py: a run that waited a whole interval for a worker is dropped.
            expire_seconds=max(1, int(timing.seconds)) if timing.kind == INTERVAL else None,
            one_off=is_once,
            enabled=in_place_of.is_enabled or in_place_of.is_over if in_place_of else True,
            # What is due counts from now on: a new hour of the day does not make up for this morning's.
            last_run_at=None if is_once else now,
            total_run_count=0,
            date_changed=now,
            description=description,
        )
        .returning(ENTRIES.c.id)
    ).scalar_one()
    note_change()
    return made


def remove_entry(entry: Entry) -> None:
    row = db.session.execute(
        delete(ENTRIES).where(ENTRIES.c.id == entry.id).returning(ENTRIES.c.discriminator, ENTRIES.c.schedule_id)
    ).one_or_none()
    if row is not None:
        table = TABLES[KINDS[row.discriminator]]
        shared = select(ENTRIES.c.id).where(
            ENTRIES.c.discriminator == row.discriminator, ENTRIES.c.schedule_id == row.schedule_id
        )
        db.session.execute(delete(table).where(table.c.id == row.schedule_id, ~shared.exists()))
    note_change()


def switch(entry: Entry, is_on: bool) -> None:
    """Switched on again, it waits a whole interval, or for the next hour that its line names."""
    values: dict[str, Any] = {"enabled": is_on, "date_changed": utc_now()}
    if is_on and not entry.is_enabled and entry.timing.kind != MOMENT:
        values["last_run_at"] = utc_now()
    db.session.execute(update(ENTRIES).where(ENTRIES.c.id == entry.id).values(**values))
    note_change()


def note_change() -> None:
    now = utc_now()
    done = db.session.execute(update(CHANGES).where(CHANGES.c.id == 1).values(last_update=now))
    if done.rowcount == 0:  # type: ignore[attr-defined]
        db.session.execute(insert(CHANGES).values(id=1, last_update=now))


def fill(wanted: Mapping[str, Mapping[str, Any]]) -> int:
    """Brings the rows up to what schedule.py and the setting say, but for those that somebody edited.

    Returns how many rows it changed. New entries are added, and unedited ones follow a new version's times or go.
    """
    known = {entry.name: entry for entry in entries()}
    changed = 0
    for name, entry in wanted.items():
        timing = Timing.of(entry["schedule"])
        description = UNEDITED + timing.signature
        found = known.get(name)
        if found is None or (found.description.startswith(UNEDITED) and found.description != description):
            put_entry(name, entry["task"], timing, in_place_of=found, description=description)
            changed += 1
    for entry_ in known.values():
        if entry_.name not in wanted and entry_.description.startswith(UNEDITED):
            remove_entry(entry_)
            changed += 1
    if not changed:
        note_change()  # the library would make the row itself, in a transaction that only reads
    return changed
