from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from musicapp.playback.forms import REPORTS_MAX, ReportError, read_reports

GOOD = {"event_id": "e1", "track_id": 1, "kind": "play", "position_ms": 0, "at": "2026-03-01T12:00:00.000Z"}


def test_events_are_read() -> None:
    (report,) = read_reports(json.dumps([{**GOOD, "position_ms": 1500.6}]).encode())
    assert (report.event_id, report.track_id, report.kind, report.position_ms) == ("e1", 1, "play", 1501)
    assert report.at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert read_reports(b"[]") == []


@pytest.mark.parametrize("at", ["2026-03-01T14:00:00+02:00", "2026-03-01T12:00:00"])
def test_an_instant_of_another_zone_or_of_none_is_utc(at: str) -> None:
    assert read_reports(json.dumps([{**GOOD, "at": at}]).encode())[0].at == datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"event_id": None}, "event_id"),
        ({"event_id": ""}, "event_id"),
        ({"event_id": "x" * 65}, "event_id"),
        ({"event_id": "a b"}, "event_id"),
        ({"event_id": 7}, "event_id"),
        ({"track_id": "1"}, "track_id"),
        ({"track_id": True}, "track_id"),
        ({"track_id": 2**31}, "track_id"),
        ({"kind": "like"}, "kind"),
        ({"kind": ["play"]}, "kind"),
        ({"position_ms": -1}, "position_ms"),
        ({"position_ms": None}, "position_ms"),
        ({"position_ms": 1e300}, "position_ms"),
        ({"position_ms": float("nan")}, "position_ms"),
        ({"at": "yesterday"}, "at"),
        ({"source": "a b"}, "source"),
        ({"source": "x" * 41}, "source"),
        ({"source": None}, "source"),
        ({"at": 1772366400}, "at"),
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
    ],
)
def test_a_malformed_event_is_named_by_its_place_and_reason(change: dict[str, Any], word: str) -> None:
    body = json.dumps([GOOD, {**GOOD, "event_id": "e2"}, {**GOOD, **change}])
    with pytest.raises(ReportError, match=f"^Item 2: {word}") as caught:
        read_reports(body.encode())
    assert caught.value.item == 2


@pytest.mark.parametrize("body", [b"", b"{", b'{"event_id": 1}', b"[1]", b"null", b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_list_of_events_is_refused(body: bytes) -> None:
    with pytest.raises(ReportError):
        read_reports(body)


def test_a_batch_is_bounded() -> None:
    assert len(read_reports(json.dumps([GOOD] * REPORTS_MAX).encode())) == REPORTS_MAX
    with pytest.raises(ReportError, match="500"):
        read_reports(json.dumps([GOOD] * (REPORTS_MAX + 1)).encode())


def test_an_event_may_say_where_it_was_started_from() -> None:
    sources = ["album-3", "library-likes", "genre-日本", ""]
    reports = read_reports(json.dumps([{**GOOD, "source": source} for source in sources] + [GOOD]).encode())
    assert [report.source for report in reports] == [*sources, ""]
