"""What a player posts: a JSON list of listening events, checked item by item."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from typing import Any

from musicapp.playback.hearing import KINDS
from musicapp.playback.services import ReceivedReport

REPORTS_MAX = 500
BODY_MAX_BYTES = 256 * 1024
_EVENT_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_SOURCE = re.compile(r"[\w-]{0,40}")
_LARGEST = 2**31 - 1
"""24 days in milliseconds, and the largest id PostgreSQL's integer holds."""


class ReportError(ValueError):
    """The body can't be used; `item` is the place in the list, from 0, or None when it is no list."""

    def __init__(self, words: str, item: int | None = None) -> None:
        super().__init__(words if item is None else f"Item {item}: {words}")
        self.item = item


def read_reports(body: bytes) -> list[ReceivedReport]:
    """The listening events in a request's body. Raises ReportError that names the first bad item and says why."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise ReportError("The body is not JSON.") from None
    if not isinstance(found, list):
        raise ReportError("The body must be a list of listening events.")
    if len(found) > REPORTS_MAX:
        raise ReportError(f"At most {REPORTS_MAX} listening events at once, these are {len(found)}.")
    return [_read_report(item, value) for item, value in enumerate(found)]


def _read_report(item: int, value: Any) -> ReceivedReport:
    if not isinstance(value, dict):
        raise ReportError("a listening event must be an object.", item)
    event_id = value.get("event_id")
    if not isinstance(event_id, str) or not _EVENT_ID.fullmatch(event_id):
        raise ReportError("event_id must be 1 to 64 letters, digits, hyphens, dots, colons or underscores.", item)
    kind = value.get("kind")
    if kind not in KINDS:
        raise ReportError(f"kind must be one of {', '.join(KINDS)}.", item)
    source = value.get("source", "")
    if not isinstance(source, str) or not _SOURCE.fullmatch(source):
        raise ReportError("source must be at most 40 letters, digits, hyphens or underscores.", item)
    return ReceivedReport(
        event_id=event_id,
        track_id=_number(value, "track_id", item),
        kind=kind,
        position_ms=_number(value, "position_ms", item),
        at=_moment(value.get("at"), item),
        source=source,
    )


def _number(value: dict[str, Any], name: str, item: int) -> int:
    number = value.get(name)
    # JSON has one kind of number, and currentTime * 1000 has a fraction; true is an int to Python.
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= _LARGEST:
        raise ReportError(f"{name} must be a number from 0 to {_LARGEST}.", item)
    return round(number)


def _moment(at: Any, item: int) -> datetime:
    try:
        moment = datetime.fromisoformat(at)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        raise ReportError("at must be an instant in UTC, as in 2026-03-01T12:00:00.000Z.", item) from None
    return moment
