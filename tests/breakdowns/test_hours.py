"""The mail server is away for long, the clock jumps: on a clock that the test sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import func, select

from musicapp.core.db import db, reading, utc_now
from musicapp.jobs import periodic, runner
from musicapp.jobs import services as jobs
from musicapp.jobs.models import RUNNING, SUCCEEDED, Job, PeriodicRun
from musicapp.jobs.tasks import swept_lately
from musicapp.library.models import ArtistFollow
from musicapp.notifications import posting
from musicapp.notifications.models import WAITING, Delivery
from musicapp.notifications.telling import tell
from tests.breakdowns.clock import Clock, set_clock
from tests.notifications.conftest import smtp_app
from tests.notifications.world import World, add_user, make_world
from tests.servers import MailSink

__all__ = ["smtp_app"]

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

CLOCK_TASKS = (
    "jobs.sweep",
    "notifications.send_newsletters",
    "notifications.send_digests",
    "notifications.remind_silent_artists",
    "notifications.send_figures",
)


@pytest.fixture
def clock() -> Iterator[Clock]:
    with set_clock() as clock:
        yield clock


@pytest.fixture
def world(smtp_app: Flask, clock: Clock) -> World:
    made = make_world()
    db.session.query(Job).delete()
    for number in range(5):
        db.session.add(ArtistFollow(user_id=add_user(f"reader{number}").id, artist_id=made.artist.id))
    db.session.commit()
    return made


def work(*, rounds: int = 20) -> None:
    """All that is due, as workers do."""
    for _ in range(rounds):
        with reading():
            due = select(Job.kind).where(Job.state == "queued", Job.run_at <= utc_now()).distinct()
            kinds = list(db.session.scalars(due))
            db.session.rollback()
        if not kinds:
            return
        for kind in kinds:
            runner.run_next(kind)
    raise AssertionError(f"still busy: {kinds}")


def tick() -> None:
    """One turn of beat, and what it leads to."""
    for name in CLOCK_TASKS:
        periodic.run_periodic(name)
    work()


def each_once(sink: MailSink) -> list[tuple[str, str]]:
    """Address and subject of all that came; none of it twice."""
    times = Counter(str(mail["Message-ID"]) for mail in sink.messages)
    assert set(times.values()) <= {1}
    mails = [(str(mail["To"]), str(mail["Subject"])) for mail in sink.messages]
    assert len(mails) == len(set(mails))
    return sorted(mails)


def stuck() -> list[tuple[str, str]]:
    db.session.rollback()
    return [(job.kind, job.state) for job in db.session.scalars(select(Job)) if job.state != SUCCEEDED]


def test_every_mail_leaves_once_after_a_mail_server_that_was_away_for_ten_minutes(
    world: World, clock: Clock, mail_sink: MailSink
) -> None:
    mail_sink.stop()
    tell("new_release", subject_id=world.album.id)
    tell("album_published", subject_id=world.album.id)
    jobs.add("mail_reset_password", subject_id=world.bob.id, owner_id=world.bob.id)
    now = utc_now().isoformat()
    jobs.add("newsletter", arguments={"time_zone": "UTC", "day": now[:10], "until": now})
    db.session.commit()
    for _ in range(30):
        work()
        clock.forward(seconds=20)
    assert len(stuck()) == 4
    mail_sink.start()
    for _ in range(20):
        clock.forward(minutes=1)
        work()
    assert stuck() == []
    to = Counter(address for address, _subject in each_once(mail_sink))
    # bob: the album and his link; the others: the album and the newsletter
    assert to == {"alice@example.com": 1, "bob@example.com": 2} | {f"reader{n}@example.com": 2 for n in range(5)}


@pytest.mark.parametrize("hours", [1, -1], ids=["forward", "back"])
def test_a_clock_that_jumps_an_hour_sends_nothing_twice_and_leaves_nothing_behind(
    world: World, clock: Clock, mail_sink: MailSink, smtp_app: Flask, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    smtp_app.config["NEWSLETTER_AT"] = smtp_app.config["DIGEST_AT"] = f"{utc_now() - timedelta(minutes=5):%H:%M}"
    tick()
    begun = each_once(mail_sink)
    assert {"artist_inactive", "newsletter"} <= set(db.session.scalars(select(Delivery.kind)))

    # Its worker is in the middle of a mailing, and a run of the clock goes on, when the clock jumps.
    mailing = tell("announcement", subject_id=1)
    db.session.commit()
    monkeypatch.setattr(posting, "PART_SECONDS", 0.0)
    runner.run_next("tell")
    assert db.session.get_one(Job, mailing).state == "queued"
    clock.forward(hours=hours)
    for _ in range(4):
        clock.forward(minutes=1)
        tick()
    clock.forward(hours=-hours)
    for _ in range(65):
        clock.forward(minutes=1)
        tick()
    assert stuck() == []
    announced = [(f"reader{number}@example.com", "Ala & Söhne: Tonight") for number in range(5)]
    assert each_once(mail_sink) == sorted([*begun, *announced, ("bob@example.com", "Ala & Söhne: Tonight")])
    assert db.session.scalar(select(func.count()).where(Delivery.state == WAITING)) == 0


def test_a_living_worker_keeps_its_job_when_the_clock_jumps(world: World, clock: Clock) -> None:
    periodic.run_periodic("jobs.sweep")
    jobs.add("rebuild_search_index")
    db.session.commit()
    context = runner.claim("rebuild_search_index")
    assert context is not None
    for hours in (1, -1):
        clock.forward(hours=hours)
        assert not swept_lately(60)
        periodic.run_periodic("jobs.sweep")
        context._write_heartbeat()  # within its next seconds
        periodic.run_periodic("jobs.sweep")
        job = db.session.get_one(Job, context.id, populate_existing=True)
        assert (job.state, job.claim_token) == (RUNNING, context.token)
    assert db.session.scalars(select(PeriodicRun.state).distinct()).all() == [SUCCEEDED]
    db.session.rollback()


def test_a_worker_that_died_before_the_clock_went_back_is_missed(world: World, clock: Clock) -> None:
    clock.forward(hours=1)
    jobs.add("rebuild_search_index")
    db.session.commit()
    assert runner.claim("rebuild_search_index") is not None  # and dies
    clock.forward(hours=-1)
    for _ in range(8):
        clock.forward(seconds=10)
        periodic.run_periodic("jobs.sweep")
        work()
    assert stuck() == []
