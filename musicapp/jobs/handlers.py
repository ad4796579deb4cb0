"""Open pages follow a job's state."""

from __future__ import annotations

from musicapp.core.events import on
from musicapp.jobs.events import JobChanged, PeriodicRunEnded
from musicapp.live import services as live


@on(JobChanged)
def show_change(event: JobChanged) -> None:
    live.note(f"job-{event.job_id}", "job", event.job_id)


@on(PeriodicRunEnded)
def show_run(event: PeriodicRunEnded) -> None:
    live.poke("schedules")
