"""Somebody says that something should not be here, and an admin decides."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from musicapp import create_app
from musicapp.accounts.models import User
from musicapp.catalog import services as catalog
from musicapp.catalog.models import Album
from musicapp.core.db import db
from musicapp.jobs.runner import run_next
from musicapp.notifications.models import Notice
from musicapp.notifications.notices.words import words_of
from musicapp.ops.models import Report
from musicapp.ops.queries import reports as queries
from musicapp.playlists import services as playlists
from musicapp.playlists.models import Playlist
from tests.notifications.world import read_mails
from tests.ops.conftest import Desk
from tests.people import sign_in

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def send(client: FlaskClient, subject: str, **more: str) -> int:
    return client.post("/report", data={"subject": subject, "reason": "spam", "words": "", **more}).status_code


@pytest.fixture
def playlist(desk: Desk) -> int:
    with desk.app.app_context():
        made = playlists.create_playlist(desk.alice, "Loud", visibility="public")
        db.session.commit()
        return made.id


def test_report_waits_once_however_often_it_is_sent_and_again_after_the_decision(desk: Desk) -> None:
    bob = desk.browser(desk.bob)
    subject = f"album-{desk.album}"
    assert [send(bob, subject) for _ in range(2)] == [303, 303]
    assert send(desk.browser(desk.alice), subject) == 303
    with desk.app.app_context():
        first, second = queries.reports().rows
        assert (first.reporter, second.reporter) == ("bob", "alice")
        assert first.subject == queries.Subject("album", desk.album, "Winter", f"/albums/{desk.album}")
        assert [person.username for person in queries.people_behind(first.subject)] == ["alice"]
    desk.admin.post(f"/admin/reports/{first.id}", data={"deed": "dismiss", "words": "It is fine."})
    assert send(bob, subject) == 303
    with desk.app.app_context():
        assert queries.report_counts() == {"open": 2, "dismissed": 1, "acted": 0}
        dismissed = queries.reports("dismissed").rows[0]
        assert (dismissed.decided_by, dismissed.decision_words) == ("admin", "It is fine.")


def test_reports_are_paged_the_oldest_open_one_first(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PER_PAGE", 1)
    bob = desk.browser(desk.bob)
    for subject in (f"album-{desk.album}", f"track-{desk.track}", f"artist-{desk.artist}", f"user-{desk.alice}"):
        assert send(bob, subject) == 303
    with desk.app.app_context():
        seen, after = [], None
        for _ in range(4):
            found = queries.reports("open", after)
            seen += [(row.subject_kind, row.subject.words if row.subject else "") for row in found.rows]
            after = found.next_after
        assert seen == [("album", "Winter"), ("track", "One"), ("artist", "The Auroras"), ("user", "alice")]
        assert after is None
        about = queries.reports_about([("album", desk.album)], tracks_of_album_id=desk.album, limit=5)
        assert [row.subject_kind for row in about] == ["track", "album"]


@pytest.mark.parametrize("kind", ["album", "track", "artist", "playlist"])
@sqlite_only
def test_acting_on_a_report_takes_the_thing_down_and_tells_the_reporter(desk: Desk, playlist: int, kind: str) -> None:
    ids = {"album": desk.album, "track": desk.track, "artist": desk.artist, "playlist": playlist}
    send(desk.browser(desk.bob), f"{kind}-{ids[kind]}", words="Look at the cover.")
    page = desk.admin.get("/admin/reports/1").text
    assert "Look at the cover." in page
    assert desk.admin.post("/admin/reports/1", data={"deed": "take_down", "words": ""}).status_code == 422
    assert desk.admin.post("/admin/reports/1", data={"deed": "take_down", "words": "Not theirs."}).status_code == 303
    if kind == "playlist":
        assert desk.get(Playlist, playlist).visibility == "private"
    else:
        assert desk.get(Album, desk.album).taken_down_reason == "Not theirs."
    assert desk.acts()[0][0] == "report.act"
    with desk.app.app_context():
        while run_next("tell") is not None:
            pass
        notices = {notice.user_id: notice for notice in db.session.scalars(select(Notice).order_by(Notice.id))}
        said = words_of(notices.values())
        told = said[notices[desk.bob].id]
        assert "we acted on your report" in told.line
        if kind != "playlist":
            assert "Not theirs." in said[notices[desk.alice].id].line
        mails = {(mail["To"], str(mail["Subject"])) for mail in read_mails(desk.app)}
    names = {"album": "Winter", "track": "One", "artist": "The Auroras", "playlist": "Loud"}
    assert ("bob@example.org", f"Your report about “{names[kind]}”") in mails
    if kind != "playlist":
        assert ("alice@example.org", "“Winter” was taken down") in mails


@sqlite_only
def test_person_who_is_reported_can_be_suspended_and_a_second_decision_is_refused(desk: Desk) -> None:
    send(desk.browser(desk.bob), f"user-{desk.alice}")
    for status in (303, 422):
        response = desk.admin.post("/admin/reports/1", data={"deed": "suspend", "words": "Enough."})
        assert response.status_code == status
    assert "Another admin has decided this report." in response.text
    assert desk.get(User, desk.alice).suspended_reason == "Enough."
    assert desk.get(Report, 1).state == "acted"
    assert [act for act, _ in desk.acts()] == ["report.act", "user.suspend"]
    assert desk.admin.post("/admin/reports/1", data={"deed": "take_down", "words": "x"}).status_code == 400


@sqlite_only
def test_what_one_may_not_see_can_not_be_reported(desk: Desk, playlist: int) -> None:
    with desk.app.app_context():
        draft = catalog.create_album(artist_id=desk.artist, user_id=desk.alice, title="Draft")
        hidden = playlists.create_playlist(desk.alice, "Mine").id
        db.session.commit()
    bob = desk.browser(desk.bob)
    wrong = [f"album-{draft}", f"playlist-{hidden}", "user-999", "cat-1", "album", "album-", "album-99999999999", ""]
    for subject in wrong:
        assert bob.get("/report", query_string={"subject": subject}).status_code == 404, subject
        assert send(bob, subject) == 404, subject
    for subject in (f"album-{desk.album}", f"playlist-{playlist}", f"user-{desk.alice}"):
        assert bob.get("/report", query_string={"subject": subject}).status_code == 200, subject
    assert desk.app.test_client().get(f"/report?subject=album-{desk.album}").status_code == 303


@sqlite_only
def test_report_without_a_reason_comes_back_with_what_was_typed_and_leads_home(desk: Desk) -> None:
    bob = desk.browser(desk.bob)
    subject = f"album-{desk.album}"
    page = bob.post("/report", data={"subject": subject, "reason": "", "words": "I wrote this.", "back": "/albums/"})
    assert page.status_code == 422
    assert "Choose a reason." in page.text
    assert "I wrote this." in page.text
    other = bob.post("/report", data={"subject": subject, "reason": "other", "words": " "})
    assert "Write in a few words" in other.text
    for back, place in (("/albums/", "/albums/"), ("//evil.example", f"/albums/{desk.album}")):
        sent = bob.post("/report", data={"subject": subject, "reason": "spam", "words": "", "back": back})
        assert sent.location == place


@sqlite_only
def test_every_page_has_the_way_to_the_form_but_for_its_makers(desk: Desk, playlist: int) -> None:
    bob, alice = desk.browser(desk.bob), desk.browser(desk.alice)
    pages = {
        f"/albums/{desk.album}": f"album-{desk.album}",
        f"/artists/{desk.artist}": f"artist-{desk.artist}",
        f"/tracks/{desk.track}": f"track-{desk.track}",
        f"/tracks/{desk.track}/menu": f"track-{desk.track}",
        f"/playlists/{playlist}": f"playlist-{playlist}",
        "/people/alice": f"user-{desk.alice}",
    }
    for address, subject in pages.items():
        assert f'href="/report?subject={subject}"' in bob.get(address).text, address
        if not address.endswith("/menu"):
            assert "/report?subject" not in alice.get(address).text, address
            assert "/report?subject" not in desk.app.test_client().get(address).text, address


@sqlite_only
def test_reporting_is_counted_per_person(desk: Desk, environ: dict[str, str]) -> None:
    app = create_app({**environ, "RATE_LIMITS": "true", "REPORT_RATE_LIMIT": "1 per hour"}, TESTING=True)
    bob = sign_in(app, desk.bob)
    assert [send(bob, subject) for subject in (f"album-{desk.album}", f"track-{desk.track}")] == [303, 429]
    assert send(sign_in(app, desk.alice), f"album-{desk.album}") == 303
