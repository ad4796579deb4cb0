"""One person in two browsers: what is liked in one stands in the other; the menu by keyboard; the history."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import acts
from tests.servers import Site

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.usefixtures("print_output")]

REPORT = """async ([track, source]) => {
  const start = Date.now() - 60_000;
  const event = (kind, position_s) => ({
    event_id: crypto.randomUUID(), track_id: track, kind, source,
    position_ms: position_s * 1000, at: new Date(start + position_s * 1000).toISOString(),
  });
  const events = [event("play", 0), event("progress", 15), event("progress", 30), event("complete", 40)];
  const headers = { "Content-Type": "application/json" };
  const answer = await fetch("/plays", { method: "POST", headers, body: JSON.stringify(events) });
  return (await answer.json()).counted;
}"""


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("main").locator("[data-track]").filter(has_text=title)


def like(scope: Locator) -> Locator:
    return scope.get_by_role("button", name="Like", exact=True)


def expect_like(button: Locator, is_on: bool) -> None:
    expect(button).to_have_attribute("aria-pressed", "true" if is_on else "false")


def log_in(page: Page, name: str) -> None:
    page.goto("/login")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill(acts.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def test_a_library_is_the_same_in_two_browsers_and_knows_what_was_heard(
    shared_site: Site, open_browser: Callable[..., Page], songs: list[Path]
) -> None:
    here, there, stranger = open_browser(shared_site), open_browser(shared_site), open_browser(shared_site)
    acts.register(here, "alice", artist_name="Alice Ray")
    acts.create_album(here, "Low Tide")
    acts.upload(here, songs[:2])
    for title in ("Shells", "Kelp"):
        acts.expect_ready(here, title)
    acts.publish(here)
    found = re.search(r"/albums/\d+", here.url)
    assert found
    album = found[0]
    log_in(there, "alice")

    # Likes: the other browser's library was open all the time and is not loaded again.
    there.goto("/library")
    expect(there.get_by_role("heading", name="Tracks you like live here")).to_be_visible()
    here.goto(album)
    row(here, "Kelp").hover()
    like(row(here, "Kelp")).click()
    expect_like(like(row(here, "Kelp")), True)
    expect(row(there, "Kelp")).to_be_visible()
    there.goto(album)
    expect_like(like(row(there, "Kelp")), True)
    here.evaluate("document.activeElement.blur()")
    row(here, "Shells").hover()
    here.keyboard.press("l")
    expect_like(like(row(here, "Shells")), True)
    expect_like(like(row(there, "Shells")), True)
    here.keyboard.press("l")
    expect_like(like(row(there, "Shells")), False)
    here.get_by_role("button", name="Undo").click()
    expect_like(like(row(there, "Shells")), True)
    like(here.locator(".album-head")).click()
    expect_like(like(there.locator(".album-head")), True)
    here.reload()
    expect_like(like(here.locator(".album-head")), True)

    # The menu by keyboard.
    more = row(here, "Kelp").get_by_role("button", name="More")
    more.focus()
    here.keyboard.press("Space")
    menu = here.get_by_role("dialog", name="Kelp")
    expect(menu.get_by_role("button", name="Play next")).to_be_focused()
    here.keyboard.press("ArrowUp")
    expect(menu.locator(":focus")).to_contain_text("Report")
    here.keyboard.press("ArrowDown")
    expect(menu.get_by_role("button", name="Play next")).to_be_focused()
    here.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    expect(more).to_be_focused()
    here.keyboard.press("Enter")
    menu.get_by_role("link", name="Go to the artist").focus()
    here.keyboard.press("Enter")
    expect(here.get_by_role("heading", name="Alice Ray")).to_be_visible()
    expect(menu).to_have_count(0)
    here.get_by_role("button", name="Follow").click()
    here.goto("/library?kind=artists")
    expect(here.get_by_role("main").get_by_role("link", name="Alice Ray")).to_be_visible()

    # What the player reports says where it was started from, and so does the history.
    here.goto("/library?sort=title")
    expect(row(here, "Kelp")).to_be_visible()
    with here.expect_request("**/plays") as sent:
        here.get_by_role("main").get_by_role("button", name="Play", exact=True).click()
        acts.expect_playing(here)
    [event] = json.loads(sent.value.post_data or "")
    assert event["source"] == "library-likes"
    here.get_by_role("button", name="Pause", exact=True).first.click()
    there.goto("/library/history")
    expect(there.get_by_role("heading", name="Nothing heard yet")).to_be_visible()
    assert here.evaluate(REPORT, [event["track_id"], event["source"]]) == 1
    expect(row(there, "Kelp")).to_contain_text("from your library")
    expect(there.get_by_role("heading", name="Today")).to_be_visible()
    row(there, "Kelp").get_by_role("button", name="Delete from history").click()
    expect(row(there, "Kelp")).to_have_count(0)
    there.get_by_role("button", name="Undo").click()
    expect(row(there, "Kelp")).to_be_visible()

    # Filtering does not lose the field.
    here.get_by_role("searchbox", name="Filter the library").fill("shel")
    expect(row(here, "Kelp")).to_have_count(0)
    expect(row(here, "Shells")).to_be_visible()
    expect(here.get_by_role("searchbox", name="Filter the library")).to_be_focused()
    expect(here).to_have_url(re.compile(r"q=shel"))

    # Strangers are asked to log in, and come back.
    stranger.goto(album)
    row(stranger, "Kelp").hover()
    like(row(stranger, "Kelp")).click()
    expect(stranger).to_have_url(re.compile(r"/login\?next=" + album.replace("/", "%2F")))
