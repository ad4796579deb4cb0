"""Who chose a picture hears when it is drawn, or why it can't be used; whose pages are open see it."""

from __future__ import annotations

from io import BytesIO

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select

from musicapp.accounts.identity import STRANGER
from musicapp.catalog import services as catalog
from musicapp.catalog.models import Album
from musicapp.core.db import db
from musicapp.jobs.models import Job
from musicapp.jobs.runner import run_next
from musicapp.live import services as live
from musicapp.live.registry import declared
from musicapp.notifications.models import Notice
from musicapp.notifications.notices.words import words_of
from tests.notifications.conftest import Cast
from tests.people import register, sign_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def picture() -> BytesIO:
    sent = BytesIO()
    Image.new("RGB", (400, 400), "#2f6f8f").save(sent, "PNG")
    sent.seek(0)
    return sent


def told() -> list[tuple[str, str, str]]:
    """Line, title and address of each notice about pictures, after all that waits was done."""
    while run_next("tell"):
        pass
    notices = list(db.session.scalars(select(Notice).where(Notice.kind == "picture_ready").order_by(Notice.id)))
    words = words_of(notices)
    found = [(words[notice.id].line, words[notice.id].title, words[notice.id].url) for notice in notices]
    db.session.rollback()
    return found


def test_a_cover_that_was_chosen_is_told_of_and_one_found_in_a_file_is_not(cast: Cast) -> None:
    for is_found in (False, True):
        key = catalog.keep_picture(picture(), ".png")
        catalog.ask_for_album_cover(cast.album_id, key, owner_id=cast.user_id, only_if_none=is_found)
        db.session.commit()
        assert run_next("make_album_cover")
    title = db.session.get_one(Album, cast.album_id).title
    studio = f"/studio/albums/{cast.album_id}"
    assert told() == [("Your picture is ready.", f"The cover of “{title}”", studio)]


def test_a_picture_that_cant_be_used_is_told_of_in_words(cast: Cast) -> None:
    artist_id = db.session.get_one(Album, cast.album_id).artist_id
    key = catalog.keep_picture(BytesIO(picture().read()[:90]), ".png")
    catalog.ask_for_artist_picture(artist_id, key, owner_id=cast.user_id)
    db.session.commit()
    job_id = run_next("make_artist_picture")
    job = db.session.get_one(Job, job_id)
    assert job.state == "failed"
    assert job.error
    assert [line for line, _title, _url in told()] == ["This picture could not be used."]


def test_a_new_avatar_is_stored_at_once_and_drawn_later_on_every_open_page(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    user_id = register(app, "alice")
    alice = sign_in(app, user_id)
    answer = alice.post("/settings/avatar", data={"picture": (picture(), "me.png")})
    assert answer.status_code == 303
    assert "is being made" in alice.get("/settings").text
    assert "/avatars/" not in alice.get("/settings/person").text
    noted: list[str] = []
    with monkeypatch.context() as listening, app.app_context():
        listening.setattr(live, "note", lambda topic, kind, id_: noted.append(f"{topic} {kind} {id_}"))
        listening.setattr(live, "poke", lambda topic, name: noted.append(f"{topic} {name}"))
        assert run_next("resize_avatar")
    assert {f"person-{user_id} person {user_id}", f"library-{user_id} account-changed"} <= set(noted)
    for address in ("/settings", "/settings/person", "/people/alice"):
        assert "/avatars/" in alice.get(address).text, address
    with app.app_context():
        assert told() == [("Your picture is ready.", "The picture of an account", "/settings")]
    draw = declared.renderer(f"person-{user_id}", "person")
    assert draw is not None
    with app.test_request_context():
        assert f'id="person-{user_id}"' in str(draw(user_id))
        assert draw(4711) is None
        assert declared.may_hear(STRANGER, f"person-{user_id}")
    app.config["PUBLIC_LISTENING"] = False
    assert app.test_client().get(f"/live?topics=person-{user_id}").status_code == 403
