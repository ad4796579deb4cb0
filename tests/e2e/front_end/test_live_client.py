"""The live client: in place, in order, nothing lost, nothing doubled."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.front_end.hearing import play_album, wait_until_heard
from tests.e2e.front_end.small_site import SmallSite
from tests.servers import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]


def wait_until_listening(site: SmallSite, requests: int = 1) -> None:
    wait_for(lambda: len(site.ledger.live_requests) >= requests and site.ledger.listeners, 10, "a live stream")


def row_update(number: int, words: str) -> str:
    return (
        f'<hx-partial hx-target="#track-{number}" hx-swap="outerHTML"><li class="track-row" id="track-{number}" '
        f"data-track='{{}}'><span class='row-title'>{words}</span></li></hx-partial>"
    )


def test_update_changes_the_row_in_place(page: Page, site: SmallSite) -> None:
    page.goto("/albums/1")
    wait_until_listening(site)
    assert site.ledger.live_requests == [("album-1", "1000-0")]
    page.evaluate("window.row = document.getElementById('track-12')")
    site.ledger.say(row_update(12, "Kelp, ready"))
    expect(page.locator("#track-12")).to_have_text("Kelp, ready")
    assert page.evaluate("window.row === document.getElementById('track-12')")


def test_thing_that_arrives_twice_stands_there_once(page: Page, site: SmallSite) -> None:
    page.goto("/albums/1")
    wait_until_listening(site)
    for words in ("first", "second"):
        row = f'<li class="track-row" id="track-99">{words}</li>'
        site.ledger.say(f'<hx-partial hx-target="#tracks" hx-swap="beforeend">{row}</hx-partial>')
    expect(page.locator("#track-99")).to_have_text(["second"])


def test_dropped_stream_goes_on_from_the_last_update(page: Page, site: SmallSite) -> None:
    page.goto("/albums/1")
    wait_until_listening(site)
    site.ledger.say(row_update(12, "before"))
    expect(page.locator("#track-12")).to_have_text("before")
    site.ledger.drop()
    wait_for(lambda: not site.ledger.listeners, 10, "the end of the stream")
    site.ledger.say(row_update(13, "meanwhile"))
    expect(page.locator("#track-13")).to_have_text("meanwhile")
    assert site.ledger.live_requests[-1] == ("album-1", "1001-0")


def test_heartbeat_moves_the_place_to_go_on_from(page: Page, site: SmallSite) -> None:
    page.goto("/albums/1")
    wait_until_listening(site)
    site.ledger.say("cursor", event="cursor")
    site.ledger.say(row_update(12, "after the heartbeat"))
    site.ledger.frames.clear()
    expect(page.locator("#track-12")).to_have_text("after the heartbeat")
    site.ledger.say("cursor", event="cursor")
    site.ledger.drop()
    wait_until_listening(site, 2)
    assert site.ledger.live_requests[-1] == ("album-1", "1003-0")


def test_navigation_listens_to_the_new_page_from_its_own_cursor(page: Page, site: SmallSite) -> None:
    page.goto("/")
    wait_until_listening(site)
    page.get_by_role("link", name="Low Tide").click()
    wait_until_listening(site, 2)
    assert [topics for topics, _ in site.ledger.live_requests] == ["home", "album-1"]


def test_page_of_the_same_topics_keeps_its_stream(page: Page, site: SmallSite) -> None:
    page.goto("/")
    page.get_by_role("link", name="Low Tide").click()
    wait_until_listening(site, 2)
    page.evaluate("htmx.ajax('GET', '/albums/1?again=1', {target: '#main', select: '#main', swap: 'outerHTML'})")
    site.ledger.say(row_update(12, "still heard"))
    expect(page.locator("#track-12")).to_have_text("still heard")
    assert len(site.ledger.live_requests) == 2


def test_resync_fetches_the_page_again(page: Page, site: SmallSite) -> None:
    page.goto("/albums/1")
    wait_until_listening(site)
    page.evaluate("document.querySelector('#track-12 .row-title').textContent = 'stale'")
    site.ledger.say("", event="resync")
    expect(page.locator("#track-12 .row-title")).to_have_text("Kelp")


def test_poke_fetches_what_depends_on_the_viewer(page: Page, site: SmallSite) -> None:
    page.goto("/albums/1")
    wait_until_listening(site)
    site.ledger.say("1", event="album-1-changed")
    expect(page.locator("#poked")).to_have_text("poked")


def hide(page: Page, is_hidden: bool) -> None:
    page.evaluate(
        """hidden => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
        document.dispatchEvent(new Event('visibilitychange')); }""",
        is_hidden,
    )


def test_hidden_tab_closes_its_stream_and_catches_up(page: Page, site: SmallSite) -> None:
    page.goto("/albums/1")
    wait_until_listening(site)
    hide(page, True)
    wait_for(lambda: not site.ledger.is_heard(), 10, "the closed stream")
    site.ledger.say(row_update(12, "while hidden"))
    hide(page, False)
    expect(page.locator("#track-12")).to_have_text("while hidden")


def test_hidden_tab_that_plays_keeps_its_stream(page: Page, site: SmallSite) -> None:
    play_album(page)
    wait_until_heard(page)
    hide(page, True)
    site.ledger.say(row_update(12, "heard in the background"))
    expect(page.locator("#track-12")).to_have_text("heard in the background")
    assert len(site.ledger.live_requests) == 1
