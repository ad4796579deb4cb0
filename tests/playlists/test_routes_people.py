from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from musicapp.core.db import db
from musicapp.playlists import queries
from musicapp.playlists.models import PlaylistFollow, PlaylistInvitation
from tests.playlists.conftest import Lists

pytestmark = pytest.mark.one_database


def role(lists: Lists, user_id: int, playlist_id: int) -> str | None:
    with lists.app.app_context():
        return queries.role_of(user_id, playlist_id)


def newest_token(lists: Lists) -> str:
    with lists.app.app_context():
        found = select(PlaylistInvitation.token).order_by(PlaylistInvitation.id.desc()).limit(1)
        return db.session.scalars(found).one()


def test_a_user_is_invited_by_name_and_joins_on_their_own_page(lists: Lists) -> None:
    playlist = lists.playlist(1)
    alice, charlie = lists.browser(lists.alice), lists.browser(lists.charlie)
    people = alice.get(f"/playlists/{playlist}/people")
    assert "bob" in people.text
    invite = f"/playlists/{playlist}/people/invite"
    assert alice.post(invite, data={"username": "charlie", "role": "editor"}).status_code == 303
    assert "charlie" in alice.get(f"/playlists/{playlist}/people").text
    waiting = charlie.get("/playlists/").text
    assert "alice invites you as editor" in waiting
    token = newest_token(lists)
    assert "Evening" in charlie.get(f"/playlists/invitations/{token}").text
    # it names charlie: nobody else can use it
    assert lists.browser(lists.dave).get(f"/playlists/invitations/{token}").status_code == 404
    assert charlie.post(f"/playlists/invitations/{token}", data={"answer": "join"}).location.endswith(f"/{playlist}")
    assert role(lists, lists.charlie, playlist) == "editor"
    assert "invites you" not in charlie.get("/playlists/").text


def test_a_wrong_name_keeps_the_form_and_says_why(lists: Lists) -> None:
    playlist = lists.playlist(1)
    alice = lists.browser(lists.alice)
    for name, words in (("nobody", "Nobody here is called"), ("", "Write the username"), ("bob", "has joined already")):
        answer = alice.post(f"/playlists/{playlist}/people/invite", data={"username": name, "role": "viewer"})
        assert answer.status_code == 422
        assert words in answer.text
        assert re.search(rf'name="username"[^>]* value="{name}"', answer.text)
    wrong = alice.post(f"/playlists/{playlist}/people/invite", data={"username": "charlie", "role": "owner"})
    assert wrong.status_code == 422


def test_an_invitation_can_be_declined_and_a_link_used_by_many_until_it_is_taken_back(lists: Lists) -> None:
    playlist = lists.playlist(1)
    alice, charlie = lists.browser(lists.alice), lists.browser(lists.charlie)
    alice.post(f"/playlists/{playlist}/people/invite", data={"username": "charlie", "role": "viewer"})
    charlie.post(f"/playlists/invitations/{newest_token(lists)}", data={"answer": "decline"})
    assert role(lists, lists.charlie, playlist) is None
    assert "invites you" not in charlie.get("/playlists/").text
    assert alice.post(f"/playlists/{playlist}/people/link", data={"role": "owner"}).status_code == 422
    alice.post(f"/playlists/{playlist}/people/link", data={"role": "editor"})
    token = newest_token(lists)
    page = alice.get(f"/playlists/{playlist}/people").text
    assert f"/playlists/invitations/{token}" in page
    assert "may add, move and remove" in charlie.get(f"/playlists/invitations/{token}").text
    charlie.post(f"/playlists/invitations/{token}", data={"answer": "join"})
    assert role(lists, lists.charlie, playlist) == "editor"
    revoke = re.search(r'action="([^"]+/revoke)"', page)
    assert revoke is not None
    alice.post(revoke[1])
    assert lists.browser(lists.dave).get(f"/playlists/invitations/{token}").status_code == 404
    assert lists.browser(lists.dave).post(f"/playlists/invitations/{token}").status_code in {303, 422}


def test_the_owner_changes_roles_removes_and_hands_over(lists: Lists) -> None:
    playlist = lists.playlist(1)
    alice, bob = lists.browser(lists.alice), lists.browser(lists.bob)
    people = f"/playlists/{playlist}/people"
    for door in (f"{people}/{lists.dave}/remove", f"{people}/{lists.dave}/owner", f"{people}/link"):
        assert bob.post(door).status_code == 403
    alice.post(f"{people}/{lists.dave}/role", data={"role": "editor"})
    assert role(lists, lists.dave, playlist) == "editor"
    assert alice.post(f"{people}/{lists.dave}/role", data={"role": "owner"}).status_code == 422
    alice.post(f"{people}/{lists.dave}/remove")
    assert lists.browser(lists.dave).get(f"/playlists/{playlist}").status_code == 404
    alice.post(f"{people}/{lists.bob}/owner")
    assert (role(lists, lists.bob, playlist), role(lists, lists.alice, playlist)) == ("owner", "editor")
    assert bob.post(f"/playlists/{playlist}/leave").status_code in {303, 422}  # an owner can't just go
    assert role(lists, lists.bob, playlist) == "owner"
    alice.post(f"/playlists/{playlist}/leave")
    assert alice.get(f"/playlists/{playlist}").status_code == 404


