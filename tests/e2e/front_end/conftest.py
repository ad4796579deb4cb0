"""A page in a fresh browser profile on a small site of this test's own; `browser` comes from the folder above."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.e2e.front_end.small_site import SmallSite


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
