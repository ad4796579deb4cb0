"""What playback does when something happens elsewhere."""

from __future__ import annotations

from musicapp.accounts.events import UserDeleted
from musicapp.core.events import on
from musicapp.jobs import services as jobs


@on(UserDeleted)
def forget_what_was_heard(event: UserDeleted) -> None:
    jobs.add("forget_listener", subject_id=event.user_id, unique_key=f"forget_listener/{event.user_id}")
