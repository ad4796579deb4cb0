from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from config import SettingError, load_settings
from musicapp.accounts.models import User
from musicapp.catalog.models import Album, Artist
from musicapp.core.db import db, utc_now
from musicapp.jobs.context import JobContext
from musicapp.jobs.models import Job, PeriodicRun
from musicapp.jobs.runner import run_next
from musicapp.library.models import ArtistFollow
from musicapp.notifications import mornings, newsletter
from musicapp.notifications.models import Delivery, NotificationPreference
from musicapp.notifications.newsletter import Had, NewAlbum, choose
from tests.notifications.world import add_album, add_artist, add_user, read_mails
from tests.test_statements import statements_of

NOON = datetime(2026, 7, 8, 12, 0, tzinfo=UTC)


def _run_at(now: datetime, at: str = "08:00") -> int:
    """Looks which mornings came, as the clock does at this instant, and sends what is due; how many zones were due."""
    count = mornings.add_jobs("newsletter", newsletter.TASK, at, now)
    while run_next("newsletter") is not None:
        pass
    return count


def _deliveries() -> list[tuple[str, Any]]:
    rows = db.session.execute(select(Delivery.reason, Delivery.arguments).order_by(Delivery.id))
    return [(row.reason, row.arguments["album_ids"]) for row in rows]


def _release(artist_id: int, title: str, at: datetime) -> int:
    artist = db.session.get_one(Artist, artist_id)
    album = add_album(artist, title, published_at=at, created_at=at)
    db.session.commit()
    return album.id


def test_the_newsletter_brings_new_albums_with_followed_artists_first(context: Flask) -> None:
    alice, bob, charlie = (add_user(name).id for name in ("alice", "bob", "charlie"))
    followed, other = add_artist("Followed", alice).id, add_artist("Other").id
    db.session.add(ArtistFollow(user_id=bob, artist_id=followed))
    now = utc_now()
    older = _release(followed, "Older", now - timedelta(days=3))
    newer = _release(other, "Newer", now - timedelta(days=1))
    _release(other, "Too old", now - timedelta(days=8))
    add_album(db.session.get_one(Artist, other), "Draft")
    gone = _release(other, "Gone", now - timedelta(days=1))
    db.session.get_one(Album, gone).deleted_at = now
    db.session.commit()

    assert _run_at(now, f"{now:%H:%M}") == 1
    today = now.date()
    assert dict(_deliveries()) == {
        f"newsletter/{alice}/{today}": [newer],
        f"newsletter/{bob}/{today}": [older, newer],
        f"newsletter/{charlie}/{today}": [newer, older],
    }
    mails = {str(mail["To"]): mail for mail in read_mails(context)}
    assert mails["bob@example.com"]["Subject"] == "New music: Older and 1 more"
    assert mails["alice@example.com"]["Subject"] == "New music: Newer by Other", "her own album is no news to her"
    assert "List-Unsubscribe" in mails["bob@example.com"]


def test_nobody_gets_two_on_one_day_and_nothing_comes_twice(context: Flask) -> None:
    bob, artist = add_user("bob").id, add_artist("Other").id
    first_at = datetime(2026, 7, 8, 8, 0, tzinfo=UTC)
    _release(artist, "First", first_at - timedelta(hours=1))
    assert _run_at(first_at) == 1
    assert _run_at(first_at + timedelta(minutes=1)) == 0, "that morning is over"
    db.session.get_one(User, bob).time_zone = "America/New_York"
    db.session.commit()
    _release(artist, "Second", first_at + timedelta(hours=1))
    assert _run_at(first_at + timedelta(hours=5)) == 1, "morning in New York, the same day"
    assert [ids for _, ids in _deliveries()] == [[1]], "whoever moves to another zone gets no second one"
    assert _run_at(first_at + timedelta(days=1, hours=4)) == 1
    assert [ids for _, ids in _deliveries()] == [[1], [2]]
    assert _run_at(first_at + timedelta(days=2, hours=4)) == 1
    assert len(_deliveries()) == 2, "skipped when there is nothing"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_outage_of_a_morning_is_made_up_for_and_one_of_a_day_is_not(context: Flask) -> None:
    add_user("bob")
    add_user("mallory", email_confirmed_at=None)
    _release(add_artist("Other").id, "First", NOON - timedelta(days=1))
    assert _run_at(NOON.replace(hour=7, minute=59)) == 0, "not before its time"
    assert _run_at(NOON.replace(hour=14, minute=1)) == 0
    assert _run_at(NOON.replace(hour=13, minute=59)) == 1
    assert len(_deliveries()) == 1, "nobody confirmed the other address"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_admin_who_asks_for_a_run_gets_one_whatever_the_hour(context: Flask) -> None:
    add_user("bob")
    artist = add_artist("Other").id
    db.session.commit()
    evening = NOON.replace(hour=19)
    assert _run_at(NOON.replace(hour=8)) == 1
    _release(artist, "Later", NOON)
    assert _run_at(evening) == 0
    db.session.add(PeriodicRun(task=newsletter.TASK, started_by="admin", started_at=evening, heartbeat_at=evening))
    db.session.commit()
    assert _run_at(evening) == 1
    assert [ids for _, ids in _deliveries()] == [[1]]


