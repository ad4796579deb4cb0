from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from musicapp.core.db import db
from musicapp.playback.models import PlayQueue
from musicapp.playlists import queries, services
from tests.playlists.conftest import Lists, add_tracks, give_cover
from tests.test_statements import statements_of

pytestmark = pytest.mark.one_database

FRAGMENT = {"HX-Request": "true"}
JSON = {"Accept": "application/json"}


def told(answer: TestResponse) -> Any:
    """What a script is answered."""
    assert answer.json is not None, answer.text
    return answer.json


def entries_of(lists: Lists, playlist_id: int) -> list[int]:
    with lists.app.app_context():
        return lists.entries(playlist_id)


def titles_of(lists: Lists, playlist_id: int) -> str:
    with lists.app.app_context():
        return lists.titles(playlist_id)


def names_of_rows(html: str) -> list[str]:
    return re.findall(r'<a class="row-title" id="entry-\d+-title"[^>]*>([^<]*)</a>', html)


def test_a_page_shows_the_rows_in_order_with_names_that_begin_with_their_titles(lists: Lists) -> None:
    playlist = lists.playlist(3, 1, 2)
    html = lists.browser(lists.alice).get(f"/playlists/{playlist}").text
    assert names_of_rows(html) == ["Track 3", "Track 1", "Track 2"]
    for entry in entries_of(lists, playlist):
        assert f'aria-labelledby="entry-{entry}-title entry-{entry}-by"' in html
    for name in ("Move up", "Move down", "Remove"):
        assert html.count(f'aria-label="{name}"') >= 3
    assert ">Invite</button>" in html


def test_who_may_open_which_playlist(lists: Lists) -> None:
    private, public = lists.playlist(1), lists.playlist(1, name="Open", visibility="public")
    for user in (lists.alice, lists.bob, lists.dave):
        assert lists.browser(user).get(f"/playlists/{private}").status_code == 200
    stranger = lists.app.test_client()
    for browser in (lists.browser(lists.charlie), stranger):
        assert browser.get(f"/playlists/{private}").status_code == 404
        assert browser.get(f"/playlists/{private}/rows").status_code == 404
        assert browser.get(f"/playlists/{private}/order.json").status_code == 404
        assert browser.get(f"/playlists/{private}/changes?since=0").status_code == 404
        assert browser.get(f"/playlists/{private}/export.m3u8").status_code == 404
        assert browser.get(f"/playlists/{public}").status_code == 200


def test_a_site_without_public_listening_shows_strangers_no_playlist(lists: Lists) -> None:
    public = lists.playlist(1, visibility="public")
    lists.app.config["PUBLIC_LISTENING"] = False
    assert lists.app.test_client().get(f"/playlists/{public}").status_code in {302, 303}
    assert lists.browser(lists.charlie).get(f"/playlists/{public}").status_code == 200


def test_viewers_and_strangers_see_no_edit_controls(lists: Lists) -> None:
    public = lists.playlist(1, visibility="public")
    for browser in (lists.browser(lists.dave), lists.browser(lists.charlie), lists.app.test_client()):
        html = browser.get(f"/playlists/{public}").text
        assert 'class="row-edit"' not in html
        assert "/edit" not in html
    assert ">Follow<" in lists.browser(lists.charlie).get(f"/playlists/{public}").text
    assert ">Follow<" not in lists.browser(lists.dave).get(f"/playlists/{public}").text


def test_an_unlisted_playlist_opens_with_its_link_which_the_browser_remembers(lists: Lists) -> None:
    playlist = lists.playlist(1, 2, visibility="unlisted")
    with lists.app.app_context():
        key = queries.link_token_of(playlist)
    browser = lists.app.test_client()
    assert browser.get(f"/playlists/{playlist}").status_code == 404
    assert browser.get(f"/playlists/{playlist}?key=wrong").status_code == 404
    assert browser.get(f"/playlists/{playlist}?key={key}").status_code == 200
    assert browser.get(f"/playlists/{playlist}/rows").status_code == 200
    assert browser.get(f"/playlists/{playlist}").status_code == 200
    for number in range(25):  # the cookie keeps the last twenty
        with browser.session_transaction() as session:
            session["playlist_keys"] = {**session["playlist_keys"], f"9{number}": "x"}
    lists.browser(lists.alice).post(f"/playlists/{playlist}/link")
    assert browser.get(f"/playlists/{playlist}").status_code == 404


