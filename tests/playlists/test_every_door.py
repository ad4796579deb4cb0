"""Every door of playlists, whoever comes: strangers learn nothing, viewers change nothing, editors own nothing."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from musicapp.core.db import db
from musicapp.live.registry import declared
from musicapp.playlists import services
from musicapp.playlists.models import (
    Playlist,
    PlaylistChange,
    PlaylistEntry,
    PlaylistFollow,
    PlaylistInvitation,
    PlaylistMember,
)
from tests.playlists.conftest import Lists

FOR_EDITORS = {
    *("edit_playlist", "save_playlist", "set_cover", "remove_cover", "add_entries", "move_entry_up", "move_entry_down"),
    *("move_entries", "remove_entry", "remove_entries", "sort_entries", "undo", "restore_version"),
}
FOR_OWNERS = {
    *("renew_link", "delete_playlist", "invite", "invite_by_link", "revoke_invitation", "change_role", "remove_member"),
    *("hand_over", "restore_playlist"),
}
FOR_MEMBERS = {"people", "leave", "set_digest", "note_presence", "history"}
FOR_ALL_WHO_SEE = {
    *("playlist", "playlist_rows", "changes", "order", "export_playlist", "duplicate_playlist", "queue_tracks"),
    *("follow", "note_seen"),
}
TABLES = (Playlist, PlaylistEntry, PlaylistMember, PlaylistInvitation, PlaylistFollow, PlaylistChange)


def doors(lists: Lists, playlist_id: int) -> list[tuple[str, str, str]]:
    """(name, method, address) of every door to one playlist."""
    with lists.app.app_context():
        entry = lists.entries(playlist_id)[0]
    values = {
        "playlist_id": playlist_id,
        "entry_id": entry,
        "user_id": lists.bob,
        "version": 1,
        "invitation_id": 1,
        "suffix": "jspf",
    }
    found = []
    for rule in lists.app.url_map.iter_rules():
        if "playlist_id" in rule.arguments:
            with lists.app.test_request_context():
                address = rule.build(values)
            assert address is not None
            name = rule.endpoint.rpartition(".")[2]
            found += [(name, method, address[1]) for method in sorted((rule.methods or set()) & {"GET", "POST"})]
    assert {name for name, _, _ in found} == FOR_EDITORS | FOR_OWNERS | FOR_MEMBERS | FOR_ALL_WHO_SEE
    return found


def fields(lists: Lists, entry_id: int) -> dict[str, object]:
    """Something that each door would take from who may."""
    return {
        "name": "Mine now",
        "description": "x",
        "visibility": "public",
        "username": "charlie",
        "role": "viewer",
        "entry_ids": entry_id,
        "track_id": lists.tracks[7],
        "sort": "title",
        "down": "1",
        "on": "1",
        "page": "p",
    }


def knock(browser: FlaskClient, method: str, address: str, sent: dict[str, object]) -> TestResponse:
    return browser.get(address) if method == "GET" else browser.post(address, data=sent)


def everything(app: Flask) -> list[tuple[object, ...]]:
    """All rows of all tables of playlists."""
    with app.app_context():
        return [
            tuple(row)
            for table in TABLES
            for row in db.session.execute(select(*table.__table__.c).order_by(*table.__table__.primary_key))
        ]


def says(answer: TestResponse) -> str:
    return answer.get_data(as_text=True)


@pytest.mark.parametrize("visibility", ["private", "unlisted", "deleted"])
def test_who_may_not_see_a_playlist_meets_nothing_behind_any_door(lists: Lists, visibility: str) -> None:
    playlist = lists.playlist(3, 1, 2, name="Secret", visibility="public" if visibility == "deleted" else visibility)
    all_doors = doors(lists, playlist)
    with lists.app.app_context():
        services.invite_by_link(playlist, lists.alice, "editor")
        entry = lists.entries(playlist)[0]
        if visibility == "deleted":
            services.delete_playlist(playlist, lists.alice)
        db.session.commit()
    before = everything(lists.app)
    browsers = {"charlie": lists.browser(lists.charlie), "stranger": lists.app.test_client()}
    if visibility == "deleted":
        browsers |= {"bob": lists.browser(lists.bob), "dave": lists.browser(lists.dave)}
    for who, browser in browsers.items():
        for name, method, address in all_doors:
            for query in ("", "?key=wrong%C3%A9%00") if method == "GET" else ("",):
                answer = knock(browser, method, address + query, fields(lists, entry))
                to_sign_in = answer.status_code == 303 and "/login" in answer.location
                allowed = {403, 404} if who in {"bob", "dave"} and name == "restore_playlist" else {404}
                assert answer.status_code in allowed or (who == "stranger" and to_sign_in), (who, name, method, query)
                assert not re.search("Secret|Track [123]", says(answer)), (who, name)
    assert everything(lists.app) == before


def test_viewers_listeners_and_strangers_change_nothing(lists: Lists) -> None:
    playlist = lists.playlist(3, 1, 2, visibility="public")
    with lists.app.app_context():
        entry = lists.entries(playlist)[0]
    all_doors = doors(lists, playlist)
    before = everything(lists.app)
    for who, browser in (
        ("dave", lists.browser(lists.dave)),
        ("charlie", lists.browser(lists.charlie)),
        ("stranger", lists.app.test_client()),
    ):
        for name, method, address in all_doors:
            if name not in FOR_EDITORS | FOR_OWNERS:
                continue
            answer = knock(browser, method, address, fields(lists, entry))
            assert answer.status_code in ({303} if who == "stranger" else {403}), (who, name, answer.status_code)
    assert everything(lists.app) == before


def test_editors_do_nothing_that_is_the_owners(lists: Lists) -> None:
    playlist = lists.playlist(3, 1, 2)
    with lists.app.app_context():
        services.invite_by_link(playlist, lists.alice, "editor")
        db.session.commit()
        entry = lists.entries(playlist)[0]
    bob = lists.browser(lists.bob)
    before = everything(lists.app)
    for name, method, address in doors(lists, playlist):
        if name in FOR_OWNERS:
            assert knock(bob, method, address, fields(lists, entry)).status_code == 403, name
    made_public = {"name": "Evening", "description": "", "visibility": "public"}
    assert bob.post(f"/playlists/{playlist}/edit", data=made_public).status_code == 403
    assert everything(lists.app) == before


def test_entries_and_invitations_of_another_playlist_are_out_of_reach(lists: Lists) -> None:
    secret = lists.playlist(3, 1, 2, name="Secret")
    with lists.app.app_context():
        services.invite_by_link(secret, lists.alice, "editor")
        entries = lists.entries(secret)
        own = services.create_playlist(lists.charlie, "Own", track_ids=lists.tracks[:1]).id
        invitation = db.session.scalars(select(PlaylistInvitation.id)).one()
        change = db.session.scalars(select(PlaylistChange.id).where(PlaylistChange.playlist_id == secret)).first()
        db.session.commit()
    charlie = lists.browser(lists.charlie)

    before = everything(lists.app)
    ids = ",".join(map(str, entries))
    assert "Track" not in charlie.get(f"/playlists/{own}/rows?ids={ids}").text
    for path, sent in (
        ("move", {"entry_ids": ids, "after_entry_id": 0}),
        ("remove", {"entry_ids": ids}),
        ("undo", {"change_id": change}),
        (f"entries/{entries[0]}/up", {}),
        (f"entries/{entries[0]}/remove", {}),
        ("entries", {"track_id": lists.tracks[4], "after_entry_id": entries[0]}),
        ("entries", {"playlist_id": secret}),
        (f"invitations/{invitation}/revoke", {}),
    ):
        answer = charlie.post(f"/playlists/{own}/{path}", data=sent)
        assert answer.status_code < 500, path
    assert charlie.get(f"/playlists/choose?playlist_id={secret}").status_code == 404
    assert everything(lists.app) == before


def test_chooser_does_not_count_the_tracks_of_somebodys_draft(lists: Lists) -> None:
    charlie, alice = lists.browser(lists.charlie), lists.browser(lists.alice)
    draft = lists.album + 1
    assert "Unheard" in says(alice.get(f"/playlists/choose?album_id={draft}"))
    nothing = says(charlie.get("/playlists/choose?album_id=999")).replace("999", str(draft))
    assert says(charlie.get(f"/playlists/choose?album_id={draft}")) == nothing


def test_topics_of_others_are_silent(lists: Lists) -> None:
    playlist = lists.playlist(1)

    class Viewer:
        def __init__(self, id: int | None) -> None:
            self.id, self.is_authenticated = id, id is not None

    for viewer_id in (lists.charlie, None):
        with lists.app.test_request_context("/"):
            viewer = Viewer(viewer_id)
            for topic in ("playlist", "playlist_people"):
                assert not declared.may_hear(viewer, f"{topic}-{playlist}"), topic
                for number in ("", "-0", "-999999999999999999"):
                    assert not declared.may_hear(viewer, topic + number), topic + number
            for topic in ("queue", "library"):
                assert not declared.may_hear(viewer, f"{topic}-{lists.alice}")
                assert not declared.may_hear(viewer, topic)
    with lists.app.test_request_context("/"):
        assert declared.may_hear(Viewer(lists.dave), f"playlist-{playlist}")
