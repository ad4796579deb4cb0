"""Forms, errors, reordering and the look switch."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.front_end.small_site import SmallSite
from tests.servers import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]


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
    # clear of the player's bar, which lies over the foot of the page
    page.locator("#track-12").evaluate("row => row.scrollIntoView({block: 'center'})")
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
