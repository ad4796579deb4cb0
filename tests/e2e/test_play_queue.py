"""One person on two devices: the play queue is the same on both, and music goes on where the other one stopped."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from musicapp.playback.play_queue.entries import added_last, added_next, hash_of, new_entries, shuffled, unshuffled
from tests.e2e import acts
from tests.servers import Site, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.usefixtures("print_output")]

PLAYS = "() => document.documentElement.classList.contains('is-playing')"


def log_in(page: Page, name: str) -> None:
    page.goto("/login")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill(acts.PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def publish_album(page: Page, songs: list[Path]) -> str:
    """The address of a published album with three tracks."""
    acts.register(page, "alice", artist_name="Alice Ray")
    acts.create_album(page, "Low Tide")
    acts.upload(page, songs)
    for title in ("Shells", "Kelp", "Moon"):
        acts.expect_ready(page, title)
    acts.publish(page)
    found = re.search(r"/albums/(\d+)", page.url)
    assert found is not None
    return f"/albums/{found.group(1)}"


def wait_until_silent(page: Page) -> None:
    page.wait_for_function("() => !document.documentElement.classList.contains('is-playing')")


def player_of(page: Page) -> Locator:
    return page.get_by_role("region", name="Player")


def expect_queue(page: Page, *titles: str) -> None:
    expect(page.locator("#queue-page .row-title")).to_have_text(list(titles))


def shown_seconds(page: Page) -> float:
    """What the player bar says, in seconds."""
    minutes, seconds = page.locator("#player-position").inner_text().split(":")
    return int(minutes) * 60 + int(seconds)


@pytest.fixture(scope="module")
def address(shared_site: Site, browser: Browser, songs: list[Path]) -> str:
    context = browser.new_context(base_url=shared_site.url)
    context.set_default_timeout(15_000)
    found = publish_album(context.new_page(), songs)
    context.close()
    return found


def test_leave_on_one_device_and_go_on_at_the_same_second_on_another(
    shared_site: Site, open_browser: Callable[..., Page], address: str
) -> None:
    laptop, phone = open_browser(shared_site), open_browser(shared_site)
    acts.register(laptop, "bob")
    log_in(phone, "bob")

    # the laptop plays; the phone says so, and shows the track and the second
    laptop.goto(address)
    laptop.get_by_role("button", name="Play Kelp").click()
    acts.expect_playing(laptop)
    laptop.get_by_role("slider", name="Seek").press("ArrowRight")
    laptop.get_by_role("slider", name="Seek").press("ArrowRight")
    laptop.wait_for_function("() => document.getElementById('player-position').textContent >= '0:11'")
    strip = phone.locator(".player-elsewhere")
    expect(strip).to_contain_text("Playing on Chrome, Linux")
    expect(phone.locator("#player-title")).to_have_text("Kelp")
    assert not phone.evaluate(PLAYS)

    # Play here: the same second, and the laptop falls silent
    there = shown_seconds(laptop)
    strip.get_by_role("button", name="Play here").click()
    acts.expect_playing(phone)
    assert there - 1 <= acts.seconds_played(phone) % 40 <= there + 4
    wait_until_silent(laptop)
    expect(laptop.locator(".player-elsewhere")).to_be_visible()
    expect(strip).to_be_hidden()
    before = shown_seconds(phone)
    wait_for(lambda: shown_seconds(phone) >= before + 2, 15, "two seconds of music")
    assert abs(shown_seconds(laptop) - shown_seconds(phone)) <= 2  # the laptop follows along

    # the phone leaves in the middle of the track: the laptop goes on at its last second, also after a reload
    stopped = shown_seconds(phone)
    phone.goto("about:blank")
    expect(laptop.locator(".player-elsewhere")).to_be_hidden()
    laptop.reload()
    expect(laptop.locator("#player-title")).to_have_text("Kelp")
    wait_for(lambda: stopped <= shown_seconds(laptop) <= stopped + 2, 10, f"second {stopped}")
    player_of(laptop).get_by_role("button", name="Play", exact=True).click()
    acts.expect_playing(laptop)
    assert stopped <= shown_seconds(laptop) <= stopped + 5


def test_play_queue_is_edited_on_two_devices_and_survives_a_lost_connection(
    shared_site: Site, open_browser: Callable[..., Page], address: str
) -> None:
    laptop, phone = open_browser(shared_site), open_browser(shared_site)
    acts.register(laptop, "carol")
    log_in(phone, "carol")
    phone.goto("/queue")
    expect(phone.get_by_text("Nothing to play yet")).to_be_visible()

    # play, play next, add to queue: shown on the other device without a reload
    laptop.goto(address)
    laptop.get_by_role("button", name="Play Shells").click()
    acts.expect_playing(laptop)
    expect_queue(phone, "Shells", "Kelp", "Moon")
    laptop.get_by_role("link", name="Moon", exact=True).first.click()
    expect(laptop.get_by_role("heading", name="Moon", level=1)).to_be_visible()
    laptop.get_by_role("button", name="Play next").click()
    expect_queue(phone, "Shells", "Moon", "Kelp", "Moon")
    laptop.get_by_role("button", name="Add to queue").click()
    expect_queue(phone, "Shells", "Moon", "Kelp", "Moon", "Moon")
    laptop.get_by_role("button", name="Undo").last.click()
    expect_queue(phone, "Shells", "Moon", "Kelp", "Moon")

    # the phone edits, by keyboard too; the laptop plays on
    phone.get_by_role("button", name="Move down: Moon").first.press("Enter")
    expect_queue(phone, "Shells", "Kelp", "Moon", "Moon")
    phone.get_by_role("button", name="Remove: Moon").last.click()
    expect_queue(phone, "Shells", "Kelp", "Moon")
    acts.expect_playing(laptop)
    player_of(laptop).get_by_role("button", name="Play queue").click()
    expect(laptop.locator(".queue-title")).to_have_text(["Shells", "Kelp", "Moon"])

    # shuffled and back, the same on both
    phone.locator("#queue-page").get_by_role("button", name="Shuffle").click()
    expect(laptop.locator("#player-shuffle")).to_have_attribute("aria-pressed", "true")
    mixed = laptop.locator(".queue-title")
    expect_queue(phone, *(title.strip() for title in mixed.all_text_contents()))
    expect(mixed.first).to_have_text("Shells")
    laptop.locator("#player-shuffle").click()
    expect_queue(phone, "Shells", "Kelp", "Moon")

    # the phone chooses what the laptop plays next, and takes over by playing itself
    phone.locator("#queue-page").get_by_role("button", name="Play Moon").click()
    acts.expect_playing(phone)
    wait_until_silent(laptop)
    expect(laptop.locator("#player-title")).to_have_text("Moon")

    # both edit while the phone is away: it plays on, keeps what it plays, and both end with the same order
    player_of(phone).get_by_role("slider", name="Seek").press("Home")
    phone.context.set_offline(True)
    player_of(phone).get_by_role("button", name="Repeat").click()
    laptop.goto("/queue")
    laptop.get_by_role("button", name="Move up: Moon").click()
    expect_queue(laptop, "Shells", "Moon", "Kelp")
    laptop.get_by_role("button", name="Remove: Moon").click()
    expect_queue(laptop, "Shells", "Kelp")
    acts.expect_playing(phone)
    before = shown_seconds(phone)
    phone.context.set_offline(False)
    expect_queue(laptop, "Shells", "Kelp", "Moon")
    expect_queue(phone, "Shells", "Kelp", "Moon")
    expect(laptop.locator("#player-title")).to_have_text("Moon")
    expect(laptop.locator("#player-repeat")).to_have_attribute("aria-pressed", "true")
    expect(phone.locator("#player-title")).to_have_text("Moon")
    acts.expect_playing(phone)
    wait_for(lambda: shown_seconds(phone) >= before, 5, "the music to be where it was")
    wait_for(lambda: stored_order(laptop) == stored_order(phone) != [], 5, "the same queue kept in both browsers")

    # cleared with undo
    laptop.get_by_role("button", name="Clear").click()
    expect(phone.get_by_text("Nothing to play yet")).to_be_visible()
    laptop.get_by_role("button", name="Undo").last.click()
    expect_queue(phone, "Shells", "Kelp", "Moon")


def stored_order(page: Page) -> list[int]:
    """The tracks in the queue that this browser keeps."""
    found: list[int] = page.evaluate(
        "() => Object.keys(localStorage).filter(k => /^musicapp.queue[.][0-9]+$/.test(k))"
        ".flatMap(k => JSON.parse(localStorage[k]).tracks.map(t => t.id))"
    )
    return found


def test_device_and_server_do_the_same_sums(shared_site: Site, open_browser: Callable[..., Page]) -> None:
    page = open_browser(shared_site)
    page.goto("/login")
    here = page.evaluate(
        """async () => {
          const order = await import('/static/js/player/order.js');
          const flat = (tracks) => tracks.map(({ entry, id, place }) => [entry, id, place]);
          const tracks = Array.from({ length: 40 }, (_, at) => ({ id: 100 + at }));
          const mixed = order.shuffled(order.numbered(tracks, 7), 3, 4000000001);
          const copy = () => mixed.map((track) => ({ ...track }));
          const next = order.addedNext(copy(), [{ id: 1 }, { id: 2 }], 900, 5);
          const last = order.addedLast(next.map((track) => ({ ...track })), [{ id: 3 }], 950);
          const back = order.unshuffled(last.map((track) => ({ ...track })));
          return { mixed: flat(mixed), next: flat(next), last: flat(last), back: flat(back),
                   hash: order.hashOf(last), start: flat(order.addedNext([], [{ id: 4 }], 60, -1)) };
        }"""
    )
    mixed = shuffled(new_entries(list(range(100, 140)), 7), 3, 4_000_000_001)
    after_next = added_next(mixed, [1, 2], 900, 5)
    after_last = added_last(after_next, [3], 950)
    assert here == {
        "mixed": mixed,
        "next": after_next,
        "last": after_last,
        "back": unshuffled(after_last),
        "hash": hash_of(after_last),
        "start": added_next([], [4], 60, None),
    }


def test_queue_works_with_scripts_off_and_a_stranger_keeps_theirs(
    shared_site: Site, open_browser: Callable[..., Page], address: str
) -> None:
    plain = open_browser(shared_site, java_script_enabled=False)
    acts.register(plain, "dora")
    plain.goto(address)
    plain.get_by_role("button", name="Add to queue").first.click()
    plain.goto("/queue")
    expect_queue(plain, "Shells", "Kelp", "Moon")
    assert "/stream#t=0" in (plain.locator("audio[controls]").get_attribute("src") or "")
    plain.get_by_role("button", name="Move up: Moon").click()
    expect_queue(plain, "Shells", "Moon", "Kelp")
    plain.get_by_role("button", name="Remove: Shells").click()
    expect_queue(plain, "Moon", "Kelp")
    plain.get_by_role("button", name="Play Kelp").click()
    expect(plain.locator(".queue-now h2")).to_have_text("Kelp")
    expect(plain.locator(".queue-entry[aria-current]")).to_contain_text("Kelp")
    # saved as a playlist
    plain.get_by_role("button", name="Add to playlist").click()
    plain.get_by_label("Name of the new playlist").fill("Evening")
    plain.get_by_role("button", name="New playlist").click()
    plain.goto("/playlists/")
    plain.get_by_role("link", name="Evening").first.click()
    expect(plain.locator("[data-track-list] .row-title")).to_have_text(["Moon", "Kelp"])

    stranger = open_browser(shared_site)
    stranger.goto(address)
    stranger.get_by_role("button", name="Play Kelp").click()
    acts.expect_playing(stranger)
    stranger.get_by_role("button", name="Add to queue").first.click()
    stranger.goto("/queue")
    expect(stranger.locator("[data-local-queue] .queue-title")).to_have_text(["Shells", "Kelp", "Moon"] * 2)
    # what a stranger listened to is there after signing up
    acts.register(stranger, "erin")
    stranger.goto("/queue")
    expect_queue(stranger, *["Shells", "Kelp", "Moon"] * 2)
    expect(player_of(stranger)).to_contain_text("Kelp")
