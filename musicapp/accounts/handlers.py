"""Open pages show a person's new picture and name."""

from __future__ import annotations

from musicapp.accounts.events import AvatarChanged, ProfileUpdated
from musicapp.core.events import on
from musicapp.jobs.events import JobChanged
from musicapp.live import services as live


@on(AvatarChanged)
@on(ProfileUpdated)
def show_person(event: AvatarChanged | ProfileUpdated) -> None:
    live.note(f"person-{event.user_id}", "person", event.user_id)
    _refresh_own_pages(event.user_id)


@on(JobChanged)
def show_avatar_job(event: JobChanged) -> None:
    if event.kind == "resize_avatar" and event.subject_id is not None:
        _refresh_own_pages(event.subject_id)


def _refresh_own_pages(user_id: int) -> None:
    # Every page of that person hears its library's topic: the name in the top bar, the picture in the settings.
    live.poke(f"library-{user_id}", "account-changed")
