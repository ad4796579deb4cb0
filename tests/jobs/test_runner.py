from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, text

from musicapp.core.db import db, utc_now
from musicapp.jobs import runner, services
from musicapp.jobs.context import CANCEL_POLL_S, ClaimLostError, JobContext
from musicapp.jobs.models import Job
from musicapp.jobs.queries import Progress, progress_of
from musicapp.jobs.registry import GoOn, JobFailedError, RetryLater
from musicapp.jobs.tasks import replace_lost_tickets

Declare = Callable[..., None]


def only_job() -> Job:
    db.session.rollback()
    return db.session.scalars(select(Job).execution_options(populate_existing=True)).one()


def add(kind: str, **columns: Any) -> None:
    services.add(kind, **columns)
    db.session.commit()


def test_job_succeeds_with_its_result(context: Flask, kinds: Declare) -> None:
    kinds("hum", lambda job: {"subject": job.subject_id})
    add("hum", subject_id=7)
    runner.run_next("hum")
    job = only_job()
    assert (job.state, job.result, job.attempts) == ("succeeded", {"subject": 7}, 1)
    assert job.finished_at is not None


def test_failed_job_says_what_to_do_and_is_not_repeated(context: Flask, kinds: Declare) -> None:
    def refuse(_: JobContext) -> None:
        raise JobFailedError("This is a picture. Send a sound file.")

    kinds("hum", refuse)
    add("hum")
    runner.run_next("hum")
    job = only_job()
    assert (job.state, job.error) == ("failed", "This is a picture. Send a sound file.")
    assert runner.run_next("hum") is None


def test_crashing_job_is_tried_three_times_and_keeps_its_traceback(context: Flask, kinds: Declare) -> None:
    def crash(_: JobContext) -> None:
        raise ZeroDivisionError("on purpose")

    kinds("hum", crash)
    add("hum")
    for attempt in (1, 2, 3):
        runner.run_next("hum")
        job = only_job()
        assert job.attempts == attempt
        job.run_at = utc_now()
        db.session.commit()
    job = only_job()
    assert job.state == "failed"
    assert "on purpose" in (job.traceback or "")
    assert "on purpose" not in (job.error or "")


def test_job_that_asks_for_patience_waits_for_its_time(context: Flask, kinds: Declare) -> None:
    def wait(_: JobContext) -> None:
        raise RetryLater(60, "The mail server is away. The mail goes out when it is back.")

    kinds("hum", wait)
    add("hum")
    runner.run_next("hum")
    job = only_job()
    assert job.state == "queued"
    assert job.run_at > utc_now() + timedelta(seconds=50)
    assert "mail server" in (job.error or "")
    assert runner.run_next("hum") is None


def test_job_in_parts_gives_others_a_turn_and_no_part_is_an_attempt(context: Flask, kinds: Declare) -> None:
    parts: list[int] = []

    def do_a_part(job: JobContext) -> None:
        parts.append(job.attempt)
        if len(parts) < 5:
            raise GoOn

    kinds("hum", do_a_part)
    add("hum")
    for _ in range(4):
        runner.run_next("hum")
        assert only_job().state == "queued"
    runner.run_next("hum")
    assert only_job().state == "succeeded"
    assert parts == [1] * 5


def test_running_job_stops_when_its_owner_cancels(context: Flask, kinds: Declare) -> None:
    running = threading.Event()

    def work(job: JobContext) -> None:
        running.set()
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            job.check_cancelled()
            time.sleep(0.02)  # stands for work; the point is that it is interrupted

    def cancel() -> None:
        running.wait(10)
        with context.app_context():
            services.cancel(only_job())
            db.session.commit()

    kinds("hum", work)
    add("hum")
    canceller = threading.Thread(target=cancel)
    canceller.start()
    runner.run_next("hum")
    canceller.join()
    assert only_job().state == "cancelled"


@pytest.mark.parametrize("pause", [GoOn(), RetryLater(0, "The mail server is away.")], ids=["part", "attempt"])
def test_a_job_that_is_cancelled_as_its_part_or_attempt_ends_does_not_go_on(
    context: Flask, kinds: Declare, pause: Exception
) -> None:
    runs: list[int] = []

    def do_a_part(job: JobContext) -> None:
        runs.append(job.id)
        services.cancel(only_job())
        db.session.commit()
        raise pause  # sooner than its heart looks

    kinds("hum", do_a_part)
    add("hum")
    runner.run_next("hum")
    assert only_job().state == "cancelled"
    assert runner.run_next("hum") is None
    assert len(runs) == 1


def test_how_far_a_job_is_stays_known_between_its_parts_and_is_forgotten_at_its_end(
    context: Flask, kinds: Declare
) -> None:
    parts: list[int] = []

    def do_a_part(job: JobContext) -> None:
        parts.append(job.id)
        job.progress(30, "300 of 1,000")
        job.progress(31, "312 of 1,000")  # too soon after the one before
        if len(parts) == 1:
            raise GoOn

    kinds("hum", do_a_part)
    add("hum")
    runner.run_next("hum")
    job_id = only_job().id
    assert progress_of([job_id]) == {job_id: Progress(31, "312 of 1,000")}
    runner.run_next("hum")
    assert only_job().state == "succeeded"
    assert progress_of([job_id]) == {}


