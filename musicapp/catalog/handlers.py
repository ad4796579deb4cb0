"""Reactions of the catalog: people who come and go, and open pages that show what changed."""

from __future__ import annotations

from musicapp.accounts.events import UserDeleted, UserRegistered
from musicapp.catalog import events, queries, services
from musicapp.catalog.queries import kept
from musicapp.core.events import on
from musicapp.jobs.events import JobChanged
from musicapp.live import services as live


@on(UserRegistered)
def open_studio(event: UserRegistered) -> None:
    if event.artist_name:
        services.create_artist(name=event.artist_name, owner_id=event.user_id)


@on(UserDeleted)
def delete_lonely_drafts(event: UserDeleted) -> None:
    services.delete_lonely_drafts(event.user_id)


@on(events.AlbumUpdated)
@on(events.AlbumPublished)
@on(events.AlbumUnpublished)
@on(events.AlbumDeleted)
@on(events.AlbumRestored)
def show_album(event: events.AlbumEvent) -> None:
    _note_heads(event.album_id)
    for artist_id in queries.credited_artist_ids(event.album_id):
        live.note(f"artist-{artist_id}", "artist_albums", artist_id)


@on(events.AlbumUnpublished)
@on(events.AlbumDeleted)
def close_album(event: events.AlbumEvent) -> None:
    live.rights_changed(topic=f"album-{event.album_id}")


@on(events.ArtistMembersChanged)
def ask_rights_again(event: events.ArtistMembersChanged) -> None:
    live.rights_changed(user_id=event.user_id)


@on(events.ArtistUpdated)
def show_artist(event: events.ArtistUpdated) -> None:
    live.note(f"artist-{event.artist_id}", "artist_head", event.artist_id)


@on(events.TrackAdded)
@on(events.TrackDeleted)
@on(events.TrackRestored)
def show_tracks(event: events.TrackEvent) -> None:
    _note_lists(event.album_id)
    _note_heads(event.album_id)


@on(events.TracksReordered)
def show_order(event: events.TracksReordered) -> None:
    _note_lists(event.album_id)


@on(events.TrackReady)
def show_track(event: events.TrackReady) -> None:
    for topic in (f"album-{event.album_id}", f"studio-{event.album_id}"):
        live.note(topic, "track", event.track_id)
    _note_heads(event.album_id)


@on(events.TrackUpdated)
def show_edited_track(event: events.TrackUpdated) -> None:
    # Its disc may be another one, and then every number below it.
    _note_lists(event.album_id)
    _note_heads(event.album_id)


@on(events.AlbumUpdated)
@on(events.AlbumPublished)
@on(events.AlbumUnpublished)
@on(events.AlbumDeleted)
@on(events.AlbumRestored)
def drop_kept_album(event: events.AlbumEvent) -> None:
    kept.drop_album(event.album_id)


@on(events.TrackAdded)
@on(events.TrackUpdated)
@on(events.TrackReady)
@on(events.TrackDeleted)
@on(events.TrackRestored)
def drop_kept_track(event: events.TrackEvent) -> None:
    kept.drop_track(event.track_id, event.album_id)


@on(events.TracksReordered)
def drop_kept_order(event: events.TracksReordered) -> None:
    kept.ALBUM_PAGES.drop(event.album_id)


@on(events.ArtistUpdated)
def drop_kept_artist(event: events.ArtistUpdated) -> None:
    kept.drop_artist(event.artist_id)


@on(JobChanged)
def show_cover_job(event: JobChanged) -> None:
    if event.kind == "make_album_cover" and event.subject_id is not None:
        live.note(f"studio-{event.subject_id}", "cover_job", event.subject_id)
    elif event.kind == "make_artist_picture" and event.subject_id is not None:
        live.note(f"studio_artist-{event.subject_id}", "picture_job", event.subject_id)


def _note_heads(album_id: int) -> None:
    for topic in (f"album-{album_id}", f"studio-{album_id}"):
        live.note(topic, "album_head", album_id)


def _note_lists(album_id: int) -> None:
    for topic in (f"album-{album_id}", f"studio-{album_id}"):
        live.note(topic, "track_list", album_id)
