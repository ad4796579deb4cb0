"""Celery's doors to the ledger. A task is a ticket: it names a kind, the ledger says which job."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any

from celery import shared_task
from celery.signals import worker_ready, worker_shutdown
from flask import current_app
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select

from musicapp.core.db import db, reading, utc_now
from musicapp.core.redis import RedisUnavailable, redis_client
from musicapp.core.stopping import is_stopping
from musicapp.jobs import purge as old
from musicapp.jobs import runner
from musicapp.jobs.models import QUEUED, SUCCEEDED, Job, PeriodicRun
from musicapp.jobs.periodic import periodic, take_over_lost_runs
from musicapp.jobs.registry import KINDS
from musicapp.jobs.reports import forget_worker, report_worker
from musicapp.jobs.services import send_ticket

log = logging.getLogger(__name__)

WORKER_REPORTS_EVERY_S = 5
MOST_TICKETS_A_SWEEP = 500


@shared_task(name="jobs.work")  # type: ignore[untyped-decorator]
def work(kind: str) -> None:
    """Does the fairest waiting job of the kind, if there is one."""
    if is_stopping():
        # the ticket was on its way; another worker takes it
        send_ticket(current_app.extensions["celery"], kind, KINDS[kind].queue)
        return
    if not KINDS[kind].is_urgent:
        runner.run_urgent(KINDS[kind].queue)
    runner.run_next(kind)


@periodic("jobs.sweep", words=_l("Takes work from dead workers and wakes workers for what waits"))
def sweep() -> dict[str, int]:
    """Takes jobs from dead workers and replaces tickets that a crash or a Redis without memory lost."""
    timeout_s = current_app.config["JOB_HEARTBEAT_TIMEOUT_SECONDS"]
    reaped = runs = 0
    if swept_lately(max(timeout_s, 3 * current_app.config["JOB_SWEEP_SECONDS"])):
        reaped, runs = runner.reap(timeout_s), take_over_lost_runs()
    return {"reaped": reaped, "runs": runs, "tickets": replace_lost_tickets()}


@periodic("jobs.purge", words=_l("Removes jobs that ended long ago"))
def purge() -> dict[str, int]:
    """Daily: removes old jobs, a batch at a time, and runs of tasks that are no more."""
    keep_days = current_app.config["JOBS_KEEP_DAYS"]
    jobs = 0
    while removed := old.purge_ended(keep_days):
        db.session.commit()
        jobs += removed
    runs = old.purge_runs_of_no_task(keep_days)
    db.session.commit()
    return {"jobs": jobs, "runs": runs}


def swept_lately(seconds: float) -> bool:
    """Whether the sweep before this one was less than `seconds` ago by the clock that heartbeats are written by.

    If not, the clock may have jumped, and living workers look silent. Nothing is taken from them then: until the
    next sweep they have said that they live.
    """
    with reading():
        newest = select(PeriodicRun.finished_at).where(PeriodicRun.task == "jobs.sweep", PeriodicRun.state == SUCCEEDED)
        last = db.session.scalar(newest.order_by(PeriodicRun.id.desc()).limit(1))
        db.session.rollback()
    return last is not None and abs((utc_now() - last).total_seconds()) < seconds


def replace_lost_tickets() -> int:
    """Sends a ticket for each due job of every queue that holds no ticket at all.

    Where tickets are left, workers are still busy with them; the rest is looked at when they are used up. So
    tickets can't pile up behind a long job, however often this runs.
    """
    with reading():
        due = db.session.execute(
            select(Job.queue, Job.kind, func.count())
            .where(Job.state == QUEUED, Job.run_at <= utc_now())
            .group_by(Job.queue, Job.kind)
        ).all()
        db.session.rollback()
    sent = 0
    celery = current_app.extensions["celery"]
    try:
        with celery.connection_for_write() as connection:
            client = connection.default_channel.client
            waiting = {queue: client.llen(queue) for queue in {row[0] for row in due}}
    except Exception:
        log.warning("the sweep can't see the queues: Redis is away")
        return 0
    for queue, kind, count in due:
        if waiting[queue] == 0:
            for _ in range(min(count, MOST_TICKETS_A_SWEEP)):
                sent += send_ticket(celery, kind, queue)
    return sent


class WorkerReports:
    """Tells Redis every few seconds that this worker's queues are served, so that pages can say when none is."""

    def __init__(self, app: Any, consumer: Any, queues: list[str]) -> None:
        self.app, self.consumer, self.queues = app, consumer, queues
        self.ended = threading.Event()

    def run(self) -> None:
        while True:
            with self.app.app_context():
                try:
                    for queue in self.queues:
                        redis_client().set(f"worker-seen:{queue}", time.time(), ex=3600)
                    report_worker(redis_client(), self.consumer, self.queues)
                except RedisUnavailable:
                    log.debug("this worker can't report: Redis is away")
                except Exception:
                    log.exception("this worker's reports go on after an error")
            if self.ended.wait(WORKER_REPORTS_EVERY_S):
                return

    def end(self) -> None:
        self.ended.set()
        try:
            forget_worker(self.app.extensions["redis"], self.consumer)
        except RedisUnavailable:
            log.debug("this worker is forgotten in a minute: Redis is away")


_reports: list[WorkerReports] = []


@worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]
def _start_reports(sender: Any, **_: Any) -> None:
    from flask import current_app as app

    queues = [queue.name for queue in sender.app.amqp.queues.consume_from.values()]
    with sender.app.flask_app.app_context():
        reports = WorkerReports(app._get_current_object(), sender, queues)  # type: ignore[attr-defined]
    _reports.append(reports)
    threading.Thread(target=reports.run, name="worker reports", daemon=True).start()
    if "default" in queues:
        sender.app.send_task("jobs.sweep", queue="default")  # what waited while no worker ran starts now, beat or not


@worker_shutdown.connect(weak=False)  # type: ignore[untyped-decorator]
def _stop_reports(**_: Any) -> None:
    for reports in _reports:
        reports.end()
