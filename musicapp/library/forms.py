"""What people choose in their library: a view of it, and which plays are to be deleted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from flask_babel import gettext as _

from musicapp.core.db import LARGEST_ID
from musicapp.library.queries import KINDS, SORTS, Wanted

Q_MAX = 100
SPANS = {"hour": timedelta(hours=1), "day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=30)}
IDS_MAX = 400
"""So many ids of a page fit into one address."""


def read_wanted(args: Mapping[str, str]) -> Wanted:
    """A view of the library. What is none of the choices is the first of them: an old address still shows something."""
    kind = args.get("kind", "")
    kind = kind if kind in KINDS else KINDS[0]
    sort = args.get("sort", "")
    return Wanted(
        kind=kind,
        sort=sort if sort in SORTS[kind] else SORTS[kind][0],
        q=args.get("q", "").replace("\0", "").strip()[:Q_MAX],
        genre=args.get("genre", "").replace("\0", "")[:80],
    )


def read_ids(text: str) -> list[int]:
    """ "3,5" as ids; what is no id is left out."""
    numbers = (int(one) for one in text.split(",")[:IDS_MAX] if one.isascii() and one.isdecimal() and len(one) <= 10)
    return [number for number in numbers if number <= LARGEST_ID]


@dataclass(slots=True)
class DeletionForm:
    """Which part of a history is to be deleted: a span up to now, everything, or from one day to another."""

    span: str = "hour"
    first_on: str = ""
    last_on: str = ""
    error: str = ""
    since: datetime | None = None
    until: datetime | None = None

    @classmethod
    def read(cls, fields: Mapping[str, str], now: datetime, time_zone: str) -> DeletionForm:
        """Days are the reader's own. `error` says what is wrong; else `since` and `until` are set, None for no end."""
        form = cls(fields.get("span", ""), fields.get("first_on", ""), fields.get("last_on", ""))
        if form.span in SPANS:
            form.since = now - SPANS[form.span]
        elif form.span == "days":
            form._read_days(ZoneInfo(time_zone))
        elif form.span != "all":
            form.error = _("Choose what is to be deleted.")
        return form

    def _read_days(self, zone: ZoneInfo) -> None:
        try:
            first, last = date.fromisoformat(self.first_on), date.fromisoformat(self.last_on)
            self.since = datetime.combine(first, time(), zone).astimezone(UTC)
            self.until = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC)
        except (ValueError, OverflowError):
            self.error = _("Choose both days, the first and the last.")
            return
        if first > last:
            self.error = _("The first day comes after the last. Swap them.")


def read_instant(text: str) -> datetime | None:
    """An instant as pages carry it for an undo; None for what is none."""
    try:
        at = datetime.fromisoformat(text)
        # Raises for one so near to the ends of the calendar that it has no name in UTC.
        return at.astimezone(UTC) if at.tzinfo is not None else None
    except (ValueError, OverflowError):
        return None
