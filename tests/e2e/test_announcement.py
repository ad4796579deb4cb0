"""An artist writes to the followers; pictures that are drawn in the background. Open windows follow both."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy import select, update

from musicapp import create_app
from musicapp.accounts.models import User
from musicapp.catalog.models import Album, Artist
from musicapp.core.db import db, utc_now
from musicapp.library.models import ArtistFollow
from musicapp.playlists import services as playlists
from tests.e2e import acts
from tests.notifications.world import add_user
from tests.servers import MailSink, Site, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180)]

READERS = 12
HELD = 5
WORDS = "We come to you in spring.\n\nTickets: https://example.org/tour"


@pytest.fixture
def app(shared_site: Site) -> Flask:
    """What the site has in its database."""
    return create_app(shared_site.environ)


def add_followers(app: Flask) -> list[str]:
    """People who follow the one artist there is; their addresses."""
    names = [f"reader{number}" for number in range(READERS)]
    with app.app_context():
        artist_id = db.session.scalars(select(Artist.id)).one()
        users = [add_user(name, email=f"{name}@example.org") for name in names]
        db.session.add_all(ArtistFollow(user_id=user.id, artist_id=artist_id) for user in users)
        db.session.commit()
        db.engine.dispose()
    return [f"{name}@example.org" for name in names]


def hold_one(sink: MailSink) -> None:
    """The server takes its time, so that each mail shows on open pages, and never answers mail number HELD."""
    begun = 0
    keep = MailSink.handle_DATA

    async def hold(server: Any, session: Any, envelope: Any) -> str:
        nonlocal begun
        begun += 1
        # At most four times a second a page is told how far it is; the held one lasts longer than its worker.
        await asyncio.sleep(120 if begun == HELD else 0.3 if begun < HELD else 0)
        return await keep(sink, server, session, envelope)

    sink.handle_DATA = hold  # type: ignore[method-assign,assignment]


@pytest.mark.usefixtures("print_output")
def test_an_announcement_is_previewed_sent_and_followed_through_the_end_of_a_worker(
    shared_site: Site, module_sink: MailSink, open_browser: Callable[..., Page], app: Flask
) -> None:
    page = open_browser(shared_site)
    acts.register(page, "alice", artist_name="Low Tide")
    addresses = add_followers(app)
    wait_for(lambda: module_sink.messages, 30, "the mail that confirms alice's address")
    module_sink.messages.clear()

    page.goto("/studio/")
    page.get_by_role("link", name="Announcements").click()
    page.get_by_role("link", name="New announcement").click()
    page.get_by_label("Title").fill("On tour")
    page.get_by_label("Your words").fill(WORDS)
    page.get_by_role("button", name="Save and preview").click()
    expect(page.get_by_text(f"To {READERS} followers of Low Tide")).to_be_visible()
    expect(page.locator(".notice-row")).to_contain_text("Low Tide writes")
    expect(page.frame_locator(".mail-frame").get_by_text("We come to you in spring.", exact=True)).to_be_visible()
    # Later is one press away, and its fields show only then.
    expect(page.get_by_label("Day")).to_be_hidden()
    page.get_by_label("At a time I choose").check()
    page.get_by_label("Day").fill((utc_now() + timedelta(days=2)).strftime("%Y-%m-%d"))
    page.get_by_label("Time", exact=True).fill("18:30")
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.locator(".announcement-state")).to_contain_text("6:30 PM")

    hold_one(module_sink)
    page.get_by_label("Now", exact=True).check()
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_text(f"{HELD - 1} of {READERS}")).to_be_visible(timeout=30_000)
    job_page = page.context.new_page()
    with app.app_context():
        job_page.goto(f"/jobs/{db.session.execute(db.text('SELECT job_id FROM announcements')).scalar_one()}")
        db.engine.dispose()
    expect(job_page.get_by_role("heading", name="Announcement “On tour”")).to_be_visible()
    shared_site.kill("worker-default")
    shared_site.start_worker("default")
    for window, words in ((page, "Sent"), (job_page, "Done")):
        expect(window.get_by_text(words, exact=True)).to_be_visible(timeout=60_000)
    expect(job_page.get_by_text(f"{READERS} mails sent")).to_be_visible()
    for _ in range(2):
        expect(page.locator(".tally > div").filter(has_text="Mails sent")).to_contain_text(str(READERS))
        expect(page.get_by_role("button", name="Send", exact=True)).to_be_hidden()
        page.reload()
    assert Counter(str(mail["To"]) for mail in module_sink.messages) == Counter(addresses)
    assert len({mail["Message-ID"] for mail in module_sink.messages}) == READERS


@pytest.mark.usefixtures("print_output")
def test_a_picture_is_drawn_in_the_background_and_shows_in_another_window(
    shared_site: Site, open_browser: Callable[..., Page], app: Flask, tmp_path: Path
) -> None:
    picture = tmp_path / "shore.png"
    Image.new("RGB", (1400, 1400), "#2f6f8f").save(picture)
    not_one = tmp_path / "broken.png"
    not_one.write_bytes(picture.read_bytes()[:400])
    alice, stranger = open_browser(shared_site), open_browser(shared_site)
    acts.register(alice, "alice2", artist_name="High Water")
    acts.create_album(alice, "Shore")
    with app.app_context():
        artist_id = db.session.scalars(select(Artist.id).where(Artist.name == "High Water")).one()
        album_id = db.session.scalars(select(Album.id).where(Album.title == "Shore")).one()
        db.session.execute(update(Album).where(Album.id == album_id).values(published_at=utc_now()))
        owner_id = db.session.scalars(select(User.id).where(User.username == "alice2")).one()
        playlist_id = playlists.create_playlist(owner_id, "Sand", "", "public").id
        db.session.commit()
        db.engine.dispose()

    def shows_without_reload(path: str, choose: Callable[[], None]) -> None:
        """A stranger looks at the page while alice chooses the picture."""
        stranger.goto(path)
        shown = stranger.locator(f"main img[src*='{'avatars' if 'people' in path else 'artwork'}']").first
        expect(shown).to_have_count(0)
        stranger.evaluate("window.isStillHere = true")
        choose()
        expect(shown).to_be_visible(timeout=30_000)
        assert stranger.evaluate("window.isStillHere")

    def send(path: str, label: str, button: str) -> Callable[[], None]:
        def choose() -> None:
            alice.goto(path)
            alice.get_by_label(label, exact=True).set_input_files(picture)
            alice.get_by_role("button", name=button, exact=True).click()

        return choose

    shows_without_reload(f"/artists/{artist_id}", send(f"/studio/artists/{artist_id}", "Picture", "Save"))
    shows_without_reload(
        f"/playlists/{playlist_id}", send(f"/playlists/{playlist_id}/edit", "Picture", "Use this picture")
    )
    expect(alice.locator("#cover-card img[src*=artwork]")).to_be_visible(timeout=30_000)
    shows_without_reload("/people/alice2", send("/settings", "New picture", "Upload picture"))
    expect(alice.locator("#picture-card img[src*=avatars]")).to_be_visible(timeout=30_000)
    expect(alice.locator(".topbar img[src*=avatars]")).to_be_visible(timeout=30_000)
    shows_without_reload(f"/albums/{album_id}", send(f"/studio/albums/{album_id}", "Cover", "Save"))
    picture.write_bytes(not_one.read_bytes())
    send(f"/studio/artists/{artist_id}", "Picture", "Save")()
    alice.goto("/notifications")
    expect(alice.get_by_text("Your picture is ready.")).to_have_count(4, timeout=30_000)
    expect(alice.get_by_text("This picture could not be used.")).to_be_visible(timeout=30_000)
