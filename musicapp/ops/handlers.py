"""What pages of the desk show at once, and not only when they next ask for themselves."""

from __future__ import annotations

from musicapp.accounts.events import UserDeleted, UserRegistered
from musicapp.core.events import on
from musicapp.jobs.events import JobChanged
from musicapp.jobs.models import FAILED
from musicapp.live import services as live
from musicapp.ops.services.reports import TOPIC


@on(UserRegistered)
@on(UserDeleted)
def count_users(_event: UserRegistered | UserDeleted) -> None:
    live.poke(TOPIC)


@on(JobChanged)
def show_failure(event: JobChanged) -> None:
    if event.state == FAILED:
        live.poke(TOPIC)