def test_progress_that_was_held_back_is_said_a_moment_later(context: Flask, kinds: Declare) -> None:
    said: list[dict[int, Progress]] = []

    def work(job: JobContext) -> None:
        job.progress(30)
        job.progress(31)
        deadline = time.monotonic() + 10
        while (seen := progress_of([job.id])) != {job.id: Progress(31)} and time.monotonic() < deadline:
            time.sleep(0.02)  # stands for work that says nothing more
        said.append(seen)

    kinds("hum", work)
    add("hum")
    runner.run_next("hum")
    assert said == [{only_job().id: Progress(31)}]


def test_asking_an_attempt_that_is_over_to_stop_does_not_stop_the_next(context: Flask, kinds: Declare) -> None:
    seen: list[type[Exception] | None] = []

    def work(job: JobContext) -> None:
        deadline = time.monotonic() + 2.5 * CANCEL_POLL_S
        while time.monotonic() < deadline:
            time.sleep(0.1)  # long enough for its heart to look twice
        seen.append(job._stop)

    kinds("hum", work)
    add("hum")
    assert runner.claim("hum") is not None
    services.cancel(only_job())
    db.session.commit()
    job = only_job()
    job.heartbeat_at = utc_now() - timedelta(seconds=31)
    db.session.commit()
    runner.reap(30)
    assert only_job().state == "cancelled"
    services.retry(only_job())
    db.session.commit()
    runner.run_next("hum")
    assert seen == [None]
    assert only_job().state == "succeeded"


def test_workers_that_claim_at_once_take_different_jobs(context: Flask, kinds: Declare) -> None:
    kinds("hum", lambda _: None)
    for _ in range(8):
        add("hum")
    together, taken = threading.Barrier(8), list[int | None]()

    def take() -> None:
        together.wait(10)
        with context.app_context():
            job = runner.claim("hum")
            taken.append(job.id if job else None)

    workers = [threading.Thread(target=take) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert None not in taken
    assert len(set(taken)) == 8


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_claim_passes_over_a_job_that_another_worker_is_taking(context: Flask, kinds: Declare) -> None:
    kinds("hum", lambda _: None)
    first, second = services.add("hum"), services.add("hum")
    db.session.commit()
    with db.engine.begin() as other_worker:
        other_worker.execute(select(Job.id).where(Job.id == first).with_for_update())
        db.session.execute(text("SET LOCAL lock_timeout = '2s'"))  # an error instead of a test that hangs
        claimed = runner.claim("hum")
    assert claimed is not None
    assert claimed.id == second


def test_cancelling_a_job_that_was_claimed_meanwhile_asks_its_worker(context: Flask, kinds: Declare) -> None:
    kinds("hum", lambda _: None)
    add("hum")
    seen_waiting = only_job()
    assert seen_waiting.state == "queued"
    db.session.expunge(seen_waiting)  # before the transaction ends: it stays as the old page saw it
    db.session.rollback()
    assert runner.claim("hum") is not None
    db.session.expunge_all()
    db.session.add(seen_waiting)
    assert services.cancel(seen_waiting)
    db.session.commit()
    job = only_job()
    assert (job.state, job.is_cancel_requested) == ("running", True)


def test_job_of_a_dead_worker_is_queued_again_and_fails_after_three(context: Flask, kinds: Declare) -> None:
    kinds("hum", lambda _: None)
    add("hum")
    for attempt in (1, 2, 3):
        assert runner.claim("hum") is not None
        job = only_job()
        job.heartbeat_at = utc_now() - timedelta(seconds=31)
        db.session.commit()
        assert runner.reap(30) == 1
        job = only_job()
        assert job.attempts == attempt
        assert job.state == ("failed" if attempt == 3 else "queued")
    assert "stopped 3 times" in (only_job().error or "")


def test_worker_thought_dead_may_no_longer_write(context: Flask, kinds: Declare) -> None:
    kinds("hum", lambda _: None)
    add("hum")
    first = runner.claim("hum")
    assert first is not None
    job = only_job()
    job.heartbeat_at = utc_now() - timedelta(seconds=31)
    db.session.commit()
    runner.reap(30)
    second = runner.claim("hum")
    assert second is not None
    with pytest.raises(ClaimLostError):
        first.step("encode")
    runner._end(first, "succeeded")
    assert only_job().state == "running"
    runner._end(second, "succeeded")
    assert only_job().state == "succeeded"


def test_lost_tickets_are_replaced_once(context: Flask, kinds: Declare) -> None:
    kinds("hum", lambda _: None)
    add("hum")
    add("hum")
    context.extensions["redis"].flushall()
    assert replace_lost_tickets() == 2
    assert replace_lost_tickets() == 0
