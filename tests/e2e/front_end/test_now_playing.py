"""The opened player, on a desk and on a phone."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.front_end.hearing import AUDIO, play_album, wait_until_heard
from tests.e2e.front_end.small_site import SmallSite

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]


def test_now_playing_shows_the_track_and_its_queue_and_steers_both(page: Page, player: Locator) -> None:
    play_album(page)
    wait_until_heard(page)
    page.evaluate(f"window.firstElement = {AUDIO}")
    page.keyboard.press("f")
    expect(player.get_by_role("button", name="Close the player")).to_have_attribute("aria-expanded", "true")
    expect(player.get_by_role("link", name="Words about 11")).to_be_visible()
    for name in ("Like", "Add to playlist", "Pause", "Next", "Previous"):
        expect(player.get_by_role("button", name=name, exact=True)).to_be_visible()
    for name in ("Seek", "Volume"):
        expect(player.get_by_role("slider", name=name)).to_be_visible()
    box = player.locator("#player-cover").bounding_box()
    assert box is not None
    assert box["width"] == pytest.approx(box["height"], abs=0.1)
    assert box["width"] > 250
    assert player.evaluate("element => getComputedStyle(element).getPropertyValue('--cover-color')") == "#2f6f8f"
    assert page.locator(".shell").evaluate("element => element.inert")
    rows = player.locator(".queue-row")
    expect(rows).to_have_count(5)
    rows.nth(1).get_by_role("button", name="Move down").press("Enter")
    expect(player.locator(".queue-title")).to_have_text(["Shells", "Moon", "Kelp", "Tide", "Sand"])
    rows.nth(3).get_by_role("button", name="Remove").press("Enter")
    expect(rows).to_have_count(4)
    page.keyboard.press("n")
    expect(player.locator("#player-title")).to_have_text("Moon")
    expect(player.get_by_role("link", name="Words about 13")).to_be_visible()
    assert player.locator("#player-cover").bounding_box() == box  # nothing has moved
    page.keyboard.press("Escape")
    expect(player.get_by_role("button", name="Open the player")).to_be_focused()
    assert not page.locator(".shell").evaluate("element => element.inert")
    page.keyboard.press("f")
    player.get_by_role("link", name="Words about 13").click()
    expect(page).to_have_title("Home")
    expect(player.get_by_role("button", name="Open the player")).to_have_attribute("aria-expanded", "false")
    assert page.evaluate(f"window.firstElement === {AUDIO} && !{AUDIO}.paused")


def test_phone_opens_the_player_from_its_bar_and_closes_it_by_a_swipe(browser: Browser, site: SmallSite) -> None:
    context = browser.new_context(
        base_url=site.url, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    play_album(page)
    wait_until_heard(page)
    player = page.get_by_role("region", name="Player")
    expect(player.get_by_role("slider", name="Seek")).to_be_hidden()
    player.locator("#player-title").tap()  # a link in the opened player; here it opens it
    expect(player.get_by_role("slider", name="Seek")).to_be_visible()
    expect(player.get_by_role("button", name="Close the player")).to_be_visible()
    assert page.url.endswith("/albums/1")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    player.get_by_role("button", name="Play queue").tap()
    expect(player.get_by_role("button", name="Clear")).to_be_in_viewport()
    player.evaluate("element => { element.scrollTop = 0; }")
    swipe = """(element, [from, to]) => {
      const touch = (y) => new Touch({ identifier: 1, target: element, clientX: 150, clientY: y });
      const say = (name, more) => element.dispatchEvent(new TouchEvent(name, { bubbles: true, ...more }));
      say("touchstart", { touches: [touch(from)], changedTouches: [touch(from)] });
      say("touchend", { touches: [], changedTouches: [touch(to)] });
    }"""
    cover = player.locator("#player-cover")
    cover.evaluate(swipe, [200, 240])  # too short to mean it
    expect(player.get_by_role("slider", name="Seek")).to_be_visible()
    cover.evaluate(swipe, [200, 400])
    expect(player.get_by_role("slider", name="Seek")).to_be_hidden()
    expect(player.get_by_role("button", name="Open the player")).to_be_visible()
    assert not page.evaluate(f"{AUDIO}.paused")
    context.close()


def test_music_goes_on_through_twenty_navigations(page: Page, player: Locator) -> None:
    play_album(page)
    wait_until_heard(page)
    page.evaluate(f"""() => {{
      window.firstElement = {AUDIO};
      window.broken = [];
      for (const name of ["pause", "emptied", "waiting"]) {AUDIO}.addEventListener(name, () => broken.push(name));
    }}""")
    before_s = page.evaluate(f"{AUDIO}.currentTime")
    for step in range(10):
        page.get_by_role("link", name="Home", exact=True).click()
        expect(page.get_by_role("heading", name="New albums")).to_be_visible()
        if step % 3 == 2:
            page.go_back()
            expect(page.get_by_role("heading", name="Low Tide")).to_be_visible()
            page.go_forward()
            expect(page.get_by_role("heading", name="New albums")).to_be_visible()
        page.get_by_role("main").get_by_role("link", name="Low Tide", exact=True).click()
        expect(page.get_by_role("heading", name="Low Tide")).to_be_visible()
    assert page.evaluate(f"window.firstElement === {AUDIO} && document.querySelectorAll('audio').length") == 1
    assert page.evaluate("broken") == []
    expect(player.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    assert page.evaluate(f"{AUDIO}.currentTime") > before_s