def test_rows_move_and_go_by_plain_forms_and_come_back_by_undo(lists: Lists) -> None:
    playlist = lists.playlist(1, 2, 3)
    browser = lists.browser(lists.alice)
    first, second, third = entries_of(lists, playlist)
    for entry, way, order in (
        (first, "down", "213"),
        (first, "down", "231"),
        (first, "down", "231"),
        (third, "up", "321"),
        (third, "up", "321"),
        (first, "up", "312"),
        (second, "remove", "31"),
    ):
        answer = browser.post(f"/playlists/{playlist}/entries/{entry}/{way}?from=100")
        assert answer.status_code == 303
        assert f"/playlists/{playlist}?from=100" in answer.location
        assert titles_of(lists, playlist) == order, way
    page = browser.get(answer.location).text
    assert page.count(f'action="/playlists/{playlist}/undo"') == 2  # beside the title, and below where scripts are off
    browser.post(f"/playlists/{playlist}/undo")
    assert titles_of(lists, playlist) == "312"


def test_scripts_get_the_change_and_how_to_undo_it(lists: Lists) -> None:
    playlist = lists.playlist(1, 2, 3, 4)
    browser = lists.browser(lists.bob)
    entries = entries_of(lists, playlist)
    fields = {"entry_ids": f"{entries[2]},{entries[3]}", "after_entry_id": "0"}
    answer = browser.post(f"/playlists/{playlist}/move", data=fields, headers=JSON)
    assert titles_of(lists, playlist) == "3412"
    change = told(answer)["change"]
    assert (change["version"], change["kind"], change["by"], change["by_id"]) == (2, "moved", "bob", lists.bob)
    assert [moved["entry_id"] for moved in change["moved"]] == entries[2:]
    undone = browser.post(told(answer)["undo_url"], data={"change_id": change["id"]}, headers=JSON)
    assert told(undone)["undo_url"] is None
    assert titles_of(lists, playlist) == "1234"
    again = browser.post(told(answer)["undo_url"], data={"change_id": change["id"]}, headers=JSON)
    assert again.status_code == 422
    assert told(again)["error"]


def test_several_rows_go_at_once_and_a_move_of_what_is_gone_changes_nothing(lists: Lists) -> None:
    playlist = lists.playlist(1, 2, 3)
    browser = lists.browser(lists.alice)
    entries = entries_of(lists, playlist)
    browser.post(f"/playlists/{playlist}/remove", data={"entry_ids": entries[:2]})
    assert titles_of(lists, playlist) == "3"
    answer = browser.post(f"/playlists/{playlist}/move", data={"entry_ids": entries[0]}, headers=JSON)
    assert told(answer)["change"] is None
    assert browser.post(f"/playlists/{playlist}/entries/{entries[0]}/up").status_code == 404
    assert browser.post(f"/playlists/{playlist}/entries/0/up").status_code == 404


@pytest.mark.parametrize(
    "door", ["entries", "entries/1/up", "entries/1/remove", "move", "remove", "sort", "undo", "edit", "cover/remove"]
)
def test_only_editors_change_a_playlist(lists: Lists, door: str) -> None:
    public, private = lists.playlist(1, visibility="public"), lists.playlist(1)
    assert lists.browser(lists.dave).post(f"/playlists/{public}/{door}").status_code == 403
    assert lists.browser(lists.charlie).post(f"/playlists/{public}/{door}").status_code == 403
    assert lists.browser(lists.charlie).post(f"/playlists/{private}/{door}").status_code == 404
    assert lists.app.test_client().post(f"/playlists/{public}/{door}").status_code in {302, 303, 401}


