from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from musicapp.playback.ranges import Answer, answer

MODIFIED_AT = datetime(2026, 3, 1, 12, 0, 0, 654321, tzinfo=UTC)
DATE = "Sun, 01 Mar 2026 12:00:00 GMT"
EARLIER = "Sun, 01 Mar 2026 11:59:59 GMT"


def ask(method: str = "GET", size_bytes: int = 1000, **headers: Any) -> Answer:
    environ = {"REQUEST_METHOD": method, **{f"HTTP_{name.upper()}": value for name, value in headers.items()}}
    return answer(environ, size_bytes=size_bytes, etag="abc", modified_at=MODIFIED_AT)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ("bytes=0-", Answer(206, 0, 1000)),
        ("bytes=0-0", Answer(206, 0, 1)),
        ("bytes=10-19", Answer(206, 10, 20)),
        ("bytes=990-5000", Answer(206, 990, 1000)),
        ("bytes=-100", Answer(206, 900, 1000)),
        ("bytes=-5000", Answer(206, 0, 1000)),
        ("Bytes = 5-6", Answer(206, 5, 7)),
        ("bytes=1000-", Answer(416)),
        ("bytes=9999999999999999999-", Answer(416)),
        ("bytes=-0", Answer(416)),
    ],
)
def test_a_single_range_is_cut_out(wanted: str, expected: Answer) -> None:
    assert ask(Range=wanted) == expected


@pytest.mark.parametrize(
    "wanted",
    [
        "bytes=20-10",
        "bytes=-",
        "bytes",
        "bytes=a-b",
        "items=0-5",
        "bytes=0-5,10-15",
        "bytes=--5",
        "bytes=0x1-",
        "bytes=٣-",
    ],
)
def test_a_range_that_means_nothing_to_us_is_ignored(wanted: str) -> None:
    assert ask(Range=wanted) == Answer(200, 0, 1000)


def test_an_empty_file_has_no_range() -> None:
    assert ask(size_bytes=0, Range="bytes=0-") == Answer(416)
    assert ask(size_bytes=0, Range="bytes=-5") == Answer(416)
    assert ask(size_bytes=0) == Answer(200, 0, 0)


def test_head_has_no_ranges() -> None:
    assert ask("HEAD", Range="bytes=0-9") == Answer(200, 0, 1000)


@pytest.mark.parametrize(
    ("if_range", "status"),
    [('"abc"', 206), ('W/"abc"', 200), ('"other"', 200), (DATE, 206), (EARLIER, 200), ("nonsense", 200)],
)
def test_if_range_wants_the_very_same_file(if_range: str, status: int) -> None:
    assert ask(Range="bytes=0-9", If_Range=if_range).status == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If_None_Match": '"abc"'}, 304),
        ({"If_None_Match": 'W/"abc"'}, 304),
        ({"If_None_Match": '"x", "abc"'}, 304),
        ({"If_None_Match": "*"}, 304),
        ({"If_None_Match": '"x"'}, 200),
        ({"If_Modified_Since": DATE}, 304),
        ({"If_Modified_Since": EARLIER}, 200),
        ({"If_Modified_Since": "yesterday"}, 200),
        ({"If_None_Match": '"x"', "If_Modified_Since": DATE}, 200),
        ({"If_Match": '"abc"'}, 200),
        ({"If_Match": "*"}, 200),
        ({"If_Match": '"x"'}, 412),
        ({"If_Match": 'W/"abc"'}, 412),
        ({"If_Unmodified_Since": DATE}, 200),
        ({"If_Unmodified_Since": EARLIER}, 412),
        ({"If_None_Match": '"abc"', "Range": "bytes=0-9"}, 304),
    ],
)
def test_conditions_are_weighed_in_order(headers: dict[str, Any], status: int) -> None:
    assert ask(**headers).status == status
