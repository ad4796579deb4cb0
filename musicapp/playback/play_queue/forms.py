"""What the play queue's doors take: fields of plain forms, which scripts send too."""

from __future__ import annotations

import re
from dataclasses import dataclass

from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict

from musicapp.core.db import LARGEST_ID
from musicapp.playback.play_queue.services import DEVICES_FIRST_ENTRY_ID, DEVICES_LAST_ENTRY_ID

IDS_MAX = 20_000
"""More than any queue holds, so that the services can say how many are too many."""
_SOURCE = re.compile(r"[a-z][a-z_]*(-[a-z0-9_-]+)?")
_DEVICE_ID = re.compile(r"[A-Za-z0-9-]{1,36}")

Fields = MultiDict[str, str]


class QueueFormError(ValueError):
    """The text says what is wrong with the input."""


def read_ids(fields: Fields, name: str) -> list[int]:
    """Ids in order: `track_id` repeated, or `track_ids` joined by commas. Raises QueueFormError."""
    texts = fields.getlist(name)
    texts += [text for joined in fields.getlist(f"{name}s") for text in joined.split(",") if text]
    if len(texts) > IDS_MAX:
        raise QueueFormError(_("These are too many at once: %(most)d at most.", most=IDS_MAX))
    return [_number(text, LARGEST_ID) for text in texts]


def read_id(fields: Fields, name: str) -> int:
    return _number(fields.get(name, ""), LARGEST_ID)


def read_optional_id(fields: Fields, name: str) -> int | None:
    return read_id(fields, name) if fields.get(name) else None


def read_choice(fields: Fields, name: str, choices: tuple[str, ...]) -> str:
    """One of `choices`; the first where nothing is said."""
    chosen = fields.get(name, choices[0])
    if chosen not in choices:
        raise QueueFormError(_("Choose one of these: %(choices)s.", choices=", ".join(choices)))
    return chosen


def read_source(fields: Fields) -> str:
    """Where the music was found: `album-3`, `search`. What can't be that is left out: it only decorates a history."""
    source = fields.get("source", "")
    return source if len(source) <= 40 and _SOURCE.fullmatch(source) else ""


def read_device_id(fields: Fields) -> str:
    device_id = fields.get("device_id", "")
    return device_id if _DEVICE_ID.fullmatch(device_id) else ""


def read_first_entry_id(fields: Fields, count: int) -> int | None:
    """Where a device wants its `count` new entries to be numbered from; None where that can't be."""
    if not fields.get("first_entry_id"):
        return None
    first = read_id(fields, "first_entry_id")
    return first if DEVICES_FIRST_ENTRY_ID <= first <= DEVICES_LAST_ENTRY_ID - count else None


def read_seed(fields: Fields) -> int | None:
    return _number(fields["seed"], 2**32 - 1) if fields.get("seed") else None


@dataclass(frozen=True, slots=True)
class PositionReport:
    device_id: str
    entry_id: int
    position_ms: int
    is_playing: bool
    is_seek: bool


def read_position(fields: Fields) -> PositionReport:
    """Raises QueueFormError."""
    device_id = read_device_id(fields)
    if not device_id:
        raise QueueFormError(_("device_id is up to 36 letters, digits and hyphens."))
    return PositionReport(
        device_id,
        read_id(fields, "entry_id"),
        read_position_ms(fields) or 0,
        is_playing=fields.get("is_playing") == "1",
        is_seek=fields.get("is_seek") == "1",
    )


def read_position_ms(fields: Fields) -> int | None:
    return _number(fields["position_ms"], LARGEST_ID) if fields.get("position_ms") else None


def _number(text: str, most: int) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 10 or int(text) > most:
        raise QueueFormError(_("This can't be read. Reload the page and try again."))
    return int(text)
