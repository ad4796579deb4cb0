"""The home page follows what is published."""

from __future__ import annotations

from musicapp.catalog import events
from musicapp.core.events import on
from musicapp.live import services as live


@on(events.AlbumPublished)
def show_new_album(event: events.AlbumPublished) -> None:
    live.note("home", "new_album", event.album_id)


@on(events.AlbumUpdated)
@on(events.AlbumUnpublished)
@on(events.AlbumDeleted)
@on(events.AlbumRestored)
def show_changed_albums(event: events.AlbumEvent) -> None:
    live.note("home", "latest_albums", 0)
