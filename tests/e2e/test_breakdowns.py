"""Processes are killed while a person works; nothing is lost and nothing has to be done again by hand."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.audio.make import tone
from tests.e2e import acts
from tests.servers import MailSink, Site, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def long_song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twenty minutes: long enough to be caught in the middle of the encode."""
    return tone(
        tmp_path_factory.mktemp("long") / "Long Wave.flac", *("-metadata", "title=Long Wave"), seconds=1200, hertz=55
    )


def expect_encoding(page: Page, title: str) -> None:
    """The track is there and plays from its original; its renditions are being made."""
    track = page.locator("[data-track]").filter(has_text=title)
    expect(track).to_have_attribute("data-playable", "true", timeout=30_000)
    row = page.locator("li.upload-row[data-stage=working]").filter(has_text=title)
    expect(row.locator("progress[value]")).to_be_visible(timeout=30_000)


def test_worker_killed_in_the_middle(
    whole_site: Site,
    mail_sink: MailSink,
    open_browser: Callable[..., Page],
    songs: list[Path],
    long_song: Path,
) -> None:
    page = open_browser(whole_site)
    acts.register(page, "alice", artist_name="Alice Ray")
    acts.create_album(page, "Survivor")
    acts.upload(page, [long_song, *songs[:1]])
    expect_encoding(page, "Long Wave")
    whole_site.kill("worker-media")
    whole_site.kill("worker-default")
    whole_site.start_worker("media")
    whole_site.start_worker("default")
    acts.expect_ready(page, "Long Wave", 120)
    acts.expect_ready(page, "Shells", 60)
    assert len(page.locator("[data-track]").all()) == 2
    assert len(mail_sink.to("alice@example.org", "Survivor")) == 1


def test_redis_restarted_in_the_middle(
    whole_site: Site,
    mail_sink: MailSink,
    open_browser: Callable[..., Page],
    songs: list[Path],
    long_song: Path,
) -> None:
    page = open_browser(whole_site)
    acts.register(page, "alice", artist_name="Alice Ray")
    acts.create_album(page, "Forgetful")
    acts.upload(page, [long_song])
    expect_encoding(page, "Long Wave")
    whole_site.redis.stop()
    # Signed-in pages, streams and making albums go on without Redis.
    acts.create_album(page, "Made without Redis")
    page.goto("/studio/")
    expect(page.get_by_role("link", name="Forgetful").first).to_be_visible()
    whole_site.redis.start()
    for name in ("worker-media", "worker-default"):  # a worker's master may die with Redis; the supervisor's part
        if whole_site.processes[name].poll() is not None:
            whole_site.start_worker(name.removeprefix("worker-"), name)
    page.get_by_role("link", name="Forgetful").first.click()
    acts.expect_ready(page, "Long Wave", 120)
    wait_for(lambda: mail_sink.to("alice@example.org", "Made without Redis"), 60, "the second congratulation")
    ids = [mail["Message-ID"] for mail in mail_sink.to("alice@example.org")]
    assert len(ids) == len(set(ids))


def test_browser_closed_in_the_middle_of_an_upload(
    whole_site: Site, open_browser: Callable[..., Page], tmp_path: Path
) -> None:
    big = tone(tmp_path / "Big.wav", *("-metadata", "title=Big"), seconds=150, hertz=110)
    first = open_browser(whole_site)
    acts.register(first, "alice", artist_name="Alice Ray")
    acts.create_album(first, "Patience")
    album = first.url
    sent: list[int] = []

    def hold_back(route: object) -> None:
        request = route.request  # type: ignore[attr-defined]
        if request.method == "PATCH" and len(sent) >= 1:
            return  # never answered: the lid is closed before this piece arrives
        if request.method == "PATCH":
            sent.append(int(request.headers.get("upload-offset", "0")))
        route.continue_()  # type: ignore[attr-defined]

    first.route("**/uploads/**", hold_back)
    with first.expect_response(lambda response: response.request.method == "PATCH") as piece:
        acts.upload(first, [big])
    received = int(piece.value.headers["upload-offset"])
    assert 0 < received < big.stat().st_size
    state = first.context.storage_state()
    first.close()

    second = open_browser(whole_site, storage_state=state)
    offsets: list[int] = []
    second.on(
        "request",
        lambda request: offsets.append(int(request.headers["upload-offset"])) if request.method == "PATCH" else None,
    )
    second.goto(album)
    acts.upload(second, [big])
    acts.expect_ready(second, "Big", 60)
    # It goes on behind what had arrived: at least the piece that was answered, and never from the start.
    assert received <= offsets[0] < big.stat().st_size
