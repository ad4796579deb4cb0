"""Playlists in browsers side by side: what one does the other sees; who was offline converges; long ones scroll."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Locator, Page, expect
from sqlalchemy import select

from musicapp import create_app
from musicapp.catalog import services as catalog
from musicapp.catalog.models import ArtistMember
from musicapp.core.db import db
from musicapp.playlists import queries, services
from musicapp.playlists.models import PlaylistMember
from tests.people import register, sign_in
from tests.playlists.conftest import add_tracks
from tests.servers import RedisServer, Site, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TITLES = ("Shells", "Kelp", "Moon", "Tide", "Sand", "Foam")
LONG = 10_000
MOST_ROWS = 60


@dataclass
class Shore:
    """A site without workers, the ids of who is there and what there is, and how to come in."""

    site: Site
    app: Flask
    alice: int
    bob: int
    album: int
    tracks: list[int]
    many: list[int]

    def playlist(self, name: str, track_ids: list[int], bobs_role: str = "editor") -> int:
        with self.app.app_context():
            made = services.create_playlist(self.alice, name, track_ids=track_ids).id
            db.session.add(PlaylistMember(playlist_id=made, user_id=self.bob, role=bobs_role))
            db.session.commit()
        return made

    def order(self, playlist_id: int) -> list[str]:
        """The titles as the server has them, up to the hundredth."""
        with self.app.app_context():
            return [row.track.title for row in queries.rows(playlist_id, self.alice) if row.track]

    def enter(self, page: Page, user_id: int) -> None:
        cookie = sign_in(self.app, user_id).get_cookie("session")
        assert cookie is not None
        page.context.add_cookies([{"name": "session", "value": cookie.value, "url": self.site.url}])


@pytest.fixture(autouse=True, scope="module")
def patience() -> Iterator[None]:
    """A busy machine takes its time; only failures wait so long."""
    expect.set_options(timeout=15_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def shore() -> Iterator[Shore]:
    folder = Path(tempfile.mkdtemp(prefix="ma-"))
    server = RedisServer(folder)
    server.start()
    site = Site(folder / "site", server)
    site.migrate()
    app = create_app(site.environ, TESTING=True)
    alice, bob = register(app, "alice", artist_name="The Auroras"), register(app, "bob")
    with app.app_context():
        artist = db.session.scalars(select(ArtistMember.artist_id).where(ArtistMember.user_id == alice)).one()
        album = catalog.create_album(artist_id=artist, user_id=alice, title="Low Tide")
        tracks = add_tracks(album, artist, TITLES)
        catalog.publish_album(album, alice)
        waves = catalog.create_album(artist_id=artist, user_id=alice, title="Waves")
        many = add_tracks(waves, artist, [f"Wave {number}" for number in range(1, LONG + 1)])
        catalog.publish_album(waves, alice)
        db.session.commit()
    site.start_web()
    yield Shore(site, app, alice, bob, album, tracks, many)
    site.stop()
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()
    app.extensions["live_publisher"].close()
    server.stop()
    print(site.output())
    shutil.rmtree(folder, ignore_errors=True)


Open = Callable[..., Page]


@pytest.fixture
def open_as(shore: Shore, open_browser: Callable[..., Page]) -> Open:
    """`open_as(user id, playlist id)`: a page that shows the playlist and hears of changes."""

    def open_page(user_id: int, playlist_id: int) -> Page:
        page = open_browser(shore.site)
        shore.enter(page, user_id)
        show(page, playlist_id)
        return page

    return open_page


def show(page: Page, playlist_id: int) -> None:
    with page.expect_response(lambda response: "/live?" in response.url and f"playlist-{playlist_id}" in response.url):
        page.goto(f"/playlists/{playlist_id}")
    expect(page.locator(".playlist.is-live")).to_be_visible()


def rows(page: Page) -> Locator:
    return page.get_by_role("list").filter(has=page.locator("[data-entry]")).get_by_role("listitem")


def row(page: Page, title: str) -> Locator:
    """By its accessible name, which begins with the title."""
    return page.get_by_role("listitem", name=re.compile(f"^{re.escape(title)}\\b"))


def titles(page: Page) -> list[str]:
    return page.locator("[data-entry] .row-title").all_inner_texts()


def expect_titles(page: Page, *wanted: str) -> None:
    expect(page.locator("[data-entry] .row-title")).to_have_text(list(wanted))


def test_what_one_editor_does_the_other_sees_with_the_name_of_who_did_it(shore: Shore, open_as: Open) -> None:
    playlist = shore.playlist("Evening", shore.tracks[:4])
    hers, his = open_as(shore.alice, playlist), open_as(shore.bob, playlist)
    expect(hers.locator(".people-now")).to_contain_text("bob")

    # by button: seen within a second, with who it was
    row(his, "Shells").get_by_role("button", name="Move down").click()
    expect(hers.locator(".row-tag")).to_have_text("bob", timeout=1000)
    expect_titles(hers, "Kelp", "Shells", "Moon", "Tide")
    expect(hers.locator(".row-tag")).to_have_count(0)
    expect(hers.get_by_role("status").filter(has_text="bob moved 1 track.")).to_be_visible()

    # by key: the row keeps the keyboard while it moves
    row(hers, "Tide").focus()
    hers.keyboard.press("Alt+ArrowUp")
    hers.keyboard.press("Alt+ArrowUp")
    expect(row(hers, "Tide")).to_be_focused()
    expect_titles(his, "Kelp", "Tide", "Shells", "Moon")
    assert wait_for(lambda: shore.order(playlist) == ["Kelp", "Tide", "Shells", "Moon"])

    # by drag, several at once
    row(hers, "Shells").locator(".row-added").click(position={"x": 2, "y": 2})
    row(hers, "Moon").locator(".row-added").click(position={"x": 2, "y": 2}, modifiers=["Shift"])
    expect(hers.get_by_role("toolbar", name="Selected tracks")).to_contain_text("2 selected")
    start, target = row(hers, "Moon").bounding_box(), row(hers, "Kelp").bounding_box()
    assert start is not None
    assert target is not None
    hers.mouse.move(start["x"] + 300, start["y"] + 20)
    hers.mouse.down()
    hers.mouse.move(start["x"] + 310, start["y"] - 20, steps=3)
    hers.mouse.move(target["x"] + 300, target["y"] + 5, steps=3)
    hers.mouse.up()
    expect_titles(his, "Shells", "Moon", "Kelp", "Tide")

    # removed by key, and taken back by the note's button
    hers.keyboard.press("Escape")
    row(hers, "Kelp").focus()
    hers.keyboard.press("Delete")
    expect_titles(his, "Shells", "Moon", "Tide")
    hers.get_by_role("button", name="Undo").click()
    expect_titles(his, "Shells", "Moon", "Kelp", "Tide")
    expect(his.locator(".playlist-top")).to_contain_text("4 tracks")

    # added from an album, by key and then by dragging onto the side bar
    hers.goto(f"/albums/{shore.album}")
    hers.locator("[data-track]").filter(has_text="Sand").hover()
    hers.keyboard.press("a")
    hers.get_by_role("dialog").get_by_role("button", name="Evening").click()
    expect(hers.locator("#toasts")).to_contain_text("Added 1 track to Evening.")
    expect(row(his, "Sand").locator(".row-tag")).to_have_text("alice")
    expect_titles(his, "Shells", "Moon", "Kelp", "Tide", "Sand")
    hers.locator("[data-track]").filter(has_text="Foam").locator(".row-title").hover()
    hers.mouse.down()
    hers.locator(f'[data-drop-playlist="{playlist}"]').hover()
    hers.locator(f'[data-drop-playlist="{playlist}"]').hover()
    hers.mouse.up()
    expect_titles(his, "Shells", "Moon", "Kelp", "Tide", "Sand", "Foam")

    # what is there already is asked about
    hers.locator("[data-track]").filter(has_text="Kelp").hover()
    hers.keyboard.press("a")
    hers.get_by_role("dialog").get_by_role("button", name="Evening").click()
    hers.get_by_role("dialog").get_by_role("button", name="Skip").click()
    expect(hers.locator("#toasts")).to_contain_text("Nothing was added to Evening.")
    assert len(titles(his)) == 6


def test_pages_that_were_offline_converge_with_what_others_did_meanwhile(shore: Shore, open_as: Open) -> None:
    playlist = shore.playlist("Night", shore.tracks)
    hers, his = open_as(shore.alice, playlist), open_as(shore.bob, playlist)
    his.context.set_offline(True)
    # he moves one row down and removes another; what he sees follows at once
    row(his, "Shells").get_by_role("button", name="Move down").click()
    row(his, "Foam").get_by_role("button", name="Remove").click()
    expect_titles(his, "Kelp", "Shells", "Moon", "Tide", "Sand")
    # she moves the same row up across, and removes the one that he put it behind
    row(hers, "Kelp").get_by_role("button", name="Remove").click()
    row(hers, "Sand").focus()
    hers.keyboard.press("Alt+ArrowUp")
    expect_titles(hers, "Shells", "Moon", "Sand", "Tide", "Foam")
    wait_for(lambda: shore.order(playlist) == ["Shells", "Moon", "Sand", "Tide", "Foam"])
    his.context.set_offline(False)
    expect_titles(his, "Shells", "Moon", "Sand", "Tide")
    expect_titles(hers, "Shells", "Moon", "Sand", "Tide")
    assert shore.order(playlist) == ["Shells", "Moon", "Sand", "Tide"]

    # both at once behind the same row: whichever came last stands nearer to it, everywhere
    stored = re.compile(r"/move$")
    with hers.expect_response(stored), his.expect_response(stored):
        row(hers, "Shells").get_by_role("button", name="Move down").click()
        row(his, "Tide").get_by_role("button", name="Move up").click()
    order = shore.order(playlist)
    assert order in (["Moon", "Shells", "Tide", "Sand"], ["Moon", "Tide", "Shells", "Sand"])
    expect_titles(hers, *order)
    expect_titles(his, *order)


def test_ten_thousand_tracks_open_at_once_and_scroll_with_few_rows_in_the_page(shore: Shore, open_as: Open) -> None:
    playlist = shore.playlist("Long", shore.many)
    hers, his = open_as(shore.alice, playlist), open_as(shore.bob, playlist)
    drawn = hers.locator("[data-entry]")
    expect(row(hers, "Wave 1")).to_be_visible()
    for place in (3000, LONG, 5000):
        hers.evaluate(
            "place => scrollTo(0, document.querySelector('.playlist-list').offsetTop + 56 * (place - 8))", place
        )
        expect(row(hers, f"Wave {place}")).to_be_visible()
        expect(row(hers, f"Wave {place}")).to_have_attribute("aria-posinset", str(place))
        expect(row(hers, f"Wave {place}")).to_have_attribute("aria-setsize", str(LONG))
        assert drawn.count() <= MOST_ROWS
    assert hers.evaluate("document.documentElement.scrollHeight") > 56 * LONG

    # somebody else's edit near the top moves the numbers here
    row(his, "Wave 2").get_by_role("button", name="Remove").click()
    expect(row(hers, "Wave 5000")).to_have_attribute("aria-posinset", "4999")
    expect(hers.locator(".playlist-top")).to_contain_text("9,999 tracks")
    # all rows are chosen, though few are drawn
    row(hers, "Wave 5000").focus()
    hers.keyboard.press("ControlOrMeta+a")
    expect(hers.get_by_role("toolbar", name="Selected tracks")).to_contain_text("9999 selected")
    hers.keyboard.press("Escape")
    # moved to the top from the middle, seen there by the other
    row(hers, "Wave 5001").get_by_role("checkbox").focus()
    hers.keyboard.press("x")
    hers.get_by_role("toolbar", name="Selected tracks").get_by_role("button", name="Move to top").click()
    expect(row(his, "Wave 5001")).to_have_attribute("aria-posinset", "1")
    # a view by a column shows the same window
    his.get_by_role("link", name="Length").click()
    expect(his.get_by_text("Shown by length.")).to_be_visible()
    his.get_by_role("link", name="Length").click()
    expect(row(his, f"Wave {LONG}")).to_have_attribute("aria-posinset", "1")
    assert his.locator("[data-entry]").count() <= 100


def test_who_may_no_longer_edit_or_see_is_told_at_once(shore: Shore, open_as: Open) -> None:
    playlist = shore.playlist("Ours", shore.tracks[:2])
    hers, his = open_as(shore.alice, playlist), open_as(shore.bob, playlist)
    assert row(his, "Kelp").get_by_role("button", name="Move up").count() == 1
    hers.get_by_role("button", name="Invite").click()
    hers.get_by_label("What bob may do").click()
    hers.get_by_role("button", name="Make them a viewer").click()
    expect(row(his, "Kelp").get_by_role("button", name="Move up")).to_have_count(0)
    expect(row(his, "Kelp")).to_be_visible()
    hers.get_by_label("What bob may do").click()
    hers.get_by_role("button", name="Remove from the playlist").click()
    expect(his.locator(".error-page")).to_be_visible()
    expect(row(his, "Kelp")).to_have_count(0)


def test_without_scripts_everything_is_a_form(shore: Shore, open_browser: Callable[..., Page]) -> None:
    page = open_browser(shore.site, java_script_enabled=False)
    shore.enter(page, shore.alice)
    page.goto("/playlists/")
    page.get_by_role("button", name="New playlist").click()
    expect(page.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    page.goto(f"/playlists/choose?album_id={shore.album}")
    page.get_by_role("button", name="New playlist 0 tracks").first.click()
    expect_titles(page, *TITLES)
    row(page, "Shells").get_by_role("button", name="Move down").click()
    row(page, "Foam").get_by_role("button", name="Move up").click()
    row(page, "Moon").get_by_role("button", name="Remove").click()
    expect_titles(page, "Kelp", "Shells", "Tide", "Foam", "Sand")
    page.locator(".toasts").get_by_role("button", name="Undo").click()
    expect_titles(page, "Kelp", "Shells", "Moon", "Tide", "Foam", "Sand")
    page.get_by_role("link", name="Title").click()
    expect_titles(page, "Foam", "Kelp", "Moon", "Sand", "Shells", "Tide")
    page.get_by_role("button", name="Keep this order").click()
    expect(page.get_by_text("This order is kept.")).to_be_visible()
    expect_titles(page, "Foam", "Kelp", "Moon", "Sand", "Shells", "Tide")
    page.get_by_label("More about this playlist").click()
    page.get_by_role("link", name="Edit details").click()
    page.get_by_label("Name").fill("By hand")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("heading", name="By hand")).to_be_visible()
