"""An operator's day: a report arrives while the desk is open, is decided, and whom it concerns feels it at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from tests.e2e import acts
from tests.e2e.stage import outside
from tests.e2e.test_accessibility import complaints
from tests.e2e.test_library import log_in
from tests.servers import REPOSITORY, Site

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("print_output")]

PAGES = ("", "users", "users/2", "artists", "artists/1", "albums", "reports", "reports/1", "storage", "audit")


def make_admin(site: Site) -> None:
    names = ["--username", "opal", "--email", "opal@example.org", "--password", acts.PASSWORD]
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "user", "create-admin", *names]
    subprocess.run(command, cwd=REPOSITORY, env=site.environ, check=True, capture_output=True)


def test_report_reaches_the_open_desk_and_its_decision_ends_a_visit(
    shared_site: Site, open_browser: Callable[..., Page]
) -> None:
    make_admin(shared_site)
    desk, alice, bob = (open_browser(shared_site) for _ in range(3))
    acts.register(alice, "alice", artist_name="Alice Ray")
    acts.register(bob, "bob")
    log_in(desk, "opal")
    desk.get_by_role("navigation", name="Site").get_by_role("link", name="Desk").click()
    expect(desk.get_by_role("heading", name="Today")).to_be_visible()
    open_reports = desk.locator(".desk-figure").filter(has_text="Open reports")
    expect(open_reports).to_contain_text("0")

    bob.goto("/people/alice")
    bob.get_by_role("link", name="Report").click()
    bob.get_by_label("What is wrong").select_option(label="It harms or exposes a person")
    bob.get_by_label("In your words").fill("She names my sister.")
    bob.get_by_role("button", name="Send").click()
    expect(bob).to_have_url(f"{shared_site.url}/people/alice")

    expect(desk.get_by_text("1 report waits for you.")).to_be_visible()  # nobody loaded the page again
    desk.locator(".desk-concern").filter(has_text="1 report waits").get_by_role("link").click()
    desk.get_by_role("link", name="alice").click()
    expect(desk.get_by_text("She names my sister.")).to_be_visible()
    desk.get_by_label("Your words").fill("Nobody is named here without a yes.")
    desk.get_by_role("button", name="Suspend this person").click()
    expect(desk.get_by_text("Nothing to decide")).to_be_visible()

    alice.goto("/library")
    expect(alice.get_by_role("button", name="Log in")).to_be_visible()
    alice.get_by_label("Username").fill("alice")
    alice.get_by_label("Password", exact=True).fill(acts.PASSWORD)
    alice.get_by_role("button", name="Log in").click()
    expect(alice.get_by_text("Nobody is named here without a yes.")).to_be_visible()
    bob.goto("/notifications")
    expect(bob.get_by_text("Thank you: we acted on your report.")).to_be_visible(timeout=30_000)

    desk.goto("/admin/audit")
    expect(desk.locator(".desk-act").first).to_contain_text("opal suspended alice")
    found: list[str] = []
    for width_px, scheme, paths in ((1280, "dark", PAGES[:3]), (390, "light", PAGES)):
        desk.set_viewport_size({"width": width_px, "height": 800})
        desk.emulate_media(reduced_motion="reduce", color_scheme=scheme)  # type: ignore[arg-type]
        for path in paths:
            desk.goto(f"/admin/{path}")
            found += [*complaints(desk), *outside(desk)]
    assert found == []
