"""`flask --app wsgi tasks …`: tasks of the clock from the terminal."""

from __future__ import annotations

import time

import click
from flask.cli import AppGroup

from musicapp.core.celery import celery_app
from musicapp.core.db import db, reading
from musicapp.core.settings import setting
from musicapp.jobs import queries, schedule_rows
from musicapp.jobs.models import SUCCEEDED, PeriodicRun
from musicapp.jobs.periodic import PERIODIC, NobodyToAskError, ask_for_run, run_by_token

group = AppGroup("tasks", help="Tasks of the clock: list them, run one now.")

LOOKS_EVERY_S = 0.1
NO_WORKER_AFTER_S = 10
"""So long nothing is said about missing workers: one that starts now takes the message up."""


@group.command("list")
def list_tasks() -> None:
    """List the tasks and the schedules that call them."""
    schedules: dict[str, list[str]] = {}
    for name, task in _schedules().items():
        schedules.setdefault(task, []).append(name)
    width = max(len(name) for name in PERIODIC)
    for name, declared in sorted(PERIODIC.items()):
        called = "; ".join(schedules.get(name, [])) or "in no schedule"
        click.echo(f"{name:{width}}  {declared.words} ({called})")


def _schedules() -> dict[str, str]:
    """Name -> task, of the entries of schedule.py and the setting, and of those in the database."""
    found = {name: entry["task"] for name, entry in celery_app().conf.beat_schedule.items()}
    if setting("SCHEDULES_IN_DATABASE"):
        with reading():
            found.update((entry.name, entry.task) for entry in schedule_rows.entries())
            db.session.rollback()
    return found


@group.command("run")
@click.argument("name")
@click.option("--timeout", default=600, show_default=True, help="Seconds to wait for its end.")
def run_task(name: str, timeout: int) -> None:
    """Run one task now, in a worker, and print what it did. NAME may be the name of a schedule."""
    task = name if name in PERIODIC else _schedules().get(name, name)
    if task not in PERIODIC:
        raise click.ClickException(f"There is no task {name!r}. `flask --app wsgi tasks list` names them all.")
    try:
        token = ask_for_run(task, started_by="terminal")
    except NobodyToAskError:
        raise click.ClickException(
            "Redis does not answer, so no worker can be told. Start it (`make run` does), or check REDIS_URL."
        ) from None
    run = _wait(task, token, timeout)
    if run.state != SUCCEEDED:
        raise click.ClickException(f"{task} {run.state}. {run.error or ''}".strip())
    assert run.finished_at is not None
    click.echo(f"{task} is done, in {(run.finished_at - run.started_at).total_seconds():.1f} s.")
    for counted, count in (run.result or {}).items():
        click.echo(f"{counted}: {count}")


def _wait(task: str, token: str, timeout_s: float) -> PeriodicRun:
    """The run once it has ended. Raises ClickException when that takes too long."""
    began = time.monotonic()
    warned = False
    run: PeriodicRun | None = None
    while (waited := time.monotonic() - began) < timeout_s:
        with reading():
            run = run_by_token(token)
            db.session.rollback()
        if run is not None and run.finished_at is not None:
            return run
        if run is None and waited > NO_WORKER_AFTER_S and not warned:
            warned = True
            silent = PERIODIC[task].queue in queries.silent_queues([PERIODIC[task].queue])
            click.echo(
                f"No worker of the queue {PERIODIC[task].queue} has reported for a minute: start one (`make worker`)."
                if silent
                else f"{task} waits for its turn in the queue {PERIODIC[task].queue}.",
                err=True,
            )
        time.sleep(LOOKS_EVERY_S)  # between two looks at what the worker wrote
    if run is None:
        raise click.ClickException(
            f"No worker began {task} within {timeout_s:.0f} s. Is one running (`make worker`)? Nothing is lost."
        )
    raise click.ClickException(
        f"{task} is still running after {timeout_s:.0f} s; it goes on, /admin/schedules shows it."
    )
