"""What several of these tests do: start the music and wait until it is heard."""

from __future__ import annotations

from playwright.sync_api import Page

AUDIO = "document.getElementById('player-audio')"


def play_album(page: Page, address: str = "/albums/1") -> None:
    page.goto(address)
    page.get_by_role("main").get_by_role("button", name="Play", exact=True).click()


def wait_until_heard(page: Page, past_s: float = 0.2) -> None:
    page.wait_for_function(f"() => !{AUDIO}.paused && {AUDIO}.currentTime > {past_s}")
