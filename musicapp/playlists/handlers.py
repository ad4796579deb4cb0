"""What playlists do when something happens, to them and elsewhere."""

from __future__ import annotations

from musicapp.accounts.events import UserDeleted
from musicapp.core.events import on
from musicapp.jobs import services as jobs
from musicapp.live import services as live
from musicapp.playlists import events


@on(events.PlaylistChanged)
def show_change(event: events.PlaylistChanged) -> None:
    live.note(f"playlist-{event.playlist_id}", "playlist_change", event.change_id)


@on(UserDeleted)
def forget_user(event: UserDeleted) -> None:
    jobs.add("forget_playlist_user", subject_id=event.user_id, unique_key=f"forget_playlist_user/{event.user_id}")
