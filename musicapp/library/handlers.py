"""What the library does when something happens elsewhere."""

from __future__ import annotations

from musicapp.accounts.events import UserDeleted
from musicapp.core.events import on
from musicapp.library import services
from musicapp.live import services as live
from musicapp.playback.events import PlayCounted


@on(UserDeleted)
def empty_library(event: UserDeleted) -> None:
    services.empty_library(event.user_id)


@on(PlayCounted)
def show_new_play(event: PlayCounted) -> None:
    if event.user_id is not None:
        live.poke(f"library-{event.user_id}", f"library-{event.user_id}-history")
