"""The keyboard: what is bound, what is said about it, and where it stays silent."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e.front_end.hearing import wait_until_heard

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]

SIGNS = {
    "Space": "Space",
    "ArrowLeft": "←",
    "ArrowRight": "→",
    "ArrowDown": "↓",
    "ArrowUp": "↑",
    "Mod": "Ctrl",
    "=": "+",
}


def test_list_of_shortcuts_names_every_key_that_is_bound(page: Page) -> None:
    page.goto("/albums/1")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keyboard shortcuts")
    expect(dialog).to_be_visible()
    said = set(dialog.locator("kbd").all_text_contents())
    entry = page.locator("script[type=module]").get_attribute("src")
    assert entry is not None
    module = entry.replace("app.js", "shortcuts.js")
    bound = page.evaluate("async (module) => (await import(module)).boundKeys()", module)
    assert {"player", "list", "site"} <= {one["group"] for one in bound}
    parts = {part for one in bound for key in one["keys"] for part in re.split(r"(?<=.)[+ ]", key)}
    assert {SIGNS.get(part, part) for part in parts} <= said
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.get_by_role("banner").get_by_role("button", name="Keyboard shortcuts").click()
    expect(dialog).to_be_visible()
    page.keyboard.press("n")  # behind the dialog nothing happens
    expect(page.locator("#player-title")).to_have_text("Nothing is playing")
    dialog.get_by_role("link", name="Home").click()
    expect(dialog).to_be_hidden()
    expect(page).to_have_title("Home")


def test_player_and_lists_are_steered_by_keys(page: Page, player: Locator) -> None:
    page.goto("/albums/1")
    page.keyboard.press("j")
    expect(page.locator("#track-11")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator("#track-12")).to_be_focused()
    page.keyboard.press("Enter")
    wait_until_heard(page)
    expect(player.locator("#player-title")).to_have_text("Kelp")
    page.keyboard.press("p")
    expect(player.locator("#player-title")).to_have_text("Shells")
    for key, name in (("s", "Shuffle"), ("r", "Repeat")):
        page.keyboard.press(key)
        expect(player.get_by_role("button", name=name)).to_have_attribute("aria-pressed", "true")
    volume = player.get_by_role("slider", name="Volume")
    page.keyboard.press("-")
    page.keyboard.press("-")
    expect(volume).to_have_value("90")
    page.keyboard.press("+")
    expect(volume).to_have_value("95")
    page.keyboard.press("v")
    expect(page.get_by_role("region", name="Play queue")).to_be_visible()
    page.keyboard.press("g")
    page.keyboard.press("h")
    expect(page).to_have_title("Home")
