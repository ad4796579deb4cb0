"""What a person does, by the names a person sees."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Page, expect

PASSWORD = "correct horse battery"


def register(page: Page, name: str, *, artist_name: str = "") -> None:
    page.goto("/register")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Email").fill(f"{name}@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    if artist_name:
        page.get_by_label("I publish music").check()
        page.get_by_label("Artist name").fill(artist_name)
    page.get_by_role("button", name="Create account").click()
    expect(page.get_by_role("button", name="Log out")).to_be_visible()


def create_album(page: Page, title: str, *, cover: Path | None = None) -> None:
    page.goto("/studio/albums/new")
    page.get_by_label("Title").fill(title)
    page.get_by_label("Kind").select_option("album")
    page.get_by_label("Release date").fill("2026-03-01")
    if cover:
        page.get_by_label("Cover").set_input_files(cover)
    page.get_by_role("button", name="Create album").click()
    expect(page.get_by_label("Audio files")).to_be_attached()


def upload(page: Page, files: Sequence[Path]) -> None:
    page.get_by_label("Audio files").set_input_files(list(files))


def expect_ready(page: Page, title: str, seconds: float = 60) -> None:
    row = page.locator("[data-track]").filter(has_text=title)
    expect(row.get_by_text("Ready", exact=True)).to_be_visible(timeout=seconds * 1000)


def publish(page: Page) -> None:
    page.get_by_role("button", name="Publish", exact=True).click()
    expect(page.get_by_role("button", name="Unpublish")).to_be_visible()


def seconds_played(page: Page) -> float:
    """Where the player's audio element is, in seconds."""
    return float(page.evaluate("Math.max(0, ...[...document.querySelectorAll('audio')].map(a => a.currentTime))"))


def expect_playing(page: Page) -> None:
    """The audio moves on from where it is now."""
    before = seconds_played(page)
    page.wait_for_function(
        "t => Math.max(0, ...[...document.querySelectorAll('audio')].map(a => a.paused ? 0 : a.currentTime)) > t",
        arg=before + 0.3,
    )
