"""What happens to a job."""

from __future__ import annotations

from dataclasses import dataclass

from musicapp.core.events import Event


@dataclass(frozen=True, slots=True)
class JobChanged(Event):
    """A job's state or step changed. Published inside the transaction that changes it; not for percent."""

    job_id: int
    kind: str
    subject_id: int | None
    owner_id: int | None
    state: str


@dataclass(frozen=True, slots=True)
class PeriodicRunEnded(Event):
    """A run of a task of the clock succeeded, failed or was lost. Published inside the transaction that says so."""

    run_id: int
    task: str
    state: str
