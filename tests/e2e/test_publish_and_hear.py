"""A musician publishes an album and a listener hears it, live."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.audio.make import picture
from tests.e2e import acts
from tests.servers import MailSink, Site, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.usefixtures("print_output")]


def test_musician_publishes_and_listener_hears_it_live(
    shared_site: Site,
    module_sink: MailSink,
    open_browser: Callable[..., Page],
    songs: list[Path],
    tmp_path: Path,
) -> None:
    alice, bob = open_browser(shared_site), open_browser(shared_site)
    bob.goto("/")

    acts.register(alice, "alice", artist_name="Alice Ray")
    acts.create_album(alice, "Low Tide", cover=picture(tmp_path / "cover.png", size="640x640"))
    [mail] = wait_for(lambda: module_sink.to("alice@example.org", "Low Tide"), 30, "the congratulation")
    assert mail["Message-ID"]
    assert {part.get_content_type() for part in mail.walk()} >= {"text/plain", "text/html"}

    acts.upload(alice, songs)
    for title in ("Shells", "Kelp", "Moon"):
        acts.expect_ready(alice, title)
    titles = alice.locator("[data-track] .row-title").all_text_contents()
    assert [title.strip() for title in titles] == ["Shells", "Kelp", "Moon"]

    assert bob.get_by_role("link", name="Low Tide").count() == 0
    acts.publish(alice)
    # bob's home page was open all the time and is not loaded again
    expect(bob.get_by_role("link", name="Low Tide")).to_be_visible()
    bob.get_by_role("link", name="Low Tide").click()
    expect(bob.get_by_role("heading", name="Low Tide")).to_be_visible()
    bob.get_by_role("main").get_by_role("button", name="Play", exact=True).first.click()
    acts.expect_playing(bob)
    player = bob.get_by_role("region", name="Player")
    expect(player.get_by_role("button", name="Pause")).to_be_visible()

    for _ in range(3):
        bob.get_by_role("link", name="Home").first.click()
        expect(bob).to_have_url(shared_site.url + "/")
        bob.get_by_role("link", name="Low Tide").first.click()
        expect(bob.get_by_role("heading", name="Low Tide")).to_be_visible()
    acts.expect_playing(bob)
    bob.go_back()
    expect(bob).to_have_url(shared_site.url + "/")
    acts.expect_playing(bob)
    bob.go_forward()
    expect(bob.get_by_role("heading", name="Low Tide")).to_be_visible()
    acts.expect_playing(bob)

    player.get_by_role("button", name="Next").click()
    expect(player).to_contain_text("Kelp")
    player.get_by_role("button", name="Pause").click()
    bob.reload()
    expect(bob.get_by_role("region", name="Player")).to_contain_text("Kelp")


def test_counted_play_shows_on_the_open_page(
    shared_site: Site, open_browser: Callable[..., Page], songs: list[Path]
) -> None:
    page = open_browser(shared_site)
    acts.register(page, "carol", artist_name="Carol")
    acts.create_album(page, "Counted")
    acts.upload(page, songs[:1])
    acts.expect_ready(page, "Shells")
    acts.publish(page)
    listener = open_browser(shared_site)
    listener.goto("/")
    listener.get_by_role("link", name="Counted").click()
    row = listener.locator("[data-track]").filter(has_text="Shells")
    expect(row.locator(".plays")).to_have_text("0")
    row.hover()
    row.get_by_role("button", name="Play Shells").click()
    acts.expect_playing(listener)
    # Half of the track takes 20 s to hear; here the reports of those seconds are sent by hand.
    track = json.loads(row.get_attribute("data-track") or "")
    now = datetime.now(UTC)
    reports = [
        {"event_id": "one", "kind": "play", "position_ms": 0, "at": (now - timedelta(seconds=25)).isoformat()},
        {"event_id": "two", "kind": "progress", "position_ms": 25_000, "at": now.isoformat()},
    ]
    answer = listener.request.post("/plays", data=[{**report, "track_id": track["id"]} for report in reports])
    assert answer.ok, answer.text()
    expect(row.locator(".plays")).to_have_text("1")


def test_page_works_without_scripts(shared_site: Site, open_browser: Callable[..., Page], songs: list[Path]) -> None:
    page = open_browser(shared_site, java_script_enabled=False)
    acts.register(page, "dora", artist_name="Dora")
    acts.create_album(page, "Plain")
    page.get_by_label("Audio files").set_input_files([songs[0]])
    with page.expect_navigation():
        page.get_by_role("button", name="Upload").click()

    def is_ready() -> bool:
        page.reload()
        return page.get_by_text("Ready", exact=True).count() > 0

    wait_for(is_ready, 60, "the track")
    page.get_by_role("button", name="Publish", exact=True).click()
    page.goto("/")
    page.get_by_role("link", name="Plain").click()
    source = page.locator("noscript audio, audio").first.get_attribute("src") or page.locator(
        "a[href$='/stream']"
    ).first.get_attribute("href")
    assert source
    answer = page.request.get(source, headers={"Range": "bytes=0-1023"})
    assert answer.status == 206
