"""A mailing at a real SMTP server with moods: every mail once, whatever the server does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from limits.errors import StorageError
from sqlalchemy import select, update

from musicapp.accounts.models import User
from musicapp.core.db import db, utc_now
from musicapp.jobs import registry
from musicapp.jobs import services as jobs
from musicapp.jobs.context import JobContext
from musicapp.jobs.models import Job
from musicapp.jobs.registry import JobCancelledError
from musicapp.jobs.runner import claim, run_next
from musicapp.notifications import ledger, letters, posting
from musicapp.notifications.bouncing import bounces_of, forget_bounces
from musicapp.notifications.models import BouncingAddress, Delivery, NotificationPreference
from tests.notifications import mailings
from tests.notifications.hostile_sink import DROP, HANG, HostileSink
from tests.notifications.mailings import address, deliveries, due_now, make_mailing, make_readers, run_parts, states

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture(autouse=True)
def mailing_kind(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    kind = registry.JobKind(mailings.KIND, "default", 60, mailings.run_mailing)
    monkeypatch.setitem(registry.KINDS, mailings.KIND, kind)
    monkeypatch.setitem(letters.WRITERS, "note", mailings.write_note)
    yield
    mailings.hooks.clear()


def everybody_once(count: int) -> Counter[str]:
    return Counter(address(n) for n in range(count))


def test_a_mailing_goes_over_few_connections_each_mail_once(post: Flask, sink: HostileSink) -> None:
    post.config["MAIL_PER_CONNECTION"] = 3
    job_id = make_mailing(make_readers(7))
    job = run_parts(job_id)
    assert (job.state, job.result) == ("succeeded", {"sent": 7, "failed": 0, "suppressed": 0, "cancelled": 0})
    assert sink.counts() == everybody_once(7)
    assert sink.connection_count == 3
    first = deliveries(job_id)[0]
    assert (first.recipient, first.subject, first.smtp_answer) == (address(0), "Note for r0", "250 kept")
    assert (first.state, first.attempts) == ("sent", 1)
    assert first.message_id == sink.messages[0]["Message-ID"]
    assert utc_now() - first.sent_at < timedelta(minutes=1)  # type: ignore[operator]
    assert sink.messages[0]["Auto-Submitted"] == "auto-generated"


def test_one_readers_refusal_is_nobody_elses(post: Flask, sink: HostileSink) -> None:
    job_id = make_mailing(make_readers(7))
    sink.at_rcpt = {address(1): "550 5.1.1 no such user", address(2): "451 greylisted"}
    sink.after_data = {address(3): "450 mailbox busy", address(4): "554 spam", address(5): "552 mailbox full"}
    job = run_parts(job_id)
    assert states(job_id) == ["sent", "failed", "waiting", "waiting", "failed", "failed", "sent"]
    assert [delivery.smtp_answer for delivery in deliveries(job_id)][1:6] == [
        "550 5.1.1 no such user",
        "451 greylisted",
        "450 mailbox busy",
        "554 spam",
        "552 mailbox full",
    ]
    assert sink.connection_count == 1
    assert (job.state, job.error) == ("queued", None)
    assert 5 < (job.run_at - utc_now()).total_seconds() <= 10, "for those who said later"
    bounced = set(db.session.scalars(select(BouncingAddress.address)))
    assert bounced == {address(1), address(5)}, "what is said of the words does not count against an address"

    sink.at_rcpt, sink.after_data = {}, {}
    due_now(job_id)
    assert run_parts(job_id).result == {"sent": 4, "failed": 3, "suppressed": 0, "cancelled": 0}
    assert sink.counts() == Counter({address(n): 1 for n in (0, 2, 3, 6)})
    assert deliveries(job_id)[2].attempts == 2


@sqlite_only
@pytest.mark.parametrize(
    ("mood", "what"),
    [
        ("after_keeping", DROP),
        ("in_data", DROP),
        ("after_data", DROP),
        ("after_data", HANG),
        ("after_data", "421 enough for one connection"),
    ],
)
def test_a_connection_that_ends_midway_loses_nothing(post: Flask, sink: HostileSink, mood: str, what: str) -> None:
    post.config["MAIL_TIMEOUT_SECONDS"] = 0.4 if what == HANG else 5
    job_id = make_mailing(make_readers(5))
    sink.once = True
    setattr(sink, mood, {address(2): what})
    assert run_parts(job_id).state == "succeeded"
    assert sink.counts() == everybody_once(5)
    assert sink.connection_count == 2
    assert [delivery.attempts for delivery in deliveries(job_id)] == [1] * 5
    assert db.session.scalars(select(BouncingAddress)).all() == []


@sqlite_only
@pytest.mark.parametrize("way", ["refuses", "421 at the door", "hangs up in every mail", "does not want us"])
def test_a_server_that_is_away_counts_against_no_reader(post: Flask, sink: HostileSink, way: str) -> None:
    job_id = make_mailing(make_readers(3))
    if way == "refuses":
        sink.stop()
    elif way == "421 at the door":
        sink.greeting = "421 too busy"
    elif way == "hangs up in every mail":
        sink.in_data = {"": DROP}
    else:
        post.extensions["mail"].username, post.extensions["mail"].password = "me", "wrong"
    job = run_parts(job_id)
    assert job.state == "queued"
    assert "The mail server" in (job.error or "") or "AUTH" in (job.error or "")
    assert 5 < (job.run_at - utc_now()).total_seconds() <= 10
    assert [(each.state, each.attempts) for each in deliveries(job_id)] == [("waiting", 0)] * 3
    if way == "refuses":
        sink.start()
    sink.greeting, sink.in_data = "", {}
    post.extensions["mail"].username = None
    due_now(job_id)
    assert run_parts(job_id).state == "succeeded"
    assert sink.counts() == everybody_once(3)


@sqlite_only
def test_a_mail_that_breaks_every_connection_lets_the_others_pass(post: Flask, sink: HostileSink) -> None:
    job_id = make_mailing(make_readers(4))
    sink.in_data = {address(0): DROP}
    assert run_parts(job_id).state == "queued"
    job = mailings.job(job_id)
    job.run_at = utc_now()
    db.session.commit()
    run_parts(job_id)
    assert states(job_id) == ["waiting", "sent", "sent", "sent"]


def test_three_bounces_stop_an_address(post: Flask, sink: HostileSink) -> None:
    (reader,) = make_readers(1)
    for name in ("a", "b"):
        sink.at_rcpt = {address(0): f"550 gone {name}"}
        run_parts(make_mailing([reader], name))
    sink.at_rcpt = {}
    run_parts(make_mailing([reader], "arrives"))
    assert bounces_of(address(0)) == (0, False), "three in a row are meant"

    sink.at_rcpt = {address(0): "550 gone"}
    for name in ("c", "d", "e"):
        assert states_after(make_mailing([reader], name)) == ["failed"]
    assert bounces_of("R0@Example.com") == (3, True)
    stopped = make_mailing([reader], "f")
    assert states_after(stopped) == ["suppressed"]
    assert "refused 3 times" in deliveries(stopped)[0].smtp_answer

    sink.at_rcpt = {}
    (kept_back,) = deliveries(stopped)
    assert forget_bounces(address(0))
    assert ledger.send_again(kept_back.id)
    db.session.commit()
    run_next("mail_again")
    assert states(stopped) == ["sent"]
    assert sink.counts() == {address(0): 2}


def states_after(job_id: int) -> list[Any]:
    run_parts(job_id)
    return states(job_id)


def test_who_may_not_be_written_to_is_looked_at_when_it_is_sent(post: Flask, sink: HostileSink) -> None:
    readers = make_readers(6)
    job_id = make_mailing(readers)
    db.session.execute(update(User).where(User.id == readers[0]).values(suspended_at=utc_now()))
    db.session.execute(update(User).where(User.id == readers[1]).values(deleted_at=utc_now()))
    db.session.execute(update(User).where(User.id == readers[2]).values(email="new@example.com"))
    for reader, frequency in ((readers[3], "off"), (readers[4], "daily")):
        db.session.add(NotificationPreference(user_id=reader, kind="note", outlet="mail", frequency=frequency))
    db.session.delete(db.session.get_one(User, readers[5]))
    db.session.commit()
    job = run_parts(job_id)
    assert job.result == {"sent": 2, "failed": 0, "suppressed": 4, "cancelled": 0}
    assert sink.counts() == {"new@example.com": 1, address(4): 1}
    why = [delivery.smtp_answer for delivery in deliveries(job_id) if delivery.state == "suppressed"]
    closed = "The account is closed."
    assert why == ["The account is suspended.", closed, "The reader has unsubscribed.", closed]


def test_nothing_but_what_an_account_needs_goes_to_an_address_that_was_never_confirmed(context: Flask) -> None:
    (reader,) = make_readers(1)
    db.session.execute(update(User).values(email_confirmed_at=None))
    job_id = jobs.add(mailings.KIND)
    for kind in ("newsletter", "digest", "reset_password"):
        db.session.add(Delivery(job_id=job_id, kind=kind, user_id=reader, subject_id=reader, reason=kind))
    db.session.commit()
    assert run_parts(job_id).state == "succeeded"
    newsletter, digest, needed = deliveries(job_id)
    assert newsletter.smtp_answer == digest.smtp_answer == "The address was never confirmed."
    assert (newsletter.state, digest.state, needed.state) == ("suppressed", "suppressed", "sent")


@sqlite_only
def test_a_letter_that_can_not_be_written_fails_alone(
    post: Flask, sink: HostileSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = make_readers(3)

    def write(occasion: letters.Occasion) -> letters.Letter | None:
        if occasion.user_id == readers[0]:
            raise KeyError("a template's mistake")
        return None if occasion.user_id == readers[1] else mailings.write_note(occasion)

    monkeypatch.setitem(letters.WRITERS, "note", write)
    job_id = make_mailing(readers)
    run_parts(job_id)
    assert states(job_id) == ["failed", "suppressed", "sent"]


def test_a_mailing_gives_way_after_each_part_and_counts_no_attempt(
    post: Flask, sink: HostileSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "PART_SECONDS", 0.0)
    monkeypatch.setattr(posting, "READ_AT_ONCE", 2)
    job_id = make_mailing(make_readers(4))
    run_next(mailings.KIND)
    job = mailings.job(job_id)
    assert (job.state, job.attempts, states(job_id).count("sent")) == ("queued", 0, 1)
    assert run_parts(job_id).state == "succeeded"
    assert sink.counts() == everybody_once(4)


def test_a_worker_that_lost_the_job_stops_and_the_next_sends_the_rest(post: Flask, sink: HostileSink) -> None:
    job_id = make_mailing(make_readers(5))
    engine = db.engine

    def taken_over(recipient: str) -> None:
        if recipient == address(2):
            with engine.begin() as connection:
                connection.execute(update(Job).where(Job.id == job_id).values(claim_token="another", state="queued"))

    sink.on_mail = taken_over
    run_next(mailings.KIND)
    assert states(job_id) == ["sent", "sent", "sent", "waiting", "waiting"]
    sink.on_mail = None
    assert run_parts(job_id).state == "succeeded"
    assert sink.counts() == everybody_once(5)


def test_what_a_dead_worker_left_is_sent_with_the_same_message_id(post: Flask, sink: HostileSink) -> None:
    job_id = make_mailing(make_readers(2))
    run_parts(job_id)
    left = deliveries(job_id)[1]
    left.state = "sending"  # killed between the server's 250 and the commit
    db.session.execute(update(Job).where(Job.id == job_id).values(state="queued"))
    db.session.commit()
    assert run_parts(job_id).result == {"sent": 2, "failed": 0, "suppressed": 0, "cancelled": 0}
    assert sink.counts() == {address(0): 1, address(1): 2}
    first, second = sink.to(address(1))
    assert first["Message-ID"] == second["Message-ID"]


def test_a_cancelled_mailing_keeps_what_has_not_left_and_can_be_tried_again(post: Flask, sink: HostileSink) -> None:
    job_id = make_mailing(make_readers(5))
    running: list[JobContext] = []
    mailings.hooks.append(running.append)

    def stop(recipient: str) -> None:
        if recipient == address(2):
            running[0]._stop = JobCancelledError  # as its heart does when the owner asked

    sink.on_mail = stop
    assert run_parts(job_id).state == "cancelled"
    assert states(job_id) == ["sent", "sent", "sent", "cancelled", "cancelled"]
    sink.on_mail = None
    assert jobs.retry(mailings.job(job_id))
    db.session.commit()
    assert run_parts(job_id).result == {"sent": 5, "failed": 0, "suppressed": 0, "cancelled": 0}
    assert sink.counts() == everybody_once(5)

    waiting = make_mailing(list(db.session.scalars(select(User.id))), "second")
    jobs.cancel(mailings.job(waiting))
    db.session.commit()
    assert set(states(waiting)) == {"cancelled"}


@pytest.mark.parametrize("is_redis_away", [False, True])
def test_no_more_leave_than_a_minute_holds_and_single_mails_pass(
    post: Flask, sink: HostileSink, monkeypatch: pytest.MonkeyPatch, is_redis_away: bool
) -> None:
    post.config["MAIL_PER_MINUTE"] = 10

    def away(*_: Any) -> None:
        raise StorageError(ConnectionError("away"))

    if is_redis_away:
        monkeypatch.setattr(post.extensions["rate_limiter"], "get_window_stats", away)
    job_id = make_mailing(make_readers(12))
    job = run_parts(job_id)
    assert states(job_id).count("sent") == 9
    assert (job.state, job.attempts, job.error) == ("queued", 0, None)
    assert 30 < (job.run_at - utc_now()).total_seconds() <= 60

    failed = deliveries(job_id)[11]
    failed.state, failed.job_id = "failed", None
    db.session.commit()
    ledger.send_again(failed.id)
    db.session.commit()
    run_next("mail_again")
    assert sink.counts()[address(11)] == 1, "the tenth place is kept for mails that somebody waits for"

    if is_redis_away:  # a minute later
        db.session.execute(update(Delivery).values(sent_at=utc_now() - timedelta(seconds=61)))
    else:
        post.extensions["redis"].flushall()
    db.session.commit()
    due_now(job_id)
    assert run_parts(job_id).state == "succeeded"
    assert sink.counts() == everybody_once(12)


@sqlite_only
def test_files_instead_of_a_server_work_the_same(context: Flask) -> None:
    job_id = make_mailing(make_readers(3))
    assert run_parts(job_id).result == {"sent": 3, "failed": 0, "suppressed": 0, "cancelled": 0}
    folder = Path(context.config["INSTANCE_PATH"], "mail")
    assert {path.name for path in folder.iterdir()} == {each.smtp_answer for each in deliveries(job_id)}
    assert len(list(folder.iterdir())) == 3


@sqlite_only
def test_a_failed_mail_is_sent_again_on_request_and_only_then(post: Flask, sink: HostileSink) -> None:
    job_id = make_mailing(make_readers(2))
    sink.at_rcpt = {address(1): "550 gone"}
    run_parts(job_id)
    sent, failed = deliveries(job_id)
    assert not ledger.send_again(sent.id)
    assert ledger.send_again(failed.id)
    assert not ledger.send_again(failed.id), "pressed twice"
    db.session.commit()
    run_next("mail_again")
    assert states(job_id) == ["sent", "failed"]
    sink.at_rcpt = {}
    again = db.session.scalars(select(Job).where(Job.kind == "mail_again")).one()
    assert "550 gone" in (again.error or "")
    jobs.retry(again)
    db.session.commit()
    run_next("mail_again")
    assert states(job_id) == ["sent", "sent"]
    assert sink.counts() == everybody_once(2)


def test_a_mail_that_another_job_is_sending_now_is_not_taken_from_it(post: Flask, sink: HostileSink) -> None:
    job_id = make_mailing(make_readers(2))
    sink.at_rcpt = {address(1): "550 gone"}
    run_parts(job_id)
    sink.at_rcpt = {}
    failed = deliveries(job_id)[1]
    assert ledger.send_again(failed.id)
    db.session.commit()
    again = claim("mail_again")
    assert again is not None
    db.session.execute(
        update(Delivery).where(Delivery.id == failed.id).values(state="sending", claim_token=again.token)
    )
    db.session.execute(update(Job).where(Job.id == job_id).values(state="queued"))
    db.session.commit()
    run_parts(job_id)
    assert states(job_id) == ["sent", "sending"]
    assert sink.counts() == {address(0): 1}


@sqlite_only
def test_sixty_tries_are_enough(post: Flask, sink: HostileSink) -> None:
    job_id = make_mailing(make_readers(1))
    sink.at_rcpt = {address(0): "451 greylisted"}
    db.session.execute(update(Delivery).values(attempts=posting.MAX_ATTEMPTS - 1))
    db.session.commit()
    run_parts(job_id)
    (given_up,) = deliveries(job_id)
    assert (given_up.state, given_up.smtp_answer) == ("failed", "Given up after 60 tries: 451 greylisted")
    assert bounces_of(address(0)) == (0, False)
