"""Digests: when they are due where their reader lives, one mail with everything, entries gone with it."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from sqlalchemy import select, update

from musicapp.accounts.models import User
from musicapp.core.db import db, utc_now
from musicapp.jobs import runner
from musicapp.jobs.models import Job
from musicapp.jobs.registry import GoOn
from musicapp.notifications import digests, due, posting, preferences
from musicapp.notifications.kinds import DAILY, MAIL, NOW, PAGE, WEEKLY
from musicapp.notifications.models import SENT, SUPPRESSED, Delivery, DigestEntry, Notice
from musicapp.notifications.notices import services as notices
from musicapp.playlists import services as playlists
from tests.notifications.world import add_user
from tests.servers import MailSink

EIGHT = time(8)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "zone", "weekday", "expected", "day"),
    [
        ("2026-11-20T07:59", "UTC", None, "2026-11-19T08:00", date(2026, 11, 19)),
        ("2026-11-20T08:00", "UTC", None, "2026-11-20T08:00", date(2026, 11, 20)),
        ("2026-11-19T23:30", "Asia/Tokyo", None, "2026-11-19T23:00", date(2026, 11, 20)),
        ("2026-11-20T07:00", "Pacific/Auckland", None, "2026-11-19T19:00", date(2026, 11, 20)),
        # Berlin turns its clocks on 29 March and 25 October 2026: eight is an hour earlier in summer.
        ("2026-03-28T12:00", "Europe/Berlin", None, "2026-03-28T07:00", date(2026, 3, 28)),
        ("2026-03-29T12:00", "Europe/Berlin", None, "2026-03-29T06:00", date(2026, 3, 29)),
        ("2026-10-25T06:30", "Europe/Berlin", None, "2026-10-24T06:00", date(2026, 10, 24)),
        ("2026-10-25T07:00", "Europe/Berlin", None, "2026-10-25T07:00", date(2026, 10, 25)),
        # 20 November 2026 is a Friday.
        ("2026-11-20T12:00", "UTC", due.MONDAY, "2026-11-16T08:00", date(2026, 11, 16)),
        ("2026-11-16T07:59", "UTC", due.MONDAY, "2026-11-09T08:00", date(2026, 11, 9)),
        ("2026-11-15T19:00", "Pacific/Auckland", due.MONDAY, "2026-11-15T19:00", date(2026, 11, 16)),
    ],
)
def test_morning_comes_by_the_readers_clock(now: str, zone: str, weekday: int | None, expected: str, day: date) -> None:
    assert due.latest(at(now), ZoneInfo(zone), EIGHT, weekday) == (at(expected), day)


def test_hours_that_clocks_skip_or_repeat_come_once() -> None:
    berlin, half_past_two = ZoneInfo("Europe/Berlin"), time(2, 30)
    for first, last in (
        (at("2026-03-28T00:00"), at("2026-03-31T00:00")),
        (at("2026-10-24T00:00"), at("2026-10-27T00:00")),
    ):
        minutes = [first + timedelta(minutes=15 * step) for step in range(4 * 72)]
        found = {due.latest(now, berlin, half_past_two) for now in minutes if now < last}
        days = [day for _instant, day in found]
        assert len(days) == len(set(days)) == 4, "the day before, and three more"


def test_time_zone_that_nobody_knows_is_utc() -> None:
    assert due.zone_of("Mars/Olympus") == due.zone_of("../etc") == ZoneInfo("UTC")


# ---- Sending


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Every delivery that the post office was asked to send, and takes as sent."""
    found: list[Any] = []

    def send_waiting(job: Any) -> dict[str, int]:
        rows = db.session.scalars(select(Delivery).where(Delivery.job_id == job.id, Delivery.state == "waiting")).all()
        found.extend((row.user_id, row.reason, row.arguments) for row in rows)
        for row in rows:
            row.state = SENT
        db.session.commit()
        return {"sent": len(rows)}

    monkeypatch.setattr(posting, "send_waiting", send_waiting)
    return found


def make_reader(name: str, zone: str = "UTC") -> int:
    return add_user(name, time_zone=zone).id


def wait_for_digest(user_id: int, frequency: str, number: int, created_at: datetime) -> int:
    entry = DigestEntry(
        user_id=user_id,
        outlet=MAIL,
        frequency=frequency,
        kind="announcement",
        subject_id=number,
        reason=f"announcement/{number}",
        created_at=created_at,
    )
    db.session.add(entry)
    db.session.flush()
    return entry.id


def run(monkeypatch: pytest.MonkeyPatch, now: str) -> None:
    db.session.commit()
    monkeypatch.setattr(digests, "utc_now", lambda: at(now))
    digests.send_digests()
    while runner.run_next("digest"):
        pass


