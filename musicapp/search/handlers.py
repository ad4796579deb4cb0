"""The index follows the catalog and the people."""

from __future__ import annotations

from musicapp.accounts.events import ProfileUpdated, UserDeleted, UserRegistered
from musicapp.catalog import events
from musicapp.core.events import on
from musicapp.search import services
from musicapp.search.recent import forget_after_commit


@on(events.AlbumUpdated)
@on(events.AlbumPublished)
@on(events.AlbumUnpublished)
@on(events.AlbumDeleted)
@on(events.AlbumRestored)
def follow_album(event: events.AlbumEvent) -> None:
    services.follow_album(event.album_id)


@on(events.TrackAdded)
@on(events.TrackUpdated)
@on(events.TrackDeleted)
@on(events.TrackRestored)
def follow_track(event: events.TrackEvent) -> None:
    services.follow_track(event.track_id, event.album_id)


@on(events.ArtistCreated)
@on(events.ArtistUpdated)
@on(events.ArtistMembersChanged)
def follow_artist(event: events.ArtistCreated | events.ArtistUpdated | events.ArtistMembersChanged) -> None:
    services.follow_artist(event.artist_id)


@on(UserRegistered)
@on(ProfileUpdated)
@on(UserDeleted)
def follow_person(event: UserRegistered | ProfileUpdated | UserDeleted) -> None:
    services.follow_person(event.user_id)


@on(UserDeleted)
def forget_searches(event: UserDeleted) -> None:
    forget_after_commit(event.user_id)
