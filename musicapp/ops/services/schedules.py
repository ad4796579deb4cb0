"""Acts on the schedule, each with its line in the audit log."""

from __future__ import annotations

from musicapp.jobs import schedule_rows as rows
from musicapp.jobs.schedule_rows import Entry
from musicapp.jobs.timing import Timing
from musicapp.ops.audit import audit


def note_run(task: str) -> None:
    """A worker was told to run the task now."""
    audit("schedule.run", subject_kind="schedule", subject_words=task)


def save(entry: Entry | None, name: str, task: str, timing: Timing) -> int:
    """Adds an entry, or changes this one; returns its id. Raises rows.NameTakenError."""
    description = entry.description if entry and entry.timing == timing and entry.task == task else ""
    entry_id = rows.put_entry(name, task, timing, in_place_of=entry, description=description)
    was = f"{entry.task}, {entry.timing.signature}" if entry else ""
    act = "schedule.change" if entry else "schedule.add"
    now = f"{task}, {timing.signature}"
    audit(act, subject_kind="schedule", subject_id=entry_id, subject_words=name, was=was, now=now)
    return entry_id


def switch(entry: Entry, is_on: bool) -> None:
    if entry.is_enabled == is_on:
        return
    rows.switch(entry, is_on)
    act = "schedule.switch_on" if is_on else "schedule.switch_off"
    audit(act, subject_kind="schedule", subject_id=entry.id, subject_words=entry.name)


def remove(entry: Entry) -> None:
    rows.remove_entry(entry)
    was = f"{entry.task}, {entry.timing.signature}"
    audit("schedule.remove", subject_kind="schedule", subject_id=entry.id, subject_words=entry.name, was=was)