def test_a_track_an_album_a_playlist_and_the_play_queue_are_added(lists: Lists) -> None:
    playlist, other = lists.playlist(), lists.playlist(7, 8, 9)
    browser = lists.browser(lists.alice)
    add = f"/playlists/{playlist}/entries"
    assert browser.post(add, data={"track_id": lists.tracks[4]}).status_code == 303
    browser.post(add, data={"playlist_id": other, "entry_ids": entries_of(lists, other)[1:]})
    assert titles_of(lists, playlist) == "589"
    browser.post(f"/playlists/{other}/queue", data={"place": "now"})
    browser.post(add, data={"queue": "1", "duplicates": "skip"})
    assert titles_of(lists, playlist) == "5897"
    browser.post(add, data={"album_id": lists.album, "duplicates": "skip"})
    assert titles_of(lists, playlist) == "589712346"
    # what somebody else may not see is not added by guessing its number
    bobs = lists.browser(lists.bob).post(add, data={"track_id": lists.draft_track}, headers=JSON)
    assert told(bobs)["change"] is None


def test_tracks_that_are_there_already_are_asked_about(lists: Lists) -> None:
    playlist = lists.playlist(1, 2)
    browser = lists.browser(lists.alice)
    fields = {"track_id": lists.tracks[:3]}
    asked = browser.post(f"/playlists/{playlist}/entries", data=fields)
    assert asked.status_code == 422
    assert "2 of 3 tracks are in the playlist already" in asked.text
    assert asked.text.count('name="track_id"') == 3
    assert "Skip" in told(browser.post(f"/playlists/{playlist}/entries", data=fields, headers=JSON))["html"]
    assert titles_of(lists, playlist) == "12"
    browser.post(f"/playlists/{playlist}/entries", data={**fields, "duplicates": "skip"})
    assert titles_of(lists, playlist) == "123"
    browser.post(f"/playlists/{playlist}/entries", data={"track_id": lists.tracks[0], "duplicates": "add"})
    assert titles_of(lists, playlist) == "1231"


def test_the_chooser_says_what_contains_the_track_and_keeps_the_selection(lists: Lists) -> None:
    lists.playlist(1, name="Évening")
    lists.playlist(2, name="Morning")
    browser = lists.browser(lists.alice)
    page = browser.get(f"/playlists/choose?track_id={lists.tracks[0]}").text
    assert "Track 1" in page
    assert page.count("Already there") == 1
    assert page.count(f'name="track_id" value="{lists.tracks[0]}"') == 4  # two playlists, a new one, the search
    found = browser.get(f"/playlists/choose?track_id={lists.tracks[0]}&q=evening", headers=FRAGMENT).text
    assert "Évening" in found
    assert "Morning" not in found
    assert "New playlist" in page
    assert browser.get("/playlists/choose").status_code == 404
    viewers = lists.browser(lists.dave).get(f"/playlists/choose?track_id={lists.tracks[0]}", headers=FRAGMENT).text
    assert "Évening" not in viewers
    made = told(browser.post("/playlists/", data={"name": "Third", "track_id": lists.tracks[1]}, headers=JSON))
    assert titles_of(lists, made["playlist_id"]) == "2"


def test_a_playlist_goes_into_the_play_queue_for_whoever_sees_it(lists: Lists) -> None:
    playlist = lists.playlist(3, 1, 2, visibility="public")
    browser = lists.browser(lists.charlie)
    assert browser.post(f"/playlists/{playlist}/queue", data={"place": "now"}).status_code == 303
    entries = entries_of(lists, playlist)
    added = browser.post(f"/playlists/{playlist}/queue", data={"place": "last", "entry_ids": entries[2]}, headers=JSON)
    assert told(added)["words"] == "Added 1 track to the play queue."
    with lists.app.app_context():
        queue = db.session.scalars(select(PlayQueue).where(PlayQueue.user_id == lists.charlie)).one()
        assert [entry[1] for entry in queue.entries] == [lists.tracks[number] for number in (2, 0, 1, 1)]
        assert queue.source == f"playlist-{playlist}"


