"""What part of a file a request wants: conditions and byte ranges as RFC 9110 orders them. No Flask, no files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from werkzeug.http import parse_date, parse_etags, unquote_etag

Environ = dict[str, Any]
"""A WSGI environment: REQUEST_METHOD, HTTP_RANGE and the HTTP_IF_… headers are read."""

_CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE", "HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE")
_ONE_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,19})\s*-\s*([0-9]{0,19})\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and the bytes `start` to `stop` (exclusive) that go with it; 304, 412 and 416 carry none."""

    status: int
    start: int = 0
    stop: int = 0


def answer(environ: Environ, *, size_bytes: int, etag: str, modified_at: datetime) -> Answer:
    """Decides between 200, 206, 304, 412 and 416.

    `etag` is strong and without quotes. Several ranges at once get the whole file, which RFC 9110 allows: no player
    asks for them, and a multipart answer would be code for attackers only.
    """
    if any(condition in environ for condition in _CONDITIONS):
        refusal = _refusal(environ, etag, _in_seconds(modified_at))
        if refusal is not None:
            return Answer(refusal)
    wanted = environ.get("HTTP_RANGE")
    # RFC 9110 defines ranges for GET alone.
    if not wanted or environ["REQUEST_METHOD"] != "GET":
        return Answer(200, 0, size_bytes)
    if_range = environ.get("HTTP_IF_RANGE")
    if if_range and not _is_same(if_range, etag, _in_seconds(modified_at)):
        return Answer(200, 0, size_bytes)
    return _part(wanted, size_bytes) or Answer(200, 0, size_bytes)


def _in_seconds(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(microsecond=0)


def _refusal(environ: Environ, etag: str, modified_at: datetime) -> int | None:
    if (if_match := environ.get("HTTP_IF_MATCH")) is not None:
        if not parse_etags(if_match).contains(etag):
            return 412
    elif (since := parse_date(environ.get("HTTP_IF_UNMODIFIED_SINCE"))) is not None and modified_at > since:
        return 412
    if (if_none_match := environ.get("HTTP_IF_NONE_MATCH")) is not None:
        return 304 if parse_etags(if_none_match).contains_weak(etag) else None
    if (since := parse_date(environ.get("HTTP_IF_MODIFIED_SINCE"))) is not None and modified_at <= since:
        return 304
    return None


def _is_same(if_range: str, etag: str, modified_at: datetime) -> bool:
    if if_range.lstrip().startswith(('"', "W/")):
        named, is_weak = unquote_etag(if_range.strip())
        return named == etag and not is_weak
    return parse_date(if_range) == modified_at


def _part(wanted: str, size_bytes: int) -> Answer | None:
    """The answer to a Range header, or None where it is to be ignored: other units, several ranges, nonsense."""
    match = _ONE_RANGE.fullmatch(wanted)
    if match is None:
        return None
    first, last = match.groups()
    if not first:
        if not last:
            return None
        length = min(int(last), size_bytes)
        return Answer(206, size_bytes - length, size_bytes) if length else Answer(416)
    start = int(first)
    if last and int(last) < start:
        return None
    if start >= size_bytes:
        return Answer(416)
    return Answer(206, start, min(int(last) + 1, size_bytes) if last else size_bytes)
