"""The bell counts while a page is open, the list grows at its top, and what one chooses is kept."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.e2e import acts
from tests.servers import Site

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240), pytest.mark.usefixtures("print_output")]


def bell(page: Page) -> Locator:
    return page.get_by_role("banner").get_by_role("link", name="Notifications")


def test_bell_counts_and_the_list_grows_while_pages_are_open(
    shared_site: Site, open_browser: Callable[..., Page], songs: list[Path]
) -> None:
    artist, fan, phone = open_browser(shared_site), open_browser(shared_site), open_browser(shared_site)
    acts.register(artist, "alice", artist_name="Alice Ray")
    acts.register(fan, "bob")
    fan.goto("/artists/1")
    fan.get_by_role("button", name="Follow", exact=True).first.click()
    phone.goto("/login")
    phone.get_by_label("Username").fill("bob")
    phone.get_by_label("Password", exact=True).fill(acts.PASSWORD)
    phone.get_by_role("button", name="Log in").click()
    phone.goto("/notifications")
    expect(phone.get_by_role("heading", name="Nothing yet")).to_be_visible()
    expect(bell(fan)).to_have_accessible_name("Notifications")

    acts.create_album(artist, "Low Tide")
    expect(bell(artist)).to_have_accessible_name("Notifications, 1 unread")
    acts.upload(artist, songs[:1])
    acts.expect_ready(artist, "Shells")
    acts.publish(artist)
    expect(bell(fan)).to_have_accessible_name("Notifications, 1 unread", timeout=20_000)
    notice = phone.get_by_role("main").get_by_role("listitem").filter(has_text="Low Tide")
    expect(notice).to_contain_text("New from Alice Ray")
    expect(phone.get_by_role("heading", name="Nothing yet")).to_be_hidden()

    # Opened in one browser, it is read in both.
    bell(fan).click()
    expect(fan.get_by_role("heading", name="Today")).to_be_visible()
    fan.get_by_role("link", name="Low Tide").click()
    expect(fan).to_have_url(re.compile(r"/albums/\d+$"))
    expect(bell(fan)).to_have_accessible_name("Notifications")
    expect(bell(phone)).to_have_accessible_name("Notifications")
    expect(notice).not_to_have_class(re.compile("is-unread"))

    fan.goto("/settings")
    fan.get_by_role("link", name="What you hear of").click()
    choice = fan.get_by_role("combobox", name="New albums of artists you follow: By mail")
    choice.select_option("Weekly")
    fan.get_by_role("button", name="Save", exact=True).click()
    expect(fan.locator("#toasts")).to_contain_text("Saved.")
    fan.reload()
    expect(choice).to_have_value("weekly")
