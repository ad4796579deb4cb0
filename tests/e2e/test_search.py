"""Searching as people do: by typing, with the keyboard, and without scripts."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.acts import create_album, expect_ready, publish, register, upload
from tests.servers import Site

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.usefixtures("print_output")]


def test_results_come_while_typing_and_the_keyboard_opens_one(
    shared_site: Site, open_browser: Callable[..., Page], songs: list[Path]
) -> None:
    page = open_browser(shared_site)
    register(page, "alice", artist_name="Alice Ray")
    create_album(page, "Low Tide")
    upload(page, songs[:2])
    expect_ready(page, "Shells")
    publish(page)

    page.goto("/")
    field = page.get_by_role("searchbox", name="Search", exact=True)
    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.keyboard.type("ali", delay=30)
    results = page.locator("#search-results")
    expect(results.get_by_role("link", name="Alice Ray").first).to_be_visible()
    expect(page).to_have_url(re.compile(r"/search\?q=ali$"))
    page.keyboard.type("ce shell", delay=30)
    expect(results.locator(".top-hit")).to_contain_text("Shells")
    expect(page).to_have_url(re.compile(r"/search\?q=alice\+shell$"))
    expect(field).to_be_focused()
    expect(field).to_have_value("alice shell")

    page.keyboard.press("ArrowDown")
    expect(results.locator(".top-hit-name")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(results.locator(".row-title").first).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Shells")).to_be_visible()
    expect(field).to_have_value("")

    page.go_back()
    expect(results.locator(".top-hit")).to_contain_text("Shells")
    expect(field).to_have_value("alice shell")
    page.go_back()
    expect(page).to_have_url(re.compile(r"/$"))
    expect(field).to_have_value("")

    page.goto("/search")
    expect(results.get_by_role("link", name="alice shell")).to_be_visible()  # opened, so it was worth remembering
    results.get_by_role("button", name="Delete: alice shell").click()
    expect(results.get_by_role("link", name="alice shell")).to_have_count(0)

    page.goto("/search?q=shlels")
    expect(results).to_contain_text("Did you mean shells?")
    page.get_by_label("Year").select_option("1990s")
    expect(page).to_have_url(re.compile(r"year=1990s"))
    expect(results).to_contain_text("Nothing like that here")

    plain = open_browser(shared_site, java_script_enabled=False)
    plain.goto("/")
    plain.get_by_role("searchbox", name="Search", exact=True).fill("kelp")
    plain.keyboard.press("Enter")
    expect(plain.locator(".top-hit")).to_contain_text("Kelp")
    plain.locator(".top-hit-name").click()
    expect(plain.get_by_role("heading", level=1, name="Kelp")).to_be_visible()