@pytest.mark.parametrize(
    ("zone", "at", "leaves_at"),
    [
        ("Asia/Tokyo", "08:00", datetime(2026, 7, 8, 23, 0, tzinfo=UTC)),
        ("America/Los_Angeles", "08:00", datetime(2026, 7, 8, 15, 0, tzinfo=UTC)),
        ("Asia/Kathmandu", "23:30", datetime(2026, 7, 8, 17, 45, tzinfo=UTC)),
        ("Europe/Berlin", "08:00", datetime(2026, 3, 29, 6, 0, tzinfo=UTC)),  # the day the clocks go forward
        ("Europe/Berlin", "02:30", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),  # an hour that was skipped
        ("Europe/Berlin", "02:30", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),  # one that comes twice: the first time
        ("No/Such_Zone", "08:00", datetime(2026, 7, 8, 8, 0, tzinfo=UTC)),
    ],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_morning_is_where_the_reader_lives(context: Flask, zone: str, at: str, leaves_at: datetime) -> None:
    add_user("bob", time_zone=zone)
    db.session.commit()
    looked = leaves_at - timedelta(hours=3)
    due = []
    while looked < leaves_at + timedelta(hours=20):
        if mornings.add_jobs("newsletter", newsletter.TASK, at, looked):
            due.append(looked)
        looked += timedelta(minutes=15)
    assert [moment for moment in due if moment >= leaves_at] == [leaves_at]
    assert [moment for moment in due if leaves_at - timedelta(minutes=30) < moment < leaves_at] == []


def test_who_unsubscribed_or_left_gets_none_and_a_killed_worker_goes_on(
    context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(newsletter, "CHUNK_READERS", 2)
    names = ["anna", "ben", "cleo", "dora", "emil"]
    users = {name: add_user(name) for name in names}
    users["ben"].suspended_at = utc_now()
    db.session.add(NotificationPreference(user_id=users["cleo"].id, kind="newsletter", outlet="mail", frequency="off"))
    now = utc_now()
    _release(add_artist("Other").id, "First", now - timedelta(hours=1))
    mornings.add_jobs("newsletter", newsletter.TASK, f"{now:%H:%M}", now)

    real = newsletter._add_deliveries
    calls: list[int] = []

    def dies_after_a_chunk(*arguments: Any) -> None:
        if calls:
            raise RuntimeError("killed")
        calls.append(1)
        real(*arguments)

    monkeypatch.setattr(newsletter, "_add_deliveries", dies_after_a_chunk)
    run_next("newsletter")
    assert len(_deliveries()) == 2
    monkeypatch.setattr(newsletter, "_add_deliveries", real)
    db.session.execute(db.update(Job).values(run_at=utc_now()))
    db.session.commit()
    run_next("newsletter")
    assert sorted(str(mail["To"]) for mail in read_mails(context)) == [
        f"{name}@example.com" for name in ("anna", "dora", "emil")
    ]


def test_albums_are_read_once_however_many_readers_there_are(context: Flask) -> None:
    now = utc_now()
    artist = add_artist("Other").id
    for number in range(3):
        _release(artist, f"Album {number}", now - timedelta(hours=1))

    def statements_for(count: int, day: str) -> int:
        db.session.add_all(
            User(username=f"r{day}{n}", username_key=f"r{day}{n}", email=f"r{day}{n}@x.example", password_hash="x")
            for n in range(count)
        )
        db.session.commit()
        job = Job(kind="newsletter", arguments={"time_zone": "UTC", "day": day, "until": now.isoformat()})
        job.claim_token = "t"
        db.session.add(job)
        db.session.commit()
        with statements_of(context) as ran:
            newsletter._add_deliveries(JobContext(job), newsletter.new_albums(now), now)
        return len(ran)

    few, many = statements_for(1, "2026-07-08"), statements_for(200, "2026-07-09")
    assert few == many <= 9


def test_a_choice_is_never_longer_than_a_mail_should_be() -> None:
    albums = [NewAlbum(id, NOON - timedelta(hours=id), frozenset({id % 4})) for id in range(1, 60)]
    ids, first = choose(albums, followed={1}, own={3}, had=None)
    assert len(ids) == 12
    assert first == ids == [id for id in range(1, 48) if id % 4 == 1]
    ids, first = choose(albums, followed={99}, own=(), had=Had(NOON - timedelta(hours=3), frozenset({1})))
    assert (ids, first) == ([2], []), "what came since the last one, and was not in it"


@pytest.mark.parametrize("wrong", ["25:00", "8", "08:60", "eight"])
def test_a_wrong_hour_is_refused_with_a_sentence_that_helps(wrong: str) -> None:
    with pytest.raises(SettingError, match=f"NEWSLETTER_AT='{wrong}' is no time of day.*NEWSLETTER_AT=08:00"):
        load_settings({"SECRET_KEY": "x", "NEWSLETTER_AT": wrong})
    assert load_settings({"SECRET_KEY": "x", "NEWSLETTER_AT": "7:05"})["NEWSLETTER_AT"] == "07:05"
