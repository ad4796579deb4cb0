"""What playlists do when something happens, to them and elsewhere."""

from __future__ import annotations

from musicapp.accounts.events import ProfileUpdated, UserDeleted
from musicapp.catalog import events as catalog_events
from musicapp.core.events import on
from musicapp.jobs import services as jobs
from musicapp.jobs.events import JobChanged
from musicapp.live import services as live
from musicapp.playlists import events, queries
from musicapp.playlists.queries.mosaics import MOSAICS, drop_mosaics_of_album
from musicapp.playlists.queries.search import playlists_of_to_find
from musicapp.search import services as search


@on(events.PlaylistChanged)
def show_change(event: events.PlaylistChanged) -> None:
    live.note(f"playlist-{event.playlist_id}", "playlist_change", event.change_id)
    live.note(f"playlist-{event.playlist_id}", "playlist_head", event.playlist_id)


@on(events.PlaylistFollowed)
def show_followers(event: events.PlaylistFollowed) -> None:
    live.note(f"playlist-{event.playlist_id}", "playlist_head", event.playlist_id)


@on(events.PlaylistMembersChanged)
def show_members(event: events.PlaylistMembersChanged) -> None:
    live.note(f"playlist-{event.playlist_id}", "playlist_head", event.playlist_id)
    for topic in (f"playlist-{event.playlist_id}", f"playlist_people-{event.playlist_id}"):
        live.rights_changed(event.user_id, topic)


@on(events.PlaylistVisibilityChanged)
@on(events.PlaylistDeleted)
def ask_rights_again(event: events.PlaylistEvent) -> None:
    # The poke first: who loses the stream with the next line fetches the page and is told.
    live.poke(f"playlist-{event.playlist_id}")
    for topic in (f"playlist-{event.playlist_id}", f"playlist_people-{event.playlist_id}"):
        live.rights_changed(topic=topic)


@on(events.PlaylistEdited)
@on(events.PlaylistDeleted)
@on(events.PlaylistRestored)
@on(events.PlaylistFollowed)
@on(events.PlaylistHandedOver)
def let_it_be_found(event: events.PlaylistEvent) -> None:
    entry = queries.playlist_to_find(event.playlist_id)
    if entry is None:
        search.drop_entry("playlist", event.playlist_id)
    else:
        search.put_entry(
            "playlist", event.playlist_id, title=entry.title, words=entry.words, popularity=entry.popularity
        )


@on(JobChanged)
def show_cover_job(event: JobChanged) -> None:
    if event.kind == "make_playlist_cover" and event.subject_id is not None:
        live.poke(f"playlist-{event.subject_id}", f"playlist-{event.subject_id}-cover")


@on(ProfileUpdated)
def let_them_be_found(event: ProfileUpdated) -> None:
    search.put_entries(playlists_of_to_find(event.user_id))


@on(UserDeleted)
def forget_user(event: UserDeleted) -> None:
    jobs.add("forget_playlist_user", subject_id=event.user_id, unique_key=f"forget_playlist_user/{event.user_id}")


@on(events.PlaylistChanged)
def drop_kept_mosaic(event: events.PlaylistChanged) -> None:
    MOSAICS.drop(event.playlist_id)


@on(catalog_events.AlbumUpdated)
@on(catalog_events.AlbumPublished)
@on(catalog_events.AlbumUnpublished)
@on(catalog_events.AlbumDeleted)
@on(catalog_events.AlbumRestored)
@on(catalog_events.TrackDeleted)
@on(catalog_events.TrackRestored)
def drop_kept_mosaics(event: catalog_events.AlbumEvent | catalog_events.TrackEvent) -> None:
    drop_mosaics_of_album(event.album_id)
