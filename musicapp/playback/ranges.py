"""What part of a file a request wants: conditions and byte ranges as RFC 9110 orders them. No Flask, no files."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from werkzeug.http import http_date, parse_date, parse_etags, unquote_etag

_ONE_RANGE = re.compile(r"\s*bytes\s*=\s*([0-9]{0,19})\s*-\s*([0-9]{0,19})\s*", re.IGNORECASE)


class RequestHeaders(Protocol):
    """A mapping of header names, as Werkzeug's headers and a plain dictionary are."""

    def get(self, key: str, /) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and the bytes `start` to `stop` (exclusive) that go with it; 304, 412 and 416 carry none."""

    status: int
    start: int = 0
    stop: int = 0


def answer(method: str, headers: RequestHeaders, *, size_bytes: int, etag: str, modified_at: datetime) -> Answer:
    """Decides between 200, 206, 304, 412 and 416.

    `etag` is strong and without quotes. Several ranges at once get the whole file, which RFC 9110 allows: no player
    asks for them, and a multipart answer would be code for attackers only.
    """
    modified_at = modified_at.astimezone(UTC).replace(microsecond=0)
    if (refusal := _refusal(headers, etag, modified_at)) is not None:
        return Answer(refusal)
    whole = Answer(200, 0, size_bytes)
    wanted = headers.get("Range")
    # RFC 9110 defines ranges for GET alone.
    if not wanted or method != "GET" or not _is_same(headers.get("If-Range"), etag, modified_at):
        return whole
    return _part(wanted, size_bytes) or whole


def _refusal(headers: RequestHeaders, etag: str, modified_at: datetime) -> int | None:
    if (if_match := headers.get("If-Match")) is not None:
        if not parse_etags(if_match).contains(etag):
            return 412
    elif (since := parse_date(headers.get("If-Unmodified-Since"))) is not None and modified_at > since:
        return 412
    if (if_none_match := headers.get("If-None-Match")) is not None:
        return 304 if parse_etags(if_none_match).contains_weak(etag) else None
    if (since := parse_date(headers.get("If-Modified-Since"))) is not None and modified_at <= since:
        return 304
    return None


def _is_same(if_range: str | None, etag: str, modified_at: datetime) -> bool:
    if not if_range:
        return True
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


def last_modified(modified_at: datetime) -> str:
    return http_date(modified_at)