def test_each_reader_gets_one_mail_a_morning_with_all_that_waited(
    context: Flask, monkeypatch: pytest.MonkeyPatch, sent: list[Any]
) -> None:
    monkeypatch.setattr(digests, "CHUNK_READERS", 2)
    first, second, third, tokyo, weekly = (
        *(make_reader(name) for name in ("a", "b", "c")),
        make_reader("t", "Asia/Tokyo"),
        make_reader("w"),
    )
    ids = [wait_for_digest(first, DAILY, number, at("2026-11-19T20:00")) for number in (1, 2)]
    late = wait_for_digest(first, DAILY, 3, at("2026-11-20T08:01"))
    for reader, frequency in ((second, DAILY), (third, DAILY), (tokyo, DAILY), (weekly, WEEKLY)):
        wait_for_digest(reader, frequency, 1, at("2026-11-19T23:30"))
    run(monkeypatch, "2026-11-20T07:55")
    assert sent == []
    run(monkeypatch, "2026-11-20T08:02")
    assert [user_id for user_id, _reason, _arguments in sent] == [first, second, third]
    assert sent[0] == (first, f"digest/daily/{first}/2026-11-20", {"entry_ids": ids, "frequency": DAILY})
    left = db.session.scalars(select(DigestEntry.user_id).order_by(DigestEntry.user_id)).all()
    assert left == [first, tokyo, weekly]
    run(monkeypatch, "2026-11-20T08:30")
    assert len(sent) == 3
    run(monkeypatch, "2026-11-20T23:00")  # eight in Tokyo
    assert sent[3][:2] == (tokyo, f"digest/daily/{tokyo}/2026-11-21")
    run(monkeypatch, "2026-11-23T08:00")  # a Monday
    assert [row[:2] for row in sent[4:]] == [
        (first, f"digest/daily/{first}/2026-11-23"),
        (weekly, f"digest/weekly/{weekly}/2026-11-23"),
    ]
    assert sent[4][2]["entry_ids"] == [late]
    assert db.session.scalars(select(DigestEntry.id)).all() == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_second_zone_on_the_same_day_brings_no_second_digest(
    context: Flask, monkeypatch: pytest.MonkeyPatch, sent: list[Any]
) -> None:
    reader = make_reader("a", "Asia/Tokyo")
    wait_for_digest(reader, DAILY, 1, at("2026-11-19T20:00"))
    run(monkeypatch, "2026-11-19T23:05")
    wait_for_digest(reader, DAILY, 2, at("2026-11-19T23:30"))
    db.session.execute(update(User).values(time_zone="UTC"))
    run(monkeypatch, "2026-11-20T08:05")
    assert [reason for _user, reason, _arguments in sent] == [f"digest/daily/{reader}/2026-11-20"]
    run(monkeypatch, "2026-11-21T08:05")
    assert len(sent) == 2, "what came later comes the next day"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_digest_that_is_sent_in_parts_or_to_nobody_leaves_no_entry_behind(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = [make_reader(name) for name in ("a", "b")]
    for reader in readers:
        wait_for_digest(reader, DAILY, 1, at("2026-11-19T20:00"))
    parts: list[int] = []

    def send_waiting(job: Any) -> dict[str, int]:
        parts.append(len(db.session.scalars(select(DigestEntry.id)).all()))
        db.session.execute(
            update(Delivery)
            .where(Delivery.user_id == readers[len(parts) - 1])
            .values(state=(SENT, SUPPRESSED)[len(parts) - 1])
        )
        db.session.commit()
        if len(parts) == 1:
            raise GoOn
        return {"sent": 1}

    monkeypatch.setattr(posting, "send_waiting", send_waiting)
    run(monkeypatch, "2026-11-20T08:00")
    assert parts == [2, 1]
    assert db.session.scalars(select(DigestEntry.id)).all() == []
    assert db.session.scalars(select(Job.state).where(Job.kind == "digest")).all() == ["succeeded"]


def test_changes_of_a_playlist_reach_editors_and_followers_in_a_real_digest(
    smtp_app: Flask, mail_sink: MailSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the change to the mail: a member who asked daily, a follower who asked weekly and for notices."""
    owner, editor, follower, quiet = (make_reader(name) for name in ("owner", "editor", "follower", "quiet"))
    playlist_id = playlists.create_playlist(owner, name="Night drive", visibility="public").id
    playlists.accept_invitation(playlists.invite_user(playlist_id, owner, "editor", "editor").id, editor)
    for user_id in (follower, quiet):
        playlists.follow(playlist_id, user_id)
    preferences.save(editor, {(preferences.PLAYLIST_CHANGED, MAIL): DAILY})
    preferences.save(
        follower, {(preferences.PLAYLIST_CHANGED, MAIL): WEEKLY, (preferences.PLAYLIST_CHANGED, PAGE): NOW}
    )
    playlists.edit_playlist(playlist_id, owner, name="Late drive", description="", visibility="public")
    db.session.execute(update(Job).values(state="succeeded"))
    db.session.commit()
    for _ in range(2):
        digests.ask_for_playlist_digests()
        for kind in ("playlist_digest", "tell"):
            while runner.run_next(kind):
                pass
    waiting = db.session.execute(select(DigestEntry.user_id, DigestEntry.frequency).order_by(DigestEntry.user_id)).all()
    assert [tuple(row) for row in waiting] == [(editor, DAILY), (follower, WEEKLY)]
    assert db.session.scalars(select(Notice.user_id)).all() == [follower]
    tomorrow = utc_now() + timedelta(days=1)
    run(monkeypatch, f"{tomorrow:%Y-%m-%d}T08:00")
    (mail,) = mail_sink.to("editor@example.com")
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Late drive" in body.get_content()
    assert "List-Unsubscribe" in mail
    if tomorrow.weekday() != due.MONDAY:
        assert mail_sink.to("follower@example.com") == []


def test_old_notices_are_removed_a_few_at_a_time(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notices, "PURGED_AT_ONCE", 2)
    reader = make_reader("a")
    for days in (200, 100, 91, 89, 0):
        created_at = utc_now() - timedelta(days=days)
        db.session.add(Notice(user_id=reader, kind="announcement", reason=f"r/{days}", created_at=created_at))
    db.session.commit()
    assert digests.purge_notices() == {"notices": 3}
    assert db.session.scalars(select(Notice.reason).order_by(Notice.id)).all() == ["r/89", "r/0"]