def test_a_listener_follows_a_public_playlist_and_sees_that_it_has_news(lists: Lists) -> None:
    public, private = lists.playlist(1, name="Open", visibility="public"), lists.playlist(1)
    charlie = lists.browser(lists.charlie)
    assert charlie.post(f"/playlists/{private}/follow", data={"on": "1"}).status_code == 404
    assert charlie.post(f"/playlists/{public}/follow", data={"on": "1"}).status_code == 303
    fetched = charlie.post(f"/playlists/{public}/follow", data={"on": "1"}, headers={"HX-Request": "true"})
    assert fetched.status_code == 204
    assert 'aria-pressed="true" aria-label="Follow"' in charlie.get(f"/playlists/{public}").text
    assert "playlist-news-chip" not in charlie.get("/playlists/").text
    with lists.app.app_context():
        entry = lists.entries(public)[0]
    lists.browser(lists.bob).post(f"/playlists/{public}/entries/{entry}/remove")
    assert "playlist-news-chip" in charlie.get("/playlists/").text
    charlie.post(f"/playlists/{public}/seen")
    assert "playlist-news-chip" not in charlie.get("/playlists/").text
    charlie.post(f"/playlists/{public}/follow", data={"on": "0"})
    with lists.app.app_context():
        assert db.session.scalars(select(PlaylistFollow)).all() == []


def test_members_choose_whether_mails_come(lists: Lists) -> None:
    playlist = lists.playlist(1)
    bob = lists.browser(lists.bob)
    people = f"/playlists/{playlist}/people"
    assert 'as <a href="/settings/notifications">your settings say</a>' in bob.get(people).text
    bob.post(f"/playlists/{playlist}/digest", data={"on": "0"})
    assert "You hear nothing" in bob.get(people).text
    bob.post(f"/playlists/{playlist}/digest", data={"on": "1"})
    assert "Mute this playlist" in bob.get(people).text
    assert lists.browser(lists.charlie).post(f"/playlists/{playlist}/digest", data={"on": "1"}).status_code == 404


def test_the_history_is_for_members_and_brings_versions_back(lists: Lists) -> None:
    playlist = lists.playlist(1, 2, 3, visibility="public")
    bob = lists.browser(lists.bob)
    with lists.app.app_context():
        entries = lists.entries(playlist)
    bob.post(f"/playlists/{playlist}/remove", data={"entry_ids": entries[:2]})
    page = lists.browser(lists.dave).get(f"/playlists/{playlist}/history").text
    assert "removed 2 tracks" in page
    assert "Track 1, Track 2" in page
    assert "made the playlist" in page
    assert "As it was then" not in page  # dave only looks
    assert lists.browser(lists.charlie).get(f"/playlists/{playlist}/history").status_code == 404
    assert "As it was then" in bob.get(f"/playlists/{playlist}/history").text
    bob.post(f"/playlists/{playlist}/history/1/restore")
    with lists.app.app_context():
        assert lists.titles(playlist) == "123"
    assert lists.browser(lists.dave).post(f"/playlists/{playlist}/history/2/restore").status_code == 403
    assert bob.post(f"/playlists/{playlist}/history/3/restore").status_code == 303  # with words: it is like that


def test_a_link_that_is_none_does_not_fill_the_cookie(lists: Lists) -> None:
    public = lists.playlist(1, visibility="public")
    stranger = lists.app.test_client()
    assert stranger.get(f"/playlists/{public}?key={'x' * 4000}").status_code == 200
    cookie = stranger.get_cookie("session")
    assert cookie is None or len(cookie.value) < 500


def test_a_followed_playlist_that_became_private_can_be_let_go(lists: Lists) -> None:
    playlist = lists.playlist(1, visibility="public")
    browser = lists.browser(lists.charlie)
    browser.post(f"/playlists/{playlist}/follow", data={"on": "1"})
    fields = {"name": "Hidden", "visibility": "private"}
    assert lists.browser(lists.alice).post(f"/playlists/{playlist}/edit", data=fields).status_code == 303
    assert browser.get(f"/playlists/{playlist}").status_code == 404
    let_go = browser.post(f"/playlists/{playlist}/follow", data={"on": "0"})
    assert (let_go.status_code, let_go.headers["Location"]) == (303, "/playlists/")
    assert browser.post(f"/playlists/{playlist}/follow", data={"on": "1"}).status_code == 404


def test_public_playlists_are_listed_for_everybody(lists: Lists) -> None:
    shown = lists.playlist(1, visibility="public")
    hidden = [lists.playlist(1, visibility=visibility) for visibility in ("private", "unlisted")]
    listed = lists.app.test_client().get("/playlists/public").text
    assert f'href="/playlists/{shown}"' in listed
    for playlist in hidden:
        assert f'href="/playlists/{playlist}"' not in listed
