"""The list of periodic work: what the setting adds to it, and when an entry is due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from celery.schedules import crontab, schedule
from flask import Flask
from flask_babel import Babel

from musicapp.core.celery import UnreadableScheduleError, merged_schedule
from musicapp.core.db import utc_now
from musicapp.jobs.timing import Timing, TimingError, check_crontab


def test_setting_adds_replaces_and_removes_entries() -> None:
    ours = {"a": {"task": "x", "schedule": 60.0, "options": {"expires": 60}}, "b": {"task": "y", "schedule": 1.0}}
    added = {
        "a": None,
        "b": {"task": "y", "schedule": 5},
        "c": {"task": "z", "schedule": {"crontab": {"hour": 8}}},
    }
    merged = merged_schedule(ours, added)
    assert set(merged) == {"b", "c"}
    assert merged["b"]["schedule"] == 5
    assert merged["c"]["schedule"] == crontab(minute=0, hour=8)
    assert merged["c"]["options"] == {"queue": "default"}


@pytest.mark.parametrize(
    "added",
    [
        ["a"],
        {"a": 5},
        {"a": {"task": "x"}},
        {"a": {"task": "x", "schedule": {"crontab": {"hour": 25}}}},
        {"a": {"task": "x", "schedule": {"cron": "8"}}},
        {"a": {"task": "x", "schedule": {"crontab": 8}}},
        {"a": {"task": "x", "schedule": {"crontab": {"hours": 8}}}},
    ],
)
def test_unreadable_entry_of_the_setting_says_what_to_write(added: Any) -> None:
    with pytest.raises(UnreadableScheduleError, match="Write "):
        merged_schedule({}, added)


def test_times_say_when_they_come_next() -> None:
    now = utc_now()
    hourly = Timing.of(schedule(3600))
    assert hourly == Timing("interval", every=1, period="hours")
    due = hourly.next_run(now - timedelta(days=2))
    assert due is not None
    assert abs(due - now) < timedelta(seconds=5)  # never in the past
    assert hourly.next_run(now) == now + timedelta(hours=1)
    assert Timing.of(0.25) == Timing("interval", every=250_000, period="microseconds")
    at_eight = Timing.of(crontab(hour=8, minute=0))
    assert (at_eight.line, at_eight.time_zone) == ("0 8 * * *", "UTC")
    berlin = Timing("crontab", line="0 8 * * *", time_zone="Europe/Berlin").next_run(now)
    assert berlin is not None
    local = berlin.astimezone(ZoneInfo("Europe/Berlin"))
    assert (local.hour, local.minute, local.second) == (8, 0, 0)
    assert timedelta() < berlin - now <= timedelta(days=1, hours=1)
    once = Timing("moment", at=now + timedelta(minutes=5))
    assert (once.next_run(None), once.next_run(now)) == (once.at, None)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("0 8 * *", "Write five parts"),
        ("61 8 * * *", "“61” can't be the minute. Write 0–59"),
        ("0 24 * * *", "“24” can't be the hour. Write 0–23"),
        ("*/0 * * * *", "“*/0” can't be the minute"),
        ("0 8 * * never", "“never” can't be the weekday. Write 0–6"),
        ("0 0 31 2 *", "That day never comes"),
        ("1" * 500 + " * * * *", "can't be the minute"),
    ],
)
def test_bad_crontab_says_which_part_and_what_to_write(line: str, said: str) -> None:
    app = Flask("words")
    Babel(app)
    with app.test_request_context(), pytest.raises(TimingError) as refused:
        check_crontab(line, "UTC")
    assert said in str(refused.value)
    with app.test_request_context():
        assert check_crontab(" 0  8 * * mon ", "UTC").line == "0 8 * * mon"
