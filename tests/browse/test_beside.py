"""The side bar: a person's playlists on every page, fetched anew when they change; and the rest of one's home."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy import event

from musicapp.catalog import services
from musicapp.core.db import db, utc_now
from musicapp.core.events import Event, publish
from musicapp.library.models import ArtistFollow
from musicapp.live.publisher import publisher
from musicapp.playback.models import Play
from musicapp.playlists import events
from musicapp.playlists.models import Playlist, PlaylistChange, PlaylistFollow, PlaylistMember
from musicapp.playlists.services import invite_user
from tests.catalog.conftest import House, house

pytestmark = pytest.mark.one_database

__all__ = ["house"]


def add_playlist(owner_id: int, name: str, *, visibility: str = "private", member_ids: tuple[int, ...] = ()) -> int:
    playlist = Playlist(owner_id=owner_id, name=name, sort_name=name, visibility=visibility, link_token=f"token-{name}")
    db.session.add(playlist)
    db.session.flush()
    for user_id in (owner_id, *member_ids):
        role = "owner" if user_id == owner_id else "viewer"
        db.session.add(PlaylistMember(playlist_id=playlist.id, user_id=user_id, role=role))
    db.session.commit()
    return playlist.id


def test_playlists_stand_beside_every_page(house: House) -> None:
    with house.app.app_context():
        own = add_playlist(house.bob, "Mine")
        joined = add_playlist(house.alice, "Hers", member_ids=(house.bob,))
        followed = add_playlist(house.alice, "Public", visibility="public")
        closed = add_playlist(house.alice, "Closed since")
        add_playlist(house.alice, "Secret")
        for playlist_id in (followed, closed):
            db.session.add(PlaylistFollow(playlist_id=playlist_id, user_id=house.bob))
        db.session.commit()
    bob = house.browser(house.bob)
    for address in ("/", "/albums/", "/side/playlists"):
        text = bob.get(address).text
        for playlist_id in (own, joined, followed):
            assert f'href="/playlists/{playlist_id}"' in text, address
        assert "Secret" not in text
        assert "Closed since" not in text
    assert f'data-drop-playlist="{own}"' in text
    assert f'data-drop-playlist="{joined}"' not in text, "viewers may not add"
    assert "side-playlists" not in house.app.test_client().get("/").text
    assert house.app.test_client().get("/side/playlists").status_code == 303


def test_link_that_swaps_only_the_page_asks_for_no_playlists(house: House) -> None:
    with house.app.app_context():
        add_playlist(house.bob, "Mine")
    text = house.browser(house.bob).get("/albums/", headers={"HX-Request": "true", "HX-Boosted": "true"}).text
    assert "Mine" not in text
    assert '<main id="main"' in text


def poked(app: Flask, happened: Event) -> set[str]:
    """Topics whose pages are told to ask for their playlists again."""
    with app.app_context():
        before = publisher().cursor()
        publish(happened)
        db.session.commit()
        redis = app.extensions["redis"]
        entries = redis.xrange("live:log", min=f"({before}") if before else redis.xrange("live:log")
    text = [{name.decode(): value.decode() for name, value in fields.items()} for _, fields in entries]
    return {fields["t"] for fields in text if "playlists-changed" in str(fields)}


def test_members_side_bars_are_told(house: House) -> None:
    with house.app.app_context():
        playlist = add_playlist(house.alice, "Ours", member_ids=(house.bob,))
        changes = [
            PlaylistChange(playlist_id=playlist, version=number, user_id=house.alice, kind=kind, changed={}, summary={})
            for number, kind in enumerate(("edited", "added"), 1)
        ]
        db.session.add_all(changes)
        db.session.commit()
        renamed, added = (change.id for change in changes)
    both = {f"library-{house.alice}", f"library-{house.bob}"}
    assert poked(house.app, events.PlaylistDeleted(playlist)) == both
    assert poked(house.app, events.PlaylistChanged(playlist, change_id=renamed)) == both
    assert poked(house.app, events.PlaylistChanged(playlist, change_id=added)) == set()
    charlies = {f"library-{house.charlie}"}
    assert poked(house.app, events.PlaylistFollowed(playlist, user_id=house.charlie)) == charlies
    with house.app.app_context():
        invitation = invite_user(playlist, house.alice, "charlie", "viewer").id
        db.session.commit()
    assert poked(house.app, events.UserInvitedToPlaylist(invitation)) == charlies


def test_home_shows_what_one_played_and_follows(house: House) -> None:
    track = house.add_track()
    house.publish()
    with house.app.app_context():
        playlist = add_playlist(house.bob, "Mornings")
        db.session.add(ArtistFollow(user_id=house.bob, artist_id=house.artist))
        for number, source in enumerate(("album-1", f"playlist-{playlist}")):
            db.session.add(
                Play(
                    hearing_id=f"h{number}",
                    user_id=house.bob,
                    listener=f"user-{house.bob}",
                    track_id=track,
                    album_id=house.album,
                    started_at=utc_now(),
                    source=source,
                )
            )
        db.session.commit()
    text = house.browser(house.bob).get("/").text
    assert f'id="playlist-card-{playlist}"' in text
    assert text.index("Recently played") < text.index("New from artists you follow") < text.index("New albums")
    assert text.count('class="tile"') == 2
    assert f'class="tile" href="/playlists/{playlist}"' in text
    for stranger in (house.browser(house.charlie), house.app.test_client()):
        assert "Recently played" not in stranger.get("/").text
        assert "New from artists" not in stranger.get("/").text
    with house.app.app_context():
        services.unpublish_album(house.album)
        db.session.commit()
    text = house.browser(house.bob).get("/").text
    assert "Winter" not in text
    assert "Mornings" in text


def test_page_of_a_refused_form_does_not_write(house: House) -> None:
    with house.app.app_context():
        add_playlist(house.alice, "Mine")
        engine = db.engine
    begun: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        begun.append(statement)

    alice = house.browser(house.alice)
    event.listen(engine, "before_cursor_execute", note)
    response = alice.post(f"/studio/albums/{house.album}", data={"title": ""})
    event.remove(engine, "before_cursor_execute", note)
    assert response.status_code == 422
    assert "Mine" in response.text
    assert not [statement for statement in begun if statement.startswith(("UPDATE albums", "INSERT"))]
