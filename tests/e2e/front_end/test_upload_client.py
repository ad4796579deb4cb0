"""Uploads: resumed, refused, cancelled, and going on while people look around."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.front_end.small_site import SmallSite
from tests.servers import wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(90)]


@pytest.fixture
def song(tmp_path: Path) -> Path:
    path = tmp_path / "01 Shells.flac"
    path.write_bytes(bytes(range(256)) * 8192)  # 2 MiB; the site keeps only sizes
    return path


def choose(page: Page, *files: Path) -> None:
    page.get_by_label("Audio files").set_input_files(list(files))


def upload_of(site: SmallSite) -> dict[str, Any]:
    [upload] = site.ledger.uploads.values()
    return upload


def test_files_go_up_and_show_in_the_list(page: Page, site: SmallSite, song: Path) -> None:
    page.goto("/studio/")
    expect(page.get_by_role("button", name="Upload")).to_be_hidden()
    choose(page, song)
    expect(page.locator("#uploads")).to_contain_text("01 Shells.flac")
    assert upload_of(site)["album_id"] == "5"
    expect(page.locator(".upload-row")).to_have_count(0)


def test_audio_in_a_dropped_folder_goes_up_in_the_order_of_its_names(
    page: Page, site: SmallSite, tmp_path: Path
) -> None:
    folder = tmp_path / "Low Tide"
    (folder / "Disc 2").mkdir(parents=True)
    for name in ("10 Foam.flac", "2 Kelp.flac", "Disc 2/1 Salt.flac", "cover.jpg", ".DS_Store"):
        (folder / name).write_bytes(b"x" * 1000)
    page.goto("/studio/")
    box = page.locator("[data-upload]").bounding_box()
    assert box is not None
    dragged = {"items": [], "files": [str(folder)], "dragOperationsMask": 1}
    browser = page.context.new_cdp_session(page)
    for step in ("dragEnter", "dragOver", "drop"):
        place = {"x": box["x"] + 5, "y": box["y"] + 5}
        browser.send("Input.dispatchDragEvent", {"type": step, **place, "data": dragged})
    wait_for(lambda: len(site.ledger.uploads) == 3, 10, "three uploads")
    names = [upload["filename"] for upload in site.ledger.uploads.values()]
    assert names == ["2 Kelp.flac", "10 Foam.flac", "1 Salt.flac"]


def test_refused_file_shows_the_servers_reason(page: Page, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text("hello")
    page.goto("/studio/")
    choose(page, notes)
    row = page.locator(".upload-row")
    expect(row).to_contain_text("notes.txt is not audio.")
    row.get_by_role("button", name="Cancel", exact=True).click()
    expect(row).to_have_count(0)


def test_upload_goes_on_while_people_look_around(page: Page, site: SmallSite, song: Path) -> None:
    site.ledger.slow_upload.set()
    page.goto("/studio/")
    choose(page, song)
    wait_for(lambda: site.ledger.uploads and upload_of(site)["got"] > 0, 10, "the first bytes")
    page.get_by_role("link", name="Home", exact=True).click()
    expect(page.get_by_role("link", name="Uploading: 0 of 1")).to_be_visible()
    page.get_by_role("link", name="Uploading").click()
    expect(page.locator(".upload-row")).to_contain_text("01 Shells.flac")
    site.ledger.release_upload.set()
    expect(page.locator("#uploads")).to_contain_text("01 Shells.flac")
    expect(page.locator("#upload-badge")).to_be_hidden()


def test_file_chosen_again_after_a_closed_page_goes_on_where_it_was(page: Page, site: SmallSite, song: Path) -> None:
    site.ledger.slow_upload.set()
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto("/studio/")
    choose(page, song)
    wait_for(lambda: site.ledger.uploads and upload_of(site)["got"] > 0, 10, "the first bytes")
    page.reload()
    got = upload_of(site)["got"]
    assert 0 < got < upload_of(site)["size"]
    site.ledger.slow_upload.clear()
    site.ledger.release_upload.set()
    choose(page, song)
    expect(page.locator("#uploads")).to_contain_text("01 Shells.flac")
    assert site.ledger.creations == 1


def test_cancelled_upload_is_removed_from_the_server(page: Page, site: SmallSite, song: Path) -> None:
    site.ledger.slow_upload.set()
    page.goto("/studio/")
    choose(page, song)
    wait_for(lambda: site.ledger.uploads and upload_of(site)["got"] > 0, 10, "the first bytes")
    page.get_by_role("button", name="Cancel", exact=True).click()
    expect(page.locator(".upload-row")).to_have_count(0)
    wait_for(lambda: site.ledger.deletions, 10, "the deletion")
    assert site.ledger.deletions == ["01 Shells.flac"]
