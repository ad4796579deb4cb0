"""Player, live client and uploads in a browser, with the mishaps that a healthy site doesn't show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.e2e.small_site import SmallSite
from tests.servers import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

AUDIO = "document.getElementById('player-audio')"


@pytest.fixture
def site() -> Iterator[SmallSite]:
    site = SmallSite()
    yield site
    site.stop()


@pytest.fixture
def page(browser: Browser, site: SmallSite) -> Iterator[Page]:
    """A fresh profile. A script error or a violated Content-Security-Policy fails the test."""
    context = browser.new_context(base_url=site.url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(10_000)
    page = context.new_page()
    wrong: list[str] = []
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda said: wrong.append(said.text) if "Content Security" in said.text else None)
    yield page
    context.close()
    assert wrong == []


@pytest.fixture
def player(page: Page) -> Locator:
    return page.get_by_role("region", name="Player")


def play_album(page: Page, address: str = "/albums/1") -> None:
    page.goto(address)
    page.get_by_role("main").get_by_role("button", name="Play", exact=True).click()


def wait_until_heard(page: Page, past_s: float = 0.2) -> None:
    page.wait_for_function(f"() => !{AUDIO}.paused && {AUDIO}.currentTime > {past_s}")


def kinds(site: SmallSite) -> list[str]:
    return [event["kind"] for event in site.ledger.plays]


def send_plays(page: Page) -> None:
    """What a page does when it is left: the rest goes out by beacon."""
    page.evaluate("dispatchEvent(new PageTransitionEvent('pagehide'))")


# ---- Player
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
    page.keyboard.press("m")
    expect(player.get_by_role("button", name="Mute")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("link", name="Studio").click()
    page.get_by_label("Title").press_sequentially("n m")
    expect(player).to_contain_text("Kelp")
    expect(page.get_by_label("Title")).to_have_value("n m")


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
    assert set(first) == {"event_id", "track_id", "kind", "position_ms", "at"}
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


# ---- Pages
def test_invalid_form_keeps_the_page_and_leads_to_the_field(page: Page) -> None:
    page.goto("/studio/")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Title")).to_be_focused()
    expect(page.get_by_label("Title")).to_have_accessible_description("Give it a title.")
    page.get_by_label("Title").fill("x")
    page.get_by_role("button", name="Save").click()
    expect(page).to_have_url(re.compile(r"/$"))


def test_refused_action_says_why_and_leaves_the_row(page: Page) -> None:
    page.goto("/albums/1")
    page.get_by_role("button", name="Refuse Kelp").click()
    expect(page.get_by_role("status")).to_contain_text("This track is being encoded. Wait for it.")
    expect(page.locator("#track-12")).to_contain_text("Kelp")


def nudge(page: Page, x: float, y: float) -> bool:
    """Moves the held row a little; true once it is the third."""
    page.mouse.move(x, y - 2)
    page.mouse.move(x, y)
    return bool(page.evaluate("[...document.querySelectorAll('#tracks > [data-track]')][2].id === 'track-11'"))


def test_dragged_row_posts_the_new_order(page: Page, site: SmallSite) -> None:
    page.goto("/albums/1")
    page.wait_for_function("() => window.Sortable?.get(document.getElementById('tracks'))")
    handle, other = (page.locator(f"#track-{number} [data-drag]").bounding_box() for number in (11, 13))
    assert handle is not None
    assert other is not None
    page.mouse.move(handle["x"] + 10, handle["y"] + 10)
    page.mouse.down()
    page.mouse.move(other["x"] + 10, other["y"] + other["height"] - 3, steps=12)
    # rows give way while they are dragged over, and a moving one isn't noticed
    wait_for(lambda: nudge(page, other["x"] + 10, other["y"] + other["height"] - 3), 10, "the row's new place")
    page.mouse.up()
    wait_for(lambda: site.ledger.orders, 10, "the order")
    assert site.ledger.orders == ["12,13,11,14,15"]


def test_look_switch_is_kept_in_a_cookie(page: Page) -> None:
    page.goto("/")
    page.get_by_role("button", name="Dark look").click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    expect(page.get_by_role("button", name="Light look")).to_be_visible()


# ---- Live
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
    site.ledger.say(row_update(12, "while hidden"))  # the server sees the closed stream at its next write
    wait_for(lambda: not site.ledger.listeners, 10, "the closed stream")
    hide(page, False)
    expect(page.locator("#track-12")).to_have_text("while hidden")


def test_hidden_tab_that_plays_keeps_its_stream(page: Page, site: SmallSite) -> None:
    play_album(page)
    wait_until_heard(page)
    hide(page, True)
    site.ledger.say(row_update(12, "heard in the background"))
    expect(page.locator("#track-12")).to_have_text("heard in the background")
    assert len(site.ledger.live_requests) == 1


# ---- Uploads
@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "01 Shells.flac"
    path.write_bytes(bytes(range(256)) * 8192)  # 2 MiB; the site keeps only sizes
    return path


def choose(page: Page, *files: Path) -> None:
    page.get_by_label("Audio files").set_input_files(list(files))


def upload_of(site: SmallSite) -> dict[str, Any]:
    [upload] = site.ledger.uploads.values()
    return upload


def test_files_go_up_and_show_in_the_list(page: Page, site: SmallSite, song: Path) -> None:
    page.goto("/studio/")
    expect(page.get_by_role("button", name="Upload")).to_be_hidden()
    choose(page, song)
    expect(page.locator("#uploads")).to_contain_text("01 Shells.flac")
    assert upload_of(site)["album_id"] == "5"
    expect(page.locator(".upload-row")).to_have_count(0)


def test_refused_file_shows_the_servers_reason(page: Page, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("hello")
    page.goto("/studio/")
    choose(page, notes)
    row = page.locator(".upload-row")
    expect(row).to_contain_text("notes.txt is not audio.")
    row.get_by_role("button", name="Cancel: notes.txt").click()
    expect(row).to_have_count(0)


def test_upload_goes_on_while_people_look_around(page: Page, site: SmallSite, song: Path) -> None:
    site.ledger.slow_upload.set()
    page.goto("/studio/")
    choose(page, song)
    wait_for(lambda: site.ledger.uploads and upload_of(site)["got"] > 0, 10, "the first bytes")
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_role("link", name="Uploading: 0 of 1")).to_be_visible()
    page.get_by_role("link", name="Uploading").click()
    expect(page.locator(".upload-row")).to_contain_text("01 Shells.flac")
    site.ledger.release_upload.set()
    expect(page.locator("#uploads")).to_contain_text("01 Shells.flac")
    expect(page.locator("#upload-badge")).to_be_hidden()


def test_file_chosen_again_after_a_closed_page_goes_on_where_it_was(page: Page, site: SmallSite, song: Path) -> None:
    site.ledger.slow_upload.set()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/studio/")
    choose(page, song)
    wait_for(lambda: site.ledger.uploads and upload_of(site)["got"] > 0, 10, "the first bytes")
    page.reload()
    got = upload_of(site)["got"]
    assert 0 < got < upload_of(site)["size"]
    site.ledger.slow_upload.clear()
    site.ledger.release_upload.set()
    choose(page, song)
    expect(page.locator("#uploads")).to_contain_text("01 Shells.flac")
    assert site.ledger.creations == 1


def test_cancelled_upload_is_removed_from_the_server(page: Page, site: SmallSite, song: Path) -> None:
    site.ledger.slow_upload.set()
    page.goto("/studio/")
    choose(page, song)
    wait_for(lambda: site.ledger.uploads and upload_of(site)["got"] > 0, 10, "the first bytes")
    page.get_by_role("button", name="Cancel: 01 Shells.flac").click()
    expect(page.locator(".upload-row")).to_have_count(0)
    wait_for(lambda: site.ledger.deletions, 10, "the deletion")
    assert site.ledger.deletions == ["01 Shells.flac"]
