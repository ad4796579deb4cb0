from __future__ import annotations

import html
import json
import re
from typing import Any

from flask import Flask, session

from musicapp.accounts.identity import STRANGER, Viewer
from musicapp.core.db import db
from musicapp.live.log import LiveUpdate
from musicapp.live.registry import declared
from musicapp.live.rendering import FragmentRenderer
from musicapp.playlists import queries, services
from tests.playlists.conftest import Lists, add_tracks


def viewer(user_id: int) -> Viewer:
    return Viewer(is_authenticated=True, id=user_id)


def rendered(app: Flask, topic: str, kind: str, ref: int) -> str:
    frames = FragmentRenderer(app, declared).frames([LiveUpdate(topic, kind, ref)])
    return re.sub(r"^(?:id: .*\n|data: )", "", frames[0].decode(), flags=re.M)


def change_in(frame: str) -> dict[str, Any]:
    said = re.search(r"data-change='([^']*)'", frame)
    assert said is not None
    told: dict[str, Any] = json.loads(html.unescape(said[1]))
    return told


def test_a_change_tells_pages_what_to_do_and_brings_the_rows_that_came(lists: Lists) -> None:
    playlist = lists.playlist(1, 2)
    with lists.app.app_context():
        added = services.add_tracks(playlist, lists.bob, [lists.tracks[2]], after_entry_id=0)
        assert added.change is not None
        change_id, entry = added.change.id, added.entry_ids[0]
        db.session.commit()
    frame = rendered(lists.app, f"playlist-{playlist}", "playlist_change", change_id)
    assert f'hx-target="#playlist-{playlist}-changes"' in frame
    told = change_in(frame)
    assert (told["version"], told["by"], told["words"]) == (2, "bob", "bob added 1 track.")
    assert [one["entry_id"] for one in told["added"]] == [entry]
    assert f'id="entry-{entry}"' in frame
    assert "Track 3" in frame
    assert "2 tracks" not in frame
    head = rendered(lists.app, f"playlist-{playlist}", "playlist_head", playlist)
    assert "3 tracks" in head
    assert f'id="playlist_head-{playlist}"' in head


def test_what_is_told_is_the_same_for_everybody(lists: Lists) -> None:
    playlist = lists.playlist(visibility="public")
    with lists.app.app_context():
        added = services.add_tracks(playlist, lists.alice, [lists.draft_track, lists.tracks[0]])
        assert added.change is not None
        change_id = added.change.id
        db.session.commit()
    frame = rendered(lists.app, f"playlist-{playlist}", "playlist_change", change_id)
    assert "Unheard" not in frame  # only alice sees it: her page fetches the row itself
    assert len(change_in(frame)["added"]) == 2
    assert "Track 1" in frame
    assert 'aria-pressed="true"' not in frame
    assert "style=" not in frame


def test_a_change_of_thousands_is_told_as_a_reason_to_read_the_order(lists: Lists) -> None:
    playlist = lists.playlist()
    with lists.app.app_context():
        tracks = add_tracks(lists.album, lists.artist, [f"More {number}" for number in range(400)])
        added = services.add_tracks(playlist, lists.alice, tracks)
        assert added.change is not None
        change_id = added.change.id
        db.session.commit()
    told = change_in(rendered(lists.app, f"playlist-{playlist}", "playlist_change", change_id))
    assert told["is_large"]
    assert told["added"] == []
    assert told["words"] == "alice added 400 tracks."


def test_topics_are_heard_by_who_may_see_and_presence_by_members_alone(lists: Lists) -> None:
    private, public = lists.playlist(1), lists.playlist(1, visibility="public")
    unlisted = lists.playlist(1, visibility="unlisted")
    with lists.app.test_request_context():
        for member in (lists.alice, lists.bob, lists.dave):
            assert declared.may_hear(viewer(member), f"playlist-{private}")
            assert declared.may_hear(viewer(member), f"playlist_people-{public}")
        for other in (viewer(lists.charlie), STRANGER):
            assert not declared.may_hear(other, f"playlist-{private}")
            assert declared.may_hear(other, f"playlist-{public}")
            assert not declared.may_hear(other, f"playlist_people-{public}")
            assert not declared.may_hear(other, f"playlist-{unlisted}")
        assert not declared.may_hear(viewer(lists.alice), "playlist-999999999999999999")
        assert not declared.may_hear(viewer(lists.alice), "playlist")
        session["playlist_keys"] = {str(unlisted): queries.link_token_of(unlisted)}
        assert declared.may_hear(STRANGER, f"playlist-{unlisted}")
        lists.app.config["PUBLIC_LISTENING"] = False
        assert not declared.may_hear(STRANGER, f"playlist-{public}")
        assert declared.may_hear(viewer(lists.charlie), f"playlist-{public}")


def test_who_is_looking_is_drawn_for_members(lists: Lists) -> None:
    playlist = lists.playlist(1)
    bob = lists.browser(lists.bob)
    assert bob.post(f"/playlists/{playlist}/presence", data={"page": "one"}).status_code == 204
    assert "bob" in rendered(lists.app, f"playlist_people-{playlist}", "playlist_people", playlist)
    page = lists.browser(lists.alice).get(f"/playlists/{playlist}").text
    here = re.search(r'id="playlist_people-\d+">(.*?)</div>', page, re.S)
    assert here is not None
    assert "bob" in here[1]
    bob.post(f"/playlists/{playlist}/presence", data={"page": "one", "leaves": "1"})
    assert "bob" not in rendered(lists.app, f"playlist_people-{playlist}", "playlist_people", playlist)
    assert lists.browser(lists.charlie).post(f"/playlists/{playlist}/presence").status_code == 404


def test_somebody_who_is_removed_is_no_longer_shown_as_looking(lists: Lists) -> None:
    playlist = lists.playlist(1)
    lists.browser(lists.dave).post(f"/playlists/{playlist}/presence", data={"page": "one"})
    lists.browser(lists.alice).post(f"/playlists/{playlist}/people/{lists.dave}/remove")
    assert "dave" not in rendered(lists.app, f"playlist_people-{playlist}", "playlist_people", playlist)
