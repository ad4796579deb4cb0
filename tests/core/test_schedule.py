"""The list of periodic work: what the setting adds to it, and when an entry is due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from celery.schedules import crontab, schedule

from musicapp.core.celery import UnreadableScheduleError, merged_schedule
from musicapp.core.db import utc_now
from musicapp.jobs.beat import next_run


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


def test_next_run_is_never_in_the_past() -> None:
    now = utc_now()
    assert abs(next_run(schedule(3600), now - timedelta(days=2)) - now) < timedelta(seconds=5)
    assert abs(next_run(schedule(3600), now) - now - timedelta(hours=1)) < timedelta(seconds=5)
