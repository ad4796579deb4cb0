"""What playlists do when something happens, to them and elsewhere."""

from __future__ import annotations

from musicapp.accounts.events import UserDeleted
from musicapp.core.events import on
from musicapp.jobs import services as jobs
from musicapp.live import services as live
from musicapp.playlists import events, queries
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
def let_it_be_found(event: events.PlaylistEvent) -> None:
    entry = queries.playlist_to_find(event.playlist_id)
    if entry is None:
        search.drop_entry("playlist", event.playlist_id)
    else:
        search.put_entry(
            "playlist", event.playlist_id, title=entry.title, words=entry.words, popularity=entry.popularity
        )


@on(UserDeleted)
def forget_user(event: UserDeleted) -> None:
    jobs.add("forget_playlist_user", subject_id=event.user_id, unique_key=f"forget_playlist_user/{event.user_id}")
