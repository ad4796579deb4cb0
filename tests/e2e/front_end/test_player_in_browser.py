"""The player, with the mishaps that a healthy site doesn't show."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.front_end.hearing import AUDIO, play_album, wait_until_heard
from tests.e2e.front_end.small_site import SmallSite
from tests.servers import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]


def kinds(site: SmallSite) -> list[str]:
    return [event["kind"] for event in site.ledger.plays]


def send_plays(page: Page) -> None:
    """What a page does when it is left: the rest goes out by beacon."""
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")


def test_music_plays_on_in_the_same_element_across_navigation(page: Page, player: Locator) -> None:
    play_album(page)
    wait_until_heard(page)
    page.evaluate(f"window.firstElement = {AUDIO}")
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_role("heading", name="New albums")).to_be_visible()
    expect(page).to_have_title("Home")
    page.go_back()
    expect(page.locator("#track-11")).to_have_attribute("aria-current", "true")
    page.go_forward()
    expect(page.get_by_role("heading", name="New albums")).to_be_visible()
    assert page.evaluate(f"window.firstElement === {AUDIO} && !{AUDIO}.paused")
    expect(player.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    assert page.locator("#main").count() == 1


def test_play_queue_and_position_survive_a_reload(page: Page, player: Locator) -> None:
    play_album(page)
    player.get_by_role("button", name="Next").click()
    expect(player).to_contain_text("Kelp")
    wait_until_heard(page)
    player.get_by_role("slider", name="Seek").press("ArrowRight")
    page.wait_for_function(f"() => {AUDIO}.currentTime >= 5")
    player.get_by_role("button", name="Pause", exact=True).click()
    page.reload()
    expect(player).to_contain_text("Kelp")
    expect(player.locator("#player-position")).to_have_text("0:05")
    assert page.evaluate(f"{AUDIO}.paused")
    player.get_by_role("button", name="Play", exact=True).click()
    wait_until_heard(page, 5)


def test_keys_work_where_nobody_writes(page: Page, player: Locator) -> None:
    play_album(page)
    wait_until_heard(page)
    page.locator("h1").click()
    page.keyboard.press("n")
    expect(player).to_contain_text("Kelp")
    page.keyboard.press(" ")
    expect(player.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert page.evaluate(f"{AUDIO}.paused")
    page.keyboard.press("m")
    expect(player.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Studio").click()
    page.get_by_label("Title").press_sequentially("n m?")
    expect(player).to_contain_text("Kelp")
    expect(page.get_by_label("Title")).to_have_value("n m?")


def test_seek_slider_speaks_and_follows_keyboard_and_pointer(page: Page, player: Locator) -> None:
    play_album(page)
    wait_until_heard(page)
    player.get_by_role("button", name="Pause", exact=True).click()
    seek = player.get_by_role("slider", name="Seek")
    seek.press("End")
    seek.press("ArrowLeft")
    expect(seek).to_have_attribute("aria-valuetext", "0:07 of 0:12")
    box = seek.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 5, box["y"] + 20)
    expect(page.locator("#player-hover")).to_be_visible()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20, steps=4)
    page.mouse.up()
    expect(seek).to_have_attribute("aria-valuenow", "6")


def test_play_queue_is_reordered_without_a_mouse(page: Page, player: Locator) -> None:
    play_album(page)
    player.get_by_role("button", name="Play queue").click()
    titles = page.locator(".queue-title")
    expect(titles).to_have_text(["Shells", "Kelp", "Moon", "Tide", "Sand"])
    down = page.locator(".queue-row").nth(1).get_by_role("button", name="Move down")
    down.focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")  # the focus has moved along with the row
    expect(titles).to_have_text(["Shells", "Moon", "Tide", "Kelp", "Sand"])
    page.locator(".queue-row").nth(1).get_by_role("button", name="Remove").press("Enter")
    expect(titles).to_have_text(["Shells", "Tide", "Kelp", "Sand"])
    expect(page.locator(".queue-row[aria-current]")).to_contain_text("Shells")


def test_repeat_and_shuffle_keep_every_track(page: Page, player: Locator) -> None:
    play_album(page)
    player.get_by_role("button", name="Shuffle").click()
    player.get_by_role("button", name="Play queue").click()
    assert sorted(page.locator(".queue-title").all_text_contents()) == sorted(
        ["Shells", "Kelp", "Moon", "Tide", "Sand"]
    )
    expect(page.locator(".queue-title").first).to_have_text("Shells")
    player.get_by_role("button", name="Shuffle").click()
    expect(page.locator(".queue-title")).to_have_text(["Shells", "Kelp", "Moon", "Tide", "Sand"])
    player.get_by_role("button", name="Repeat").click()
    player.get_by_role("button", name="Previous").click()
    expect(player.locator("#player-title")).to_have_text("Sand")


def test_track_that_is_gone_is_named_and_the_next_one_plays(page: Page, player: Locator) -> None:
    play_album(page, "/albums/4")
    expect(page.get_by_role("status")).to_contain_text("“Shells” could not be played. On to the next one.")
    expect(player.locator("#player-title")).to_have_text("Kelp")
    wait_until_heard(page)


def test_lost_connection_is_waited_for(page: Page, player: Locator) -> None:
    play_album(page)
    wait_until_heard(page)
    page.context.set_offline(True)
    player.get_by_role("button", name="Next").click()
    expect(page.get_by_role("status")).to_contain_text("No connection")
    page.context.set_offline(False)
    expect(player.locator("#player-title")).to_have_text("Kelp")
    wait_until_heard(page)


def test_chosen_quality_is_asked_for_at_the_same_position(page: Page, player: Locator, site: SmallSite) -> None:
    play_album(page)
    wait_until_heard(page)
    player.get_by_role("slider", name="Seek").press("ArrowRight")
    player.get_by_role("button", name="Sound settings").click()
    page.get_by_label("Quality").select_option("low")
    page.wait_for_function(f"() => !{AUDIO}.paused && {AUDIO}.currentTime > 5.2")
    assert site.ledger.streams[-1] == (11, "low")


@pytest.mark.parametrize(
    ("gain_db", "true_peak_dbtp", "factor"),
    [(-6.0, -1.0, 0.501), (6.0, -2.0, 1.259), (3.0, None, 1.0), (None, -1.0, 1.0)],
)
def test_gain_is_limited_by_the_true_peak(
    page: Page, gain_db: float | None, true_peak_dbtp: float | None, factor: float
) -> None:
    page.goto("/")
    measured = page.evaluate(
        "async (track) => (await import('/static/js/player/sound.js')).gainFactor(track)",
        {"gain_db": gain_db, "true_peak_dbtp": true_peak_dbtp},
    )
    assert measured == pytest.approx(factor, abs=0.001)


def test_hearings_are_kept_until_the_server_has_them(page: Page, player: Locator, site: SmallSite) -> None:
    site.ledger.play_failures = 1
    play_album(page)
    wait_until_heard(page)
    player.get_by_role("slider", name="Seek").press("End")
    expect(player.locator("#player-title")).to_have_text("Kelp")
    wait_until_heard(page)
    player.get_by_role("button", name="Pause", exact=True).click()
    send_plays(page)
    wait_for(lambda: site.ledger.play_failures == 0, 10, "the refused report")
    assert site.ledger.plays == []
    page.reload()  # another visit finds what the first one could not deliver
    wait_for(lambda: len(site.ledger.plays) >= 5, 10, "the report")
    assert kinds(site)[:5] == ["play", "seek", "complete", "play", "pause"]
    first = site.ledger.plays[0]
    assert set(first) == {"event_id", "track_id", "kind", "position_ms", "at", "source"}
    assert first["track_id"] == 11
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first["at"])
    assert len({event["event_id"] for event in site.ledger.plays[:5]}) == 5


def test_row_is_played_by_the_space_bar_and_shows_that_it_plays(page: Page) -> None:
    page.goto("/albums/1")
    control = page.locator("#track-13 [data-play]")
    control.focus()
    page.keyboard.press(" ")
    wait_until_heard(page)
    expect(page.locator("#track-13")).to_have_attribute("aria-current", "true")
    expect(control).to_have_accessible_name("Pause")
    page.keyboard.press(" ")
    expect(control).to_have_accessible_name("Play Moon")


KEEP_MEDIA_KEYS = """
window.mediaKeys = {};
const set = navigator.mediaSession.setActionHandler.bind(navigator.mediaSession);
navigator.mediaSession.setActionHandler = (name, run) => { window.mediaKeys[name] = run; set(name, run); };
"""


def test_lock_screen_shows_and_steers_what_plays(page: Page, player: Locator) -> None:
    page.add_init_script(KEEP_MEDIA_KEYS)  # the lock screen itself is out of a test's reach
    play_album(page)
    wait_until_heard(page)
    title = page.evaluate("navigator.mediaSession.metadata.title")
    expect(player).to_contain_text(title)
    assert page.evaluate("navigator.mediaSession.playbackState") == "playing"
    page.evaluate("mediaKeys.nexttrack()")
    page.wait_for_function("() => navigator.mediaSession.metadata.title === 'Kelp'")
    expect(player).to_contain_text("Kelp")
    page.evaluate("mediaKeys.pause()")
    expect(player.get_by_role("button", name="Play", exact=True)).to_be_visible()
    assert page.evaluate("navigator.mediaSession.playbackState") == "paused"
    page.evaluate("mediaKeys.seekto({ seekTime: 3 })")
    expect(player.locator("#player-position")).to_have_text("0:03")


def test_volume_is_heard_and_kept(page: Page, player: Locator) -> None:
    play_album(page)
    volume = player.get_by_role("slider", name="Volume")
    volume.fill("50")
    assert page.evaluate(f"{AUDIO}.volume") == pytest.approx(0.25)  # half of the loudness heard
    expect(volume).to_have_attribute("aria-valuetext", "50 %")
    page.reload()
    expect(volume).to_have_value("50")
    assert page.evaluate(f"{AUDIO}.volume") == pytest.approx(0.25)
