"""Announcements: written, previewed, sent at once or later, stopped, gone on with; what came of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from musicapp.accounts import oversight
from musicapp.accounts.models import User
from musicapp.catalog.services import create_artist
from musicapp.core.db import db, utc_now
from musicapp.jobs import context as job_context
from musicapp.jobs import registry
from musicapp.jobs import services as jobs
from musicapp.jobs.models import Job
from musicapp.jobs.runner import claim, run_next
from musicapp.library.models import ArtistFollow
from musicapp.notifications.announcements import queries, services
from musicapp.notifications.announcements.moments import MomentError, moment_of
from musicapp.notifications.models import Announcement, Delivery, Notice
from tests.notifications.hostile_sink import HostileSink
from tests.notifications.mailings import address, make_readers
from tests.people import register
from tests.servers import wait_for

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


def make_artist(app: Flask, followers: int) -> tuple[int, int]:
    """Ids of alice and her artist, whom r0, r1, … follow."""
    alice = register(app, "alice")
    artist_id = create_artist(name="Low Tide", owner_id=alice)
    db.session.add_all(ArtistFollow(user_id=id_, artist_id=artist_id) for id_ in make_readers(followers))
    db.session.commit()
    return alice, artist_id


def write(alice: int, artist_id: int | None, title: str = "On tour") -> int:
    announcement_id = services.write(alice, artist_id, title=title, words="We come to you.\n\nAll of us.")
    db.session.commit()
    return announcement_id


def send(announcement_id: int, sender_id: int, send_at: datetime | None = None, most: int = 3) -> int:
    job_id = services.send(announcement_id, sender_id, send_at=send_at, most_per_day=most)
    db.session.commit()
    return job_id


def run_parts() -> None:
    """Works until nothing that is due waits any more."""
    while run_next("tell"):
        db.session.execute(update(Job).where(Job.state == "queued", Job.attempts > 0).values(run_at=utc_now()))
        db.session.commit()


def told_of(announcement_id: int) -> queries.Told:
    db.session.expire_all()
    told = queries.told(announcement_id)
    assert told is not None
    return told


def test_followers_get_it_once_and_the_author_sees_what_became_of_each_mail(post: Flask, sink: HostileSink) -> None:
    alice, artist_id = make_artist(post, 5)
    for number in (1, 2):
        sink.at_rcpt[address(number)] = f"550 5.1.1 <{address(number)}>: no such user"
    db.session.execute(update(User).where(User.email == address(3)).values(suspended_at=utc_now()))
    db.session.commit()
    announcement_id = write(alice, artist_id)
    job_id = send(announcement_id, alice)
    assert told_of(announcement_id).state == "queued"
    run_parts()
    told = told_of(announcement_id)
    assert (told.state, told.outcome.counts.sent, told.outcome.counts.failed) == ("delivered", 2, 2)
    assert [(reason.words, reason.count) for reason in told.outcome.reasons] == [("550 5.1.1 …: no such user", 2)]
    assert told.outcome.notices == 4
    assert {m["To"]: m["Subject"] for m in sink.messages} == dict.fromkeys(
        (address(0), address(4)), "Low Tide: On tour"
    )
    # The ledger may forget the job; the author's page does not.
    db.session.execute(update(Delivery).values(job_id=None))
    db.session.execute(update(Announcement).values(job_id=None))
    db.session.delete(db.session.get_one(Job, job_id))
    db.session.commit()
    assert told_of(announcement_id).outcome == told.outcome


def test_what_is_stopped_halfway_goes_on_with_those_who_have_not_got_it(
    post: Flask, sink: HostileSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_context, "CANCEL_POLL_S", 0.02)
    at_work: list[job_context.JobContext] = []
    tell = registry.KINDS["tell"]

    def noted(job: job_context.JobContext) -> dict[str, Any] | None:
        at_work.append(job)
        return tell.run(job)

    monkeypatch.setitem(registry.KINDS, "tell", replace(tell, run=noted))
    alice, artist_id = make_artist(post, 4)
    announcement_id = write(alice, artist_id)
    job_id = send(announcement_id, alice)

    def stop_before_the_second(_recipient: str) -> None:
        if len(sink.messages) == 1:
            with post.app_context():
                assert services.stop(announcement_id) == "sending"
                db.session.commit()
            wait_for(lambda: at_work[-1]._stop is not None, 5, "the worker to hear of the wish")

    sink.on_mail = stop_before_the_second
    run_parts()
    sink.on_mail = None
    told = told_of(announcement_id)
    assert (told.state, told.outcome.counts) == ("cancelled", queries.Counts(sent=2, cancelled=2))
    with pytest.raises(services.AnnouncementError):
        services.edit(announcement_id, title="Other", words="words")
    services.go_on(announcement_id)
    db.session.commit()
    assert told_of(announcement_id).state == "queued"
    run_parts()
    assert (told_of(announcement_id).state, told_of(announcement_id).job.id) == ("delivered", job_id)  # type: ignore[union-attr]
    assert sorted(m["To"] for m in sink.messages) == [address(n) for n in range(4)]


def test_what_waits_for_its_time_is_edited_moved_and_taken_back(context: Flask) -> None:
    alice, artist_id = make_artist(context, 1)
    announcement_id = write(alice, artist_id)
    tomorrow, later = utc_now() + timedelta(days=1), utc_now() + timedelta(days=2)
    job_id = send(announcement_id, alice, tomorrow)
    assert told_of(announcement_id).state == "scheduled"
    assert run_next("tell") is None
    services.edit(announcement_id, title="Further on tour", words="More of us.")
    assert send(announcement_id, alice, later) == job_id
    told = told_of(announcement_id)
    assert (told.state, told.send_at, told.title) == ("scheduled", later, "Further on tour")
    assert told.job is not None
    assert told.job.run_at == later
    assert services.stop(announcement_id) == "draft"
    db.session.commit()
    assert run_next("tell") is None
    with pytest.raises(services.AnnouncementError):
        services.stop(announcement_id)
    assert send(announcement_id, alice) == job_id
    assert run_next("tell") == job_id
    assert told_of(announcement_id).has_begun
    with pytest.raises(services.AnnouncementError):
        send(announcement_id, alice)
    with pytest.raises(services.AnnouncementError):
        services.delete(announcement_id)


def test_a_worker_that_dies_and_a_job_that_fails_are_told_apart(context: Flask) -> None:
    alice, artist_id = make_artist(context, 1)
    announcement_id = write(alice, artist_id)
    job_id = send(announcement_id, alice)
    assert claim("tell") is not None
    assert told_of(announcement_id).state == "sending"
    jobs.change(db.session.get_one(Job, job_id), "queued", claim_token=None)
    db.session.commit()
    assert told_of(announcement_id).state == "sending"
    jobs.change(db.session.get_one(Job, job_id), "failed", error="The mail server is gone.")
    db.session.commit()
    told = told_of(announcement_id)
    assert (told.state, told.job.error if told.job else "") == ("failed", "The mail server is gone.")
    services.go_on(announcement_id)
    db.session.commit()
    assert told_of(announcement_id).state == "queued"
    # Taken back before a worker has it again: it has begun, so it is no draft.
    assert services.stop(announcement_id) == "cancelled"


def test_an_artist_sends_so_many_on_a_day_of_the_authors_zone(context: Flask) -> None:
    alice, artist_id = make_artist(context, 0)
    noon = (utc_now() + timedelta(days=3)).replace(hour=12, minute=0, second=0, microsecond=0)
    for hours in (0, 1):
        send(write(alice, artist_id), alice, noon + timedelta(hours=hours), most=2)
    third = write(alice, artist_id)
    with pytest.raises(services.AnnouncementError, match="2 announcements of this artist go out on that day"):
        send(third, alice, noon + timedelta(hours=2), most=2)
    db.session.rollback()
    # 23:30 in Berlin's summer or winter is still that day there, whatever it is in London.
    send(third, alice, noon + timedelta(days=1), most=2)
    to_all = write(alice, None)
    send(to_all, alice, noon, most=0)
    assert told_of(to_all).state == "scheduled"


def test_who_is_suspended_sends_nothing_more(context: Flask) -> None:
    alice, artist_id = make_artist(context, 1)
    register(context, "admin", role="admin")
    waiting, draft = write(alice, artist_id), write(alice, artist_id)
    send(waiting, alice, utc_now() + timedelta(hours=1))
    oversight.suspend_user(alice, "spam")
    db.session.commit()
    assert told_of(waiting).state == "draft"
    with pytest.raises(services.AnnouncementError, match="suspended"):
        send(draft, alice)


def test_those_to_everybody_reach_every_open_account(post: Flask, sink: HostileSink) -> None:
    admin = register(post, "admin", role="admin")
    make_readers(2)
    announcement_id = write(admin, None, title="We move")
    send(announcement_id, admin)
    run_parts()
    assert told_of(announcement_id).outcome.counts.sent == 3
    assert set(db.session.scalars(select(Notice.kind))) == {"announcement"}


@pytest.mark.parametrize(
    ("day", "hour", "zone", "expected"),
    [
        ("2026-03-21", "08:30", "Europe/Berlin", "2026-03-21T07:30+00:00"),
        ("2026-06-21", "08:30", "Europe/Berlin", "2026-06-21T06:30+00:00"),
        ("2026-10-25", "02:30", "Europe/Berlin", "2026-10-25T00:30+00:00"),  # comes twice: the first
        ("2026-03-20", "12:01", "UTC", "2026-03-20T12:01+00:00"),
        ("2026-03-21", "00:00", "Nowhere/At_all", "2026-03-21T00:00+00:00"),
    ],
)
def test_a_moment_is_meant_in_the_authors_zone(day: str, hour: str, zone: str, expected: str) -> None:
    assert moment_of(day, hour, zone, now=NOW) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("day", "hour", "zone", "field", "words"),
    [
        ("2026-03-29", "02:30", "Europe/Berlin", "time", "02:30 does not exist in Europe/Berlin"),
        ("2026-03-20", "11:59", "UTC", "time", "This moment has passed"),
        ("2026-03-19", "13:00", "UTC", "day", "This moment has passed"),
        ("2027-06-01", "13:00", "UTC", "day", "within the next year"),
        ("0001-01-01", "00:00", "Europe/Berlin", "day", "within the next year"),
        ("", "13:00", "UTC", "day", "Choose the day"),
        ("2026-02-30", "13:00", "UTC", "day", "Choose the day"),
        ("2026-03-21", "", "UTC", "time", "Choose the time"),
        ("2026-03-21", "25:00", "UTC", "time", "Choose the time"),
    ],
)
def test_what_is_no_moment_to_come_is_refused_in_words(day: str, hour: str, zone: str, field: str, words: str) -> None:
    with pytest.raises(MomentError, match=words) as caught:
        moment_of(day, hour, zone, now=NOW)
    assert caught.value.field == field


def test_addresses_are_taken_out_of_what_servers_say() -> None:
    said = "550 5.1.1 <bob@example.org>: Recipient rejected\n(bob+tag@sub.example.org unknown)"
    assert queries.without_addresses(said) == "550 5.1.1 …: Recipient rejected (… unknown)"
