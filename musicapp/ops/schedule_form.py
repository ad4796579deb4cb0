"""What an admin types into an entry of the schedule, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from musicapp.accounts.forms import ProfileForm
from musicapp.core.db import utc_now
from musicapp.jobs.periodic import PERIODIC
from musicapp.jobs.schedule_rows import Entry
from musicapp.jobs.timing import CRONTAB, INTERVAL, MOMENT, PERIODS, Timing, TimingError, check_crontab

LONGEST_NAME = 120
LONGEST_LINE = 200
MOST_EVERY = 100_000


@dataclass(slots=True)
class ScheduleForm:
    """`at` is local time in the admin's zone, as a datetime-local field writes it."""

    name: str = ""
    task: str = ""
    kind: str = INTERVAL
    every: str = "1"
    period: str = "hours"
    line: str = "0 8 * * *"
    time_zone: str = "UTC"
    at: str = ""
    errors: dict[str, str] = field(default_factory=dict)
    timing: Timing | None = None
    """Once it is read without errors."""

    @classmethod
    def of(cls, entry: Entry, zone: str) -> ScheduleForm:
        form = cls(name=entry.name, task=entry.task, kind=entry.timing.kind, time_zone=zone)
        if form.kind == INTERVAL:
            form.every, form.period = str(entry.timing.every), entry.timing.period
        elif form.kind == CRONTAB:
            form.line, form.time_zone = entry.timing.line, entry.timing.time_zone
        elif entry.timing.at is not None:
            form.at = entry.timing.at.astimezone(ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")
        return form

    @classmethod
    def read(cls, fields: Mapping[str, str], zone: str) -> ScheduleForm:
        form = cls()
        for name in TEXTS:
            setattr(form, name, fields.get(name, "").replace("\0", "").strip())
        form.time_zone = form.time_zone or zone
        if not form.name:
            form.errors["name"] = _("Give it a name.")
        elif len(form.name) > LONGEST_NAME:
            form.errors["name"] = _("At most %(number)s letters.", number=LONGEST_NAME)
        if form.task not in PERIODIC:
            form.errors["task"] = _("Choose a task of the list.")
        if form.kind == INTERVAL:
            form.timing = form._read_interval()
        elif form.kind == CRONTAB:
            form.timing = form._read_crontab()
        elif form.kind == MOMENT:
            form.timing = form._read_moment(zone)
        else:
            form.kind = INTERVAL
            form.errors["every"] = _("Choose when it runs.")
        return form

    def _read_interval(self) -> Timing | None:
        if not self.every.isdecimal() or not 1 <= int(self.every[:9]) <= MOST_EVERY or self.period not in PERIODS:
            self.errors["every"] = _("Write a whole number from 1 to 100,000.")
            return None
        return Timing(INTERVAL, every=int(self.every), period=self.period)

    def _read_crontab(self) -> Timing | None:
        if self.time_zone not in ProfileForm.time_zones():
            self.errors["time_zone"] = _("Choose a time zone of the list, such as Europe/Berlin.")
            return None
        try:
            return check_crontab(self.line[:LONGEST_LINE], self.time_zone)
        except TimingError as error:
            self.errors["line"] = str(error)
            return None

    def _read_moment(self, zone: str) -> Timing | None:
        try:
            at = datetime.strptime(self.at[:16], "%Y-%m-%dT%H:%M").replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
        except (ValueError, OverflowError):
            self.errors["at"] = _("Choose a day and a time, as in 2030-01-31T08:00.")
            return None
        if at <= utc_now():
            self.errors["at"] = _("This moment is over. Choose one that is to come, or run the task now.")
            return None
        return Timing(MOMENT, at=at)


TEXTS = ("name", "task", "kind", "every", "period", "line", "time_zone", "at")
