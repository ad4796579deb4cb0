"""When a task of the clock runs: every so often, at hours of the day by a crontab line, or once at a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from celery.schedules import crontab
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy_celery_beat.tzcrontab import TzAwareCrontab

from musicapp.core.db import utc_now

INTERVAL, CRONTAB, MOMENT = "interval", "crontab", "moment"
PERIODS = ("seconds", "minutes", "hours", "days")
FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
"""In the order of a crontab line."""
LONGEST_FIELD = 60


class TimingError(ValueError):
    """A time that can't be; its text says which part, and what to write instead."""


@dataclass(frozen=True, slots=True)
class Timing:
    """`line` is a crontab line in `time_zone`. Of `every`/`period`, `line` and `at` the kind's own says when."""

    kind: str
    every: int = 0
    period: str = "seconds"
    line: str = ""
    time_zone: str = "UTC"
    at: datetime | None = None

    @classmethod
    def of(cls, said: Any) -> Timing:
        """What beat_schedule says: seconds, a timedelta, or one of Celery's schedules."""
        if isinstance(said, crontab):
            zone = getattr(said, "tz", None)
            line = " ".join(str(getattr(said, f"_orig_{name}")) for name in FIELDS)
            return cls(CRONTAB, line=line, time_zone=getattr(zone, "key", "UTC"))
        seconds = getattr(said, "run_every", said)
        seconds = seconds.total_seconds() if isinstance(seconds, timedelta) else float(seconds)
        if not seconds.is_integer():
            return cls(INTERVAL, every=max(1, round(seconds * 1e6)), period="microseconds")
        every = max(1, int(seconds))
        for period, length in (("days", 86400), ("hours", 3600), ("minutes", 60)):
            if every % length == 0:
                return cls(INTERVAL, every=every // length, period=period)
        return cls(INTERVAL, every=every)

    def next_run(self, last_run_at: datetime | None) -> datetime | None:
        """When it is due after a run at `last_run_at`, now at the earliest; None where that moment is over."""
        now = utc_now()
        if self.kind == MOMENT:
            return None if last_run_at or self.at is None else max(self.at, now)
        if self.kind == INTERVAL:
            return max(now, (last_run_at or now) + timedelta(**{self.period: self.every}))
        zone = ZoneInfo(self.time_zone)
        fields = dict(zip(FIELDS, self.line.split(), strict=True))
        remaining = TzAwareCrontab(**fields, tz=zone).remaining_estimate((last_run_at or now).astimezone(zone))
        # Measured against another look at the clock, a moment later.
        due: datetime = (now + remaining + timedelta(seconds=0.5)).astimezone(UTC).replace(microsecond=0)
        return max(now, due)

    @property
    def seconds(self) -> float:
        """The length of an interval."""
        return timedelta(**{self.period: self.every}).total_seconds()

    @property
    def words(self) -> str:
        """In the reader's language."""
        if self.kind == MOMENT:
            return str(_("once"))
        if self.kind == CRONTAB:
            minute, hour, *rest = self.line.split()
            if rest == ["*", "*", "*"] and minute.isdecimal() and hour.isdecimal():
                clock = f"{int(hour):02}:{int(minute):02}"
                return str(_("every day at %(time)s (%(zone)s)", time=clock, zone=self.time_zone))
            return f"{self.line} ({self.time_zone})"
        words = {
            "seconds": ngettext("every second", "every %(num)s seconds", self.every),
            "minutes": ngettext("every minute", "every %(num)s minutes", self.every),
            "hours": ngettext("every hour", "every %(num)s hours", self.every),
            "days": ngettext("every day", "every %(num)s days", self.every),
        }
        return str(words.get(self.period) or _("every %(number)s s", number=self.every / 1e6))

    @property
    def signature(self) -> str:
        """The same for equal times, whatever the language."""
        return {
            INTERVAL: f"every {self.every} {self.period}",
            CRONTAB: f"cron {self.line} {self.time_zone}",
            MOMENT: f"at {self.at}",
        }[self.kind]


def check_crontab(line: str, time_zone: str) -> Timing:
    """The timing of a crontab line as a person types it. Raises TimingError."""
    parts = line.split()
    if len(parts) != len(FIELDS):
        raise TimingError(
            _(
                "Write five parts: minute, hour, day, month and weekday. "
                "0 8 * * * is every day at eight, 0 8 * * 1 every Monday."
            )
        )
    names = (_("minute"), _("hour"), _("day"), _("month"), _("weekday"))
    ranges = ("0–59", "0–23", "1–31", "1–12", "0–6")
    for field, part, name, allowed in zip(FIELDS, parts, names, ranges, strict=True):
        try:
            if len(part) > LONGEST_FIELD:
                raise ValueError
            crontab(**{field: part})
        except Exception:  # the parser has several errors of its own
            raise TimingError(
                _(
                    "“%(part)s” can't be the %(name)s. Write %(allowed)s, * for each, */5 for every fifth, 1,3 or 1-5.",
                    part=part[:LONGEST_FIELD],
                    name=name,
                    allowed=allowed,
                )
            ) from None
    timing = Timing(CRONTAB, line=" ".join(parts), time_zone=time_zone)
    try:
        timing.next_run(None)
    except Exception:  # celery looks for the day year after year, and then gives up in its own way
        raise TimingError(_("That day never comes. Look at the day and the month again.")) from None
    return timing
