from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from musicapp.core.db import db
from musicapp.jobs.models import Job
from musicapp.playlists import queries
from tests.playlists.conftest import Lists
from tests.test_statements import statements_of

pytestmark = pytest.mark.one_database


def picture() -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (400, 400), "teal").save(file, "PNG")
    file.seek(0)
    return file


def test_a_new_playlist_is_one_button_and_opens_at_once(lists: Lists) -> None:
    browser = lists.browser(lists.charlie)
    page = browser.get("/playlists/").text
    assert "Your first playlist" in page
    assert "New playlist</button>" in page
    made = browser.post("/playlists/", data={})
    assert made.status_code == 303
    shown = browser.get(made.location).text
    assert "<h1>New playlist</h1>" in shown
    assert "Nothing here yet" in shown
    assert lists.app.test_client().get("/playlists/").status_code in {302, 303}


def test_the_list_shows_own_joined_and_followed_playlists_in_few_statements(lists: Lists) -> None:
    lists.playlist(1, name="Hers")
    public = lists.playlist(2, name="Open", visibility="public")
    charlie = lists.browser(lists.charlie)
    charlie.post(f"/playlists/{public}/follow", data={"on": "1"})
    assert "Open" in charlie.get("/playlists/").text
    assert "Hers" not in charlie.get("/playlists/").text
    bob = lists.browser(lists.bob)
    assert "Hers" in bob.get("/playlists/").text
    with statements_of(lists.app) as few:
        bob.get("/playlists/")
    for number in range(20):
        lists.playlist(3, name=f"More {number}")
    with statements_of(lists.app) as many:
        assert "More 19" in bob.get("/playlists/").text
    assert len(many) <= len(few) <= 12


def test_details_are_edited_with_words_beside_what_is_wrong(lists: Lists) -> None:
    playlist = lists.playlist(1)
    alice, bob = lists.browser(lists.alice), lists.browser(lists.bob)
    edit = f"/playlists/{playlist}/edit"
    wrong = alice.post(edit, data={"name": " ", "description": "Kept", "visibility": "private"})
    assert wrong.status_code == 422
    assert "Give the playlist a name." in wrong.text
    assert "Kept</textarea>" in wrong.text
    long = alice.post(edit, data={"name": "x" * 201, "visibility": "nobody"})
    assert long.status_code == 422
    assert long.text.count("field-error") == 2
    assert (
        alice.post(edit, data={"name": "Öde", "description": "Two\nlines", "visibility": "public"}).status_code == 303
    )
    page = lists.app.test_client().get(f"/playlists/{playlist}").text
    assert "<h1>Öde</h1>" in page
    assert "Public" in page
    # an editor renames, but who may see it is the owner's to say
    assert bob.post(edit, data={"name": "Ours", "visibility": "public"}).status_code == 303
    assert bob.post(edit, data={"name": "Ours", "visibility": "private"}).status_code == 403
    assert lists.browser(lists.dave).get(edit).status_code == 403


def test_a_cover_is_checked_at_the_door_and_made_by_a_job(lists: Lists) -> None:
    playlist = lists.playlist(1)
    bob = lists.browser(lists.bob)
    cover = f"/playlists/{playlist}/cover"
    assert bob.post(cover, data={}).status_code == 422
    wrong = bob.post(cover, data={"cover": (io.BytesIO(b"no picture at all"), "x.png")})
    assert wrong.status_code == 422
    assert "not a picture" in wrong.text
    assert "<h1>Edit playlist</h1>" in wrong.text
    assert bob.post(cover, data={"cover": (picture(), "x.png")}).status_code == 303
    with lists.app.app_context():
        assert [job.subject_id for job in db.session.query(Job).filter_by(kind="make_playlist_cover")] == [playlist]
    assert "The picture is being prepared" in bob.get(f"/playlists/{playlist}/edit").text
    assert bob.post(f"{cover}/remove").status_code == 303


def test_a_deleted_playlist_comes_back_by_undo_for_its_owner(lists: Lists) -> None:
    playlist = lists.playlist(1, 2)
    alice, bob = lists.browser(lists.alice), lists.browser(lists.bob)
    assert bob.post(f"/playlists/{playlist}/delete").status_code == 403
    after = alice.post(f"/playlists/{playlist}/delete")
    assert bob.get(f"/playlists/{playlist}").status_code == 404
    page = alice.get(after.location).text
    assert f'action="/playlists/{playlist}/restore"' in page
    assert bob.post(f"/playlists/{playlist}/restore").status_code in {403, 404}
    later = alice.get("/playlists/").text  # another day
    assert "Deleted playlists" in later
    assert f'action="/playlists/{playlist}/restore"' in later
    assert "Deleted playlists" not in bob.get("/playlists/").text
    assert alice.post(f"/playlists/{playlist}/restore").status_code == 303
    assert bob.get(f"/playlists/{playlist}").status_code == 200


def test_a_copy_is_private_and_ones_own(lists: Lists) -> None:
    public = lists.playlist(3, 1, 2, visibility="public")
    made = lists.browser(lists.charlie).post(f"/playlists/{public}/duplicate")
    copy = int(re.findall(r"/playlists/(\d+)", made.location)[0])
    with lists.app.app_context():
        assert lists.titles(copy) == "312"
        assert queries.role_of(lists.charlie, copy) == "owner"
    assert lists.browser(lists.alice).get(f"/playlists/{copy}").status_code == 404


@pytest.mark.parametrize("suffix", ["m3u8", "jspf"])
def test_what_is_exported_can_be_imported_again(lists: Lists, suffix: str) -> None:
    playlist = lists.playlist(3, 1, 2, name='Öde "1"/2')
    alice = lists.browser(lists.alice)
    file = alice.get(f"/playlists/{playlist}/export.{suffix}")
    assert file.status_code == 200
    assert suffix in file.headers["Content-Disposition"]
    assert "Track 3" in file.text
    made = alice.post("/playlists/import", data={"file": (io.BytesIO(file.data), f"list.{suffix}")})
    assert made.status_code == 200
    assert "3 tracks were found" in made.text
    copy = int(re.findall(r'href="/playlists/(\d+)">Open', made.text)[0])
    with lists.app.app_context():
        assert lists.titles(copy) == "312"
    assert alice.get(f"/playlists/{playlist}/export.exe").status_code == 404


def test_a_file_that_is_none_keeps_the_page_and_says_why(lists: Lists) -> None:
    alice = lists.browser(lists.alice)
    for content, words in (
        (None, "Choose a playlist file first"),
        (b"", "There is no track in this file"),
        (b"x" * (5 * 1024**2 + 100_000), "larger than 5 MB"),
    ):
        # Encoded here: what the test client encodes itself lies in a temporary file that it leaves open.
        fields = {"file": FileStorage(io.BytesIO(content), "x.m3u")} if content is not None else {}
        boundary, body = encode_multipart(fields)
        kind = f"multipart/form-data; boundary={boundary}"
        answer = alice.post("/playlists/import", data=body, content_type=kind)
        assert answer.status_code == 422
        assert words in answer.text
    missed = alice.post("/playlists/import", data={"file": (io.BytesIO(b"#EXTM3U\nNobody - Nothing.mp3\n"), "x.m3u")})
    assert missed.status_code == 200
    assert "1 line was not found" in missed.text
    assert "Nothing was found" in missed.text