def test_a_view_by_a_column_changes_nothing_until_it_is_kept(lists: Lists) -> None:
    playlist = lists.playlist(2, 3, 1)
    browser = lists.browser(lists.alice)
    page = browser.get(f"/playlists/{playlist}").text
    for column in queries.SORT_COLUMNS:
        assert f'href="/playlists/{playlist}?sort={column}' in page, column
    page = browser.get(f"/playlists/{playlist}?sort=length&down=1").text
    assert names_of_rows(page) == ["Track 3", "Track 2", "Track 1"]
    assert "Keep this order" in page
    assert 'class="row-edit"' not in page
    assert titles_of(lists, playlist) == "231"
    order = told(browser.get(f"/playlists/{playlist}/order.json?sort=length&down=1"))
    assert [entry for entry, _key in order["entries"]] == sorted(entries_of(lists, playlist))[1::-1] + [
        sorted(entries_of(lists, playlist))[2]
    ]
    browser.post(f"/playlists/{playlist}/sort", data={"sort": "length", "down": "1"})
    assert titles_of(lists, playlist) == "321"
    assert browser.post(f"/playlists/{playlist}/sort", data={"sort": "colour"}).status_code == 422


def test_a_page_catches_up_by_changes_or_by_the_whole_order(lists: Lists) -> None:
    playlist = lists.playlist(1, 2, 3)
    browser = lists.browser(lists.alice)
    for entry in entries_of(lists, playlist)[:2]:
        browser.post(f"/playlists/{playlist}/entries/{entry}/remove")
    news = told(lists.browser(lists.bob).get(f"/playlists/{playlist}/changes?since=1"))
    assert (news["version"], news["role"], news["is_far_behind"]) == (3, "editor", False)
    assert [change["version"] for change in news["changes"]] == [2, 3]
    assert told(browser.get(f"/playlists/{playlist}/changes?since=3"))["changes"] == []
    assert told(browser.get(f"/playlists/{playlist}/changes?since=99"))["is_far_behind"]
    order = told(browser.get(f"/playlists/{playlist}/order.json"))
    assert order["version"] == 3
    assert [entry for entry, _key in order["entries"]] == entries_of(lists, playlist)


def test_pages_of_long_and_short_playlists_run_the_same_few_statements(lists: Lists) -> None:
    short, long = lists.playlist(1), lists.playlist()
    with lists.app.app_context():
        tracks = add_tracks(lists.album, lists.artist, [f"More {number}" for number in range(1000)])
        services.add_tracks(long, lists.alice, tracks)
        give_cover(lists.album)
        db.session.commit()
    browser = lists.browser(lists.alice)
    browser.post(f"/playlists/{long}/presence", data={"page": "x"})
    counts = {}
    for address in ("{}", "{}?from=900", "{}?sort=title", "{}/rows?from=200", "{}/order.json", "{}/changes?since=0"):
        for playlist in (short, long):
            with statements_of(lists.app) as ran:
                answer = browser.get("/playlists/" + address.format(playlist))
            assert answer.status_code == 200
            counts[address, playlist] = len(ran)
            assert len(ran) <= 12, ran
        if "from" not in address:
            assert counts[address, long] <= counts[address, short] + 1, address
    page = browser.get(f"/playlists/{long}").text
    assert len(names_of_rows(page)) == 50
    assert "?from=50" in page
    assert names_of_rows(browser.get(f"/playlists/{long}?from=900").text)[0] == "More 900"


def test_a_row_whose_track_is_gone_says_so_and_can_be_removed(lists: Lists) -> None:
    playlist = lists.playlist()
    alice = lists.browser(lists.alice)
    alice.post(f"/playlists/{playlist}/entries", data={"track_id": lists.draft_track})
    assert "Unheard" in alice.get(f"/playlists/{playlist}").text
    page = lists.browser(lists.bob).get(f"/playlists/{playlist}").text
    assert "Unheard" not in page
    assert "No longer available" in page
    lists.browser(lists.bob).post(f"/playlists/{playlist}/entries/{entries_of(lists, playlist)[0]}/remove")
    assert entries_of(lists, playlist) == []
    assert "Nothing here yet" in alice.get(f"/playlists/{playlist}").text
