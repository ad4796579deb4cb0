"""An operator's day: a report arrives while the desk is open, is decided, and whom it concerns feels it at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from musicapp import create_app
from musicapp.core.db import db, utc_now
from musicapp.jobs import services as jobs
from musicapp.jobs.models import Job
from tests.e2e import acts
from tests.e2e.stage import outside
from tests.e2e.test_accessibility import complaints
from tests.e2e.test_library import log_in
from tests.servers import REPOSITORY, Site

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(180), pytest.mark.usefixtures("print_output")]

PAGES = ("", "users", "users/2", "artists", "artists/1", "albums", "reports", "reports/1", "storage", "audit")
MACHINE_ROOM = ("jobs", "jobs/1", "failures", "queues", "workers", "live", "requests", "cache")


def make_admin(site: Site, name: str) -> None:
    names = ["--username", name, "--email", f"{name}@example.org", "--password", acts.PASSWORD]
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "user", "create-admin", *names]
    subprocess.run(command, cwd=REPOSITORY, env=site.environ, check=True, capture_output=True)


def test_report_reaches_the_open_desk_and_its_decision_ends_a_visit(
    shared_site: Site, open_browser: Callable[..., Page]
) -> None:
    make_admin(shared_site, "opal")
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
    for width_px, scheme, paths in ((1280, "dark", PAGES[:3]), (390, "light", PAGES + MACHINE_ROOM)):
        desk.set_viewport_size({"width": width_px, "height": 800})
        desk.emulate_media(reduced_motion="reduce", color_scheme=scheme)  # type: ignore[arg-type]
        for path in paths:
            desk.goto(f"/admin/{path}")
            found += [*complaints(desk), *outside(desk)]
    assert found == []


def test_failed_jobs_come_to_the_open_list_and_what_is_ticked_stays_so(
    shared_site: Site, open_browser: Callable[..., Page]
) -> None:
    make_admin(shared_site, "olga")
    app = create_app(shared_site.environ)
    with app.app_context():
        first = fail(1)
    desk = open_browser(shared_site)
    log_in(desk, "olga")
    desk.goto("/admin/jobs?kind=encode_track&state=failed")
    desk.get_by_label(f"Choose job {first}").check()
    with app.app_context():
        second = fail(2)
    expect(desk.get_by_label(f"Choose job {second}")).to_be_visible(timeout=15_000)
    expect(desk.get_by_label(f"Choose job {first}")).to_be_checked()

    desk.get_by_role("link", name="Failures").click()
    desk.get_by_text("Traceback", exact=True).click()
    expect(desk.get_by_text("the kettle is cold")).to_have_count(2)
    with app.app_context():
        fail(3)
    expect(desk.locator(".machine-failure .chip")).to_have_text("3", timeout=20_000)
    expect(desk.locator(".machine-trace")).to_be_visible()
    desk.get_by_role("button", name="Try all again").click()
    expect(desk.get_by_text("3 jobs wait again.")).to_be_visible()
    with app.app_context():
        db.engine.dispose()


def fail(subject_id: int) -> int:
    job = db.session.get_one(Job, jobs.add("encode_track", subject_id=subject_id, run_at=utc_now() + timedelta(days=1)))
    trace = 'Traceback (most recent call last):\n  File "tea.py", line 1\nOSError: the kettle is cold\n'
    jobs.change(job, "failed", error="No tea.", traceback=trace, finished_at=utc_now())
    db.session.commit()
    job_id = job.id
    db.session.rollback()
    return job_id
