"""The page of notices and the bell: words, order, what reading changes, what open pages are sent."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from musicapp.catalog.models import Album, ArtistMember
from musicapp.catalog.services import create_album
from musicapp.core.db import db, utc_now
from musicapp.live.frames import Partial
from musicapp.live.registry import declared
from musicapp.notifications import fragments
from musicapp.notifications.models import Announcement, Notice
from musicapp.notifications.notices import queries, services
from musicapp.playlists import services as playlists
from tests.people import register, sign_in

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
Add = Callable[..., int]


@pytest.fixture
def bob(app: Flask) -> int:
    return register(app, "bob")


@pytest.fixture
def add(app: Flask, bob: int) -> Add:
    """Adds a notice for bob; its id."""
    made = iter(range(10_000))

    def add_one(kind: str, subject_id: int, *, days_ago: float = 0, user_id: int = bob, **arguments: Any) -> int:
        with app.app_context():
            notice = Notice(
                user_id=user_id,
                kind=kind,
                subject_id=subject_id,
                arguments=arguments,
                reason=f"{kind}/{subject_id}/{next(made)}",
                created_at=utc_now() - timedelta(days=days_ago),
            )
            db.session.add(notice)
            db.session.flush()
            queries.UNREAD.drop(user_id)
            db.session.commit()
            return notice.id

    return add_one


def make_album(app: Flask, title: str = "Low Tide") -> int:
    alice = register(app, f"alice{len(title)}", artist_name="The Auroras")
    with app.app_context():
        artist_id = db.session.scalars(select(ArtistMember.artist_id).where(ArtistMember.user_id == alice)).one()
        album_id = create_album(artist_id=artist_id, title=title, user_id=alice)
        db.session.get_one(Album, album_id).published_at = utc_now()
        db.session.commit()
        return album_id


def parts_of(rendered: Any) -> list[Partial]:
    return list(rendered)


def bell_in(html: str) -> str:
    found = re.search(r'<a class="icon-button bell".*?</a>', html)
    assert found is not None
    return found[0]


def button_in(html: str) -> tuple[str, bool]:
    """Up to which notice the button marks all as read, and whether it is hidden."""
    found = re.search(
        r'<form id="notices-read-all"[^>]*?( hidden)?><input type="hidden" name="upto" value="(\d*)">', html
    )
    assert found is not None
    return found[2], found[1] is not None


def test_every_kind_says_what_happened_and_where(app: Flask, bob: int, add: Add) -> None:
    album_id = make_album(app, "Ebbe & <Flut>")
    with app.app_context():
        playlist = playlists.create_playlist(register(app, "carla"), name="Night drive", visibility="public")
        invitation = playlists.invite_user(playlist.id, playlist.owner_id, "bob", "editor")
        note = Announcement(title="On tour", words="Soon")
        db.session.add(note)
        db.session.flush()
        carla, playlist_id, invitation_id, token, note_id = (
            playlist.owner_id,
            playlist.id,
            invitation.id,
            invitation.token,
            note.id,
        )
        db.session.commit()
    expected = {
        add("new_release", album_id): ("New from The Auroras", f"/albums/{album_id}"),
        add("album_published", album_id): ("Your album is public now.", f"/albums/{album_id}"),
        add("upload_finished", album_id, ready=3): ("3 tracks are ready.", f"/studio/albums/{album_id}"),
        add("upload_failed", album_id, ready=1, failed=2): (
            "2 files could not be used. A track is ready.",
            f"/studio/albums/{album_id}",
        ),
        add("announcement", note_id): ("From the people who run this site", f"/announcements/{note_id}"),
        add("invited_to_playlist", invitation_id): (
            "carla invites you to a playlist",
            f"/playlists/invitations/{token}",
        ),
        add("playlist_changed", playlist_id, by_ids=[carla], added=2): (
            "carla added 2 tracks",
            f"/playlists/{playlist_id}",
        ),
        add("picture_ready", 1, words="Cover of Low Tide", url="/studio/albums/1"): (
            "Your picture is ready.",
            "/studio/albums/1",
        ),
        add("album_created", 9999): ("What this was about is no longer here.", ""),
    }
    with app.app_context(), app.test_request_context():
        rows = {row.id: row.words for day in queries.notices_page(bob, None, "UTC").days for row in day.notices}
    assert {id_: (words.line, words.url) for id_, words in rows.items()} == expected
    html = sign_in(app, bob).get("/notifications").text
    assert "Ebbe &amp; &lt;Flut&gt;" in html


@SQLITE
def test_opening_a_notice_marks_it_read_and_leads_there(app: Flask, bob: int, add: Add) -> None:
    album_id = make_album(app)
    first, second = add("new_release", album_id), add("new_release", album_id)
    browser = sign_in(app, bob)
    assert ">2</span>" in bell_in(browser.get("/settings").text)
    answer = browser.get(f"/notifications/{first}")
    assert (answer.status_code, answer.location) == (303, f"/albums/{album_id}")
    html = browser.get("/notifications").text
    assert ">1</span>" in bell_in(html)
    assert html.count("is-unread") == 1
    row = browser.post(f"/notifications/{second}/read", headers={"HX-Request": "true"}).text
    assert row.lstrip().startswith('<li class="notice-row" ')
    assert "bell-count" not in bell_in(browser.get("/").text)
    add("new_release", album_id)
    assert browser.post(f"/notifications/{second}/read").status_code == 303
    other = sign_in(app, register(app, "mallory"))
    assert other.get(f"/notifications/{first}").status_code == 404
    assert other.post(f"/notifications/{first}/read").status_code == 404
    assert "Nothing yet" in other.get("/notifications").text


@SQLITE
def test_all_are_marked_read_but_what_came_meanwhile(app: Flask, bob: int, add: Add) -> None:
    album_id = make_album(app)
    browser = sign_in(app, bob)
    assert button_in(browser.get("/notifications").text) == ("", True)
    seen = add("new_release", album_id)
    upto, is_hidden = button_in(browser.get("/notifications").text)
    assert (upto, is_hidden) == (str(seen), False)
    meanwhile = add("new_release", album_id)
    assert browser.post("/notifications/read", data={"upto": upto}).location == "/notifications"
    html = browser.get("/notifications").text
    assert ">1</span>" in bell_in(html)
    assert button_in(html) == (str(meanwhile), False)
    browser.post("/notifications/read")
    html = browser.get("/notifications").text
    assert "bell-count" not in bell_in(html)
    assert button_in(html) == ("", True)


@SQLITE
def test_list_is_by_day_in_the_readers_zone_and_page_by_page(
    app: Flask, bob: int, add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "PER_PAGE", 3)
    album_id = make_album(app)
    ids = [add("new_release", album_id, days_ago=days) for days in (9, 2, 1, 1)]
    browser = sign_in(app, bob)
    html = browser.get("/notifications").text
    assert re.findall(r'id="notice-(\d+)"', html) == [str(id_) for id_ in reversed(ids[1:])]
    assert 'id="notices-today"' in html, "what comes while the page is open has a place"
    assert html.index("Today") < html.index("Yesterday")
    older = browser.get(f"/notifications?before={ids[1]}").text
    assert re.findall(r'id="notice-(\d+)"', older) == [str(ids[0])]
    assert "notices-today" not in older
    assert browser.get("/notifications?before=no").status_code == 200


@SQLITE
def test_fragments_ring_the_bell_and_put_the_notice_on_top(app: Flask, bob: int, add: Add) -> None:
    notice_id = add("new_release", make_album(app))
    with app.app_context(), app.test_request_context():
        bell, button, drop, row = parts_of(fragments.render_new_notice(notice_id))
        assert (bell.target, button.target, drop.target, row.target) == (
            f"#notice_bell-{bob}",
            "#notices-read-all",
            f"#notice-{notice_id}",
            "#notices-today",
        )
        assert row.swap == "afterbegin"
        assert ">1</span>" in fragments.bell_html(bob)
        services.mark_all_read(bob)
        db.session.commit()
        assert "bell-count" not in fragments.bell_html(bob)
        assert fragments.render_new_notice(9999) is None


@SQLITE
def test_only_their_reader_hears_of_notices(app: Flask, bob: int) -> None:
    class Who:
        id = bob

    class Stranger:
        id = None

    with app.app_context():
        assert declared.may_hear(Who(), f"notices-{bob}")
        assert not declared.may_hear(Who(), f"notices-{bob + 1}")
        assert not declared.may_hear(Stranger(), "notices")
        assert not declared.may_hear(Stranger(), f"notices-{bob}")


@SQLITE
def test_strangers_see_no_bell_and_boosted_pages_count_nothing(app: Flask, bob: int, add: Add) -> None:
    add("new_release", make_album(app))
    assert "notice_bell" not in app.test_client().get("/").text
    boosted = sign_in(app, bob).get("/settings", headers={"HX-Request": "true", "HX-Boosted": "true"}).text
    assert 'id="notice_bell' not in boosted
    assert app.test_client().get("/notifications").location.startswith("/login")
