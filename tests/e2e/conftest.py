"""A real browser against real web, workers, beat, Redis and SMTP sink, started as subprocesses on free ports."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.audio.make import tone
from tests.servers import MailSink, RedisServer, Site

CHROMIUM_OPTIONS = [
    "--no-sandbox",
    "--autoplay-policy=no-user-gesture-required",
    "--disable-gpu",
    # Without these the browser asks its maker's hosts at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        if os.environ.get("MUSICAPP_REQUIRE_BROWSER"):
            raise FileNotFoundError("chromium is not on PATH, and MUSICAPP_REQUIRE_BROWSER asks for it")
        pytest.skip("browser tests: no chromium on PATH")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three tagged songs of 40 seconds: long enough to count as a play, quick to encode."""
    folder = tmp_path_factory.mktemp("songs")
    return [
        tone(
            folder / f"0{number} {title}.{suffix}",
            *("-metadata", f"title={title}", "-metadata", "artist=Alice Ray", "-metadata", f"track={number}"),
            *("-metadata", "album=Low Tide", "-metadata", "genre=Ambient"),
            seconds=40,
            hertz=220 * number,
        )
        for number, title, suffix in ((1, "Shells", "flac"), (2, "Kelp", "mp3"), (3, "Moon", "ogg"))
    ]


def _running_site(folder: Path, redis_server: RedisServer, sink: MailSink) -> Site:
    site = Site(folder, redis_server, MAIL_SERVER="127.0.0.1", MAIL_PORT=str(sink.port))
    site.start()
    return site


@pytest.fixture(scope="session")
def session_sink() -> Iterator[MailSink]:
    sink = MailSink()
    sink.start()
    yield sink
    sink.stop()


@pytest.fixture(scope="session")
def started_site(session_sink: MailSink) -> Iterator[Site]:
    folder = Path(tempfile.mkdtemp(prefix="ma-"))
    server = RedisServer(folder)
    server.start()
    site = _running_site(folder / "site", server, session_sink)
    yield site
    site.stop()
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def module_sink(session_sink: MailSink) -> MailSink:
    session_sink.messages.clear()
    return session_sink


@pytest.fixture(scope="module")
def shared_site(started_site: Site, module_sink: MailSink) -> Site:
    """One whole site for the tests of a module, which only add to it. Its processes are the same for all modules."""
    started_site.empty()
    return started_site


@pytest.fixture
def whole_site(tmp_path: Path, own_redis: RedisServer, mail_sink: MailSink) -> Iterator[Site]:
    """A whole site of this test's own, whose processes it may kill."""
    site = _running_site(tmp_path / "site", own_redis, mail_sink)
    yield site
    site.stop()
    print(site.output())


@pytest.fixture
def open_browser(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """`open_browser(site)` gives a page in a browser profile of its own. Errors on its console fail the test."""
    pages: list[tuple[Page, list[str]]] = []

    def open_page(site: Site, **options: object) -> Page:
        # drawn by the processor, what moves takes half of it
        context = browser.new_context(base_url=site.url, **{"reduced_motion": "reduce", **options})  # type: ignore[arg-type]
        context.set_default_timeout(15_000)
        page = context.new_page()
        errors: list[str] = []
        page.on("pageerror", lambda error: errors.append(f"{page.url}: {error}"))
        page.on("console", lambda message: _keep_violation(message.text, errors))
        pages.append((page, errors))
        return page

    yield open_page
    failed = getattr(request.node, "failed", False)
    shown: list[str] = []
    for number, (page, errors) in enumerate(pages):
        if failed and not page.is_closed():
            folder = Path("test-results")
            folder.mkdir(exist_ok=True)
            page.screenshot(path=folder / f"{request.node.name}-{number}.png")
        shown += errors
        page.context.close()
    assert shown == []


def _keep_violation(text: str, errors: list[str]) -> None:
    if "Content Security Policy" in text:
        errors.append(text)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed:  # type: ignore[attr-defined]
        item.failed = True  # type: ignore[attr-defined]
    return report


@pytest.fixture
def print_output(shared_site: Site) -> Iterator[None]:
    """Shows what the shared site printed when the test fails."""
    yield
    print(shared_site.output())
