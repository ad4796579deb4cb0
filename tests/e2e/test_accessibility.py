"""Everybody can use the site: axe finds nothing, the keyboard alone does everything, names are what people are told."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.audio.make import picture
from tests.e2e import acts
from tests.e2e.stage import LONG, Stage, outside, press_on, tab_to
from tests.servers import Site, wait_for

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.usefixtures("print_output")]

AXE = next((Path(__file__).parent / "vendor").glob("axe-core-*/axe.min.js")).read_text(encoding="utf-8")
LOOKS = [("dark", 1280), ("light", 390)]
"""Each theme and each width once: colours are the same tokens at any width."""
TARGET_PX = 40
# Text links inside a sentence may be as low as their line (WCAG 2.5.8); these stand alone.
TARGETS = (
    "button, .button, .nav-link, .person, .brand-mark, summary, select, label:has(> [type=radio]), "
    "input:not([type=hidden], [type=checkbox], [type=radio])"
)


@pytest.fixture(scope="module")
def stage(
    shared_site: Site, browser: Browser, songs: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    (folder / "letter.mp3").write_text("Not a sound in here.")
    context = browser.new_context(base_url=shared_site.url)
    context.set_default_timeout(15_000)
    page = context.new_page()
    acts.register(page, "alice", artist_name="Alice Ray")
    acts.create_album(page, "Rindfleischetikettierungsüberwachungsaufgaben")
    draft = path_of(page).removeprefix("/studio")
    acts.upload(page, [folder / "letter.mp3"])
    expect(page.locator(".upload-row[data-stage=failed]")).to_be_visible(timeout=60_000)
    acts.create_album(page, "Low Tide", cover=picture(folder / "cover.png", size="640x640"))
    album = path_of(page).removeprefix("/studio")
    acts.upload(page, songs)
    for title in ("Shells", "Kelp", "Moon"):
        acts.expect_ready(page, title)
    acts.publish(page)
    page.goto(album)
    track = page.locator("main .row-title").first.get_attribute("href") or ""
    artist = page.locator(".album-head-facts a").first.get_attribute("href") or ""
    made = sent(page, "/playlists/", name="Rindfleischetikettierungsüberwachung", album_id=album.rpartition("/")[2])
    playlist = f"/playlists/{made['playlist_id']}"
    page.goto("/studio/announcements/new")
    page.get_by_label("Title").fill("Nine cities in March")
    page.get_by_label("Your words").fill("Tickets: https://example.org/tour")
    page.get_by_role("button", name="Save and preview").click()
    expect(page.get_by_role("heading", name="What they get")).to_be_visible()
    announcement = path_of(page)
    failed = wait_for(lambda: failed_job(page), 30)
    yield Stage(shared_site, dict(context.storage_state()), album, draft, track, artist, playlist, failed, announcement)
    context.close()


def sent(page: Page, door: str, **fields: str) -> Any:
    """What a form answers to a script of the open page."""
    post = "{method: 'POST', body: new URLSearchParams(fields), headers: {Accept: 'application/json'}}"
    return page.evaluate(f"([door, fields]) => fetch(door, {post}).then(found => found.json())", [door, fields])


def path_of(page: Page) -> str:
    return "/" + page.url.split("/", 3)[3]


def failed_job(page: Page) -> str:
    """The page of the owner's job that failed; "" while there is none."""
    for number in range(1, 40):
        answer = page.request.get(f"/jobs/{number}", headers={"Accept": "application/json"})
        if answer.ok and answer.json()["state"] == "failed":
            return f"/jobs/{number}"
    return ""


@pytest.fixture
def open_as(stage: Stage, browser: Browser) -> Iterator[Callable[..., Page]]:
    """`open_as("owner", theme="dark", width_px=390)`: a page of a browser; narrow ones are touched by fingers."""
    contexts: list[BrowserContext] = []

    def open_page(who: str, theme: str = "dark", width_px: int = 1280) -> Page:
        is_phone = width_px < 600
        options: dict[str, Any] = {"storage_state": stage.owner} if who == "owner" else {}
        context = browser.new_context(
            base_url=stage.site.url,
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",  # a page that still fades in has other colours
            viewport={"width": width_px, "height": 800},
            is_mobile=is_phone,
            has_touch=is_phone,
            **options,
        )
        context.set_default_timeout(15_000)
        contexts.append(context)
        return context.new_page()

    yield open_page
    for context in contexts:
        context.close()


def complaints(page: Page) -> list[str]:
    """What axe has against the page as it is now, one line per element."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)")
    return [
        f"{path_of(page)}: {rule['id']}: {node['html'][:160]} {node['failureSummary']}"
        for rule in found
        for node in rule["nodes"]
    ]


@pytest.mark.parametrize(("theme", "width_px"), LOOKS)
def test_axe_finds_nothing_on_any_main_page(
    stage: Stage, open_as: Callable[..., Page], theme: str, width_px: int
) -> None:
    browsers = {who: open_as(who, theme, width_px) for who in ("owner", "stranger")}
    found: list[str] = []
    for who, path in stage.pages:
        page = browsers[who]
        page.goto(path)
        expect(page.get_by_role("main")).to_be_visible()
        found += complaints(page)
    page = browsers["owner"]
    sent(page, "/queue/replace", album_id=stage.album.rpartition("/")[2])
    page.goto("/queue")
    expect(page.get_by_role("heading", name="3 tracks")).to_be_visible()
    found += complaints(page)
    sent(page, "/queue/clear")
    page.goto(stage.playlist)
    page.get_by_role("main").get_by_role("button", name="Add to playlist").first.click()
    expect(page.get_by_role("dialog", name="Add to playlist")).to_be_visible()
    found += complaints(page)
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    found += complaints(page)
    assert found == []


@pytest.mark.parametrize(("theme", "width_px"), LOOKS)
def test_axe_finds_nothing_while_the_player_plays_with_its_panels_open(
    stage: Stage, open_as: Callable[..., Page], theme: str, width_px: int
) -> None:
    page = open_as("stranger", theme, width_px)
    page.goto(stage.album)
    page.get_by_role("main").get_by_role("button", name="Play", exact=True).click()
    acts.expect_playing(page)
    player = page.get_by_role("region", name="Player", exact=True)
    if width_px < 600:
        player.get_by_role("button", name="Open the player").click()
    found = complaints(page)
    for name in ("Sound settings", "Play queue"):
        player.get_by_role("button", name=name, exact=True).click()
        expect(page.get_by_role("region", name=name, exact=True)).to_be_visible()
        found += complaints(page)
    if width_px >= 600:
        page.keyboard.press("f")
    expect(player.get_by_role("heading", name="Credits")).to_be_visible()
    found += complaints(page)
    assert found == []


def test_axe_finds_nothing_on_forms_that_were_refused(stage: Stage, open_as: Callable[..., Page]) -> None:
    stranger, owner = open_as("stranger", "light"), open_as("owner", "dark")
    stranger.goto("/register")
    stranger.get_by_role("button", name="Create account", exact=True).click()
    expect(stranger.get_by_label("Username", exact=True)).to_have_attribute("aria-invalid", "true")
    found = complaints(stranger)
    stranger.goto("/login")
    stranger.get_by_label("Username", exact=True).fill("alice")
    stranger.get_by_label("Password", exact=True).fill("wrong")
    stranger.get_by_role("button", name="Log in", exact=True).click()
    expect(stranger.locator(".field-error")).not_to_have_count(0)
    found += complaints(stranger)
    owner.goto(f"/studio{stage.draft}")
    owner.get_by_role("button", name="Publish", exact=True).click()
    expect(owner.locator(".notice")).not_to_have_count(0)
    found += complaints(owner)
    assert found == []


def test_fingers_find_every_control_and_no_name_is_wider_than_a_phone(
    stage: Stage, open_as: Callable[..., Page]
) -> None:
    browsers = {who: open_as(who, "light", 390) for who in ("owner", "stranger")}
    small: list[str] = []
    for who, path in stage.pages:
        page = browsers[who]
        page.goto(path)
        small += page.evaluate(
            """([controls, least]) => [...document.querySelectorAll(controls)]
                .filter((control) => control.checkVisibility({ visibilityProperty: true }))
                .map((control) => [control, control.getBoundingClientRect()])
                .filter(([, box]) => Math.min(box.width, box.height) < least - 0.5)
                .map(([control, box]) => `${location.pathname}: ${Math.round(box.width)} x ${Math.round(box.height)} `
                    + control.outerHTML.slice(0, 120))""",
            [TARGETS, TARGET_PX],
        )
        for width_px in (390, 320):
            page.set_viewport_size({"width": width_px, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width_px, f"{path} at {width_px} px"
            small += outside(page)
        small += outside(page, LONG)
    assert small == [], "\n".join(small)


def test_fields_and_buttons_have_the_names_that_people_are_told(
    stage: Stage, open_as: Callable[..., Page], songs: list[Path]
) -> None:
    stranger, owner = open_as("stranger"), open_as("owner")

    stranger.goto("/register")
    for name in ("Username", "Email", "Password", "Artist name"):
        expect(stranger.get_by_label(name, exact=True)).to_be_editable()
        assert stranger.get_by_role("textbox", name=name, exact=True).count() == 1
    expect(stranger.get_by_role("checkbox", name="I publish music", exact=True)).to_be_visible()
    expect(stranger.get_by_role("button", name="Create account", exact=True)).to_be_enabled()
    stranger.goto("/login")
    for name in ("Username", "Password"):
        expect(stranger.get_by_label(name, exact=True)).to_be_editable()
    expect(stranger.get_by_role("button", name="Log in", exact=True)).to_be_enabled()

    owner.goto("/studio/albums/new")
    for name in ("Title", "Kind", "Release date", "Cover"):
        expect(owner.get_by_label(name, exact=True)).to_be_enabled()
    expect(owner.get_by_role("combobox", name="Kind", exact=True)).to_be_visible()
    expect(owner.get_by_role("button", name="Create album", exact=True)).to_be_enabled()
    expect(owner.get_by_role("button", name="Log out", exact=True)).to_be_enabled()
    expect(owner.get_by_role("link", name="Home", exact=True)).to_be_visible()

    owner.goto(f"/studio{stage.draft}")
    for name in ("Title", "Kind", "Release date", "Cover"):
        expect(owner.get_by_label(name, exact=True)).to_be_enabled()
    expect(owner.get_by_label("Audio files", exact=True)).to_have_attribute("type", "file")
    expect(owner.get_by_role("button", name="Publish", exact=True)).to_be_enabled()
    owner.route("**/uploads/**", lambda _route: None)  # a server that never answers: the row waits
    owner.get_by_label("Audio files", exact=True).set_input_files(songs[0])
    row = owner.locator(".upload-row").filter(has_text=songs[0].name)
    expect(row.get_by_role("button", name="Cancel", exact=True)).to_be_visible()
    owner.goto(f"/studio{stage.album}")
    expect(owner.locator("[data-track]").first.get_by_text("Ready", exact=True)).to_be_visible()
    owner.goto(stage.failed_job)
    expect(owner.get_by_role("button", name="Try again", exact=True)).to_be_enabled()


def test_player_has_its_names_on_every_page_before_anything_plays(stage: Stage, open_as: Callable[..., Page]) -> None:
    page = open_as("stranger")
    for path in ("/", stage.album, "/login", "/nothing-here"):
        page.goto(path)
        player = page.get_by_role("region", name="Player", exact=True)
        for name in ("Play", "Next", "Previous"):
            expect(player.get_by_role("button", name=name, exact=True)).to_be_visible()
        for name in ("Seek", "Volume"):
            expect(player.get_by_role("slider", name=name, exact=True)).to_be_visible()
    page.goto(stage.album)
    page.get_by_role("main").get_by_role("button", name="Play", exact=True).click()
    player = page.get_by_role("region", name="Player", exact=True)
    expect(player.get_by_role("button", name="Pause", exact=True)).to_be_enabled()
    expect(player.get_by_role("button", name="Play", exact=True)).to_have_count(0)


def test_keyboard_alone_publishes_an_album_and_plays_it(
    stage: Stage, open_as: Callable[..., Page], songs: list[Path]
) -> None:
    page = open_as("stranger")
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the page")).to_be_focused()
    press_on(page, page.get_by_role("link", name="Create an account"))
    for name, words in (("Username", "kim"), ("Email", "kim@example.org"), ("Password", acts.PASSWORD)):
        tab_to(page, page.get_by_label(name, exact=True))
        page.keyboard.type(words)
    press_on(page, page.get_by_label("I publish music", exact=True), " ")
    tab_to(page, page.get_by_label("Artist name", exact=True))
    page.keyboard.type("Kim Lo")
    press_on(page, page.get_by_role("button", name="Create account", exact=True))
    expect(page.get_by_role("button", name="Log out", exact=True)).to_be_visible()

    press_on(page, page.get_by_role("link", name="Studio", exact=True))
    press_on(page, page.get_by_role("link", name="New album", exact=True).first)
    tab_to(page, page.get_by_label("Title", exact=True))
    page.keyboard.type("Keys Only")
    tab_to(page, page.get_by_label("Kind", exact=True))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Kind", exact=True)).to_have_value("ep")
    press_on(page, page.get_by_role("button", name="Create album", exact=True))

    tab_to(page, page.get_by_label("Audio files", exact=True))
    acts.upload(page, songs)  # the file chooser belongs to the browser
    for title in ("Shells", "Kelp", "Moon"):
        acts.expect_ready(page, title)
    moon = page.locator("[data-track]").filter(has_text="Moon")
    press_on(page, moon.get_by_role("button", name="Move up"))
    expect(page.locator("main .row-title")).to_have_text(["Shells", "Moon", "Kelp"])
    press_on(page, page.get_by_role("button", name="Publish", exact=True))
    press_on(page, page.get_by_role("link", name="See it as others do", exact=True))

    expect(page.get_by_role("main").get_by_role("button", name="Play", exact=True)).to_be_visible()
    press_on(page, page.get_by_role("main").get_by_role("button", name="Play Shells", exact=True), " ")
    acts.expect_playing(page)
    player = page.get_by_role("region", name="Player", exact=True)
    tab_to(page, player.get_by_role("slider", name="Seek", exact=True))
    before_s = acts.seconds_played(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_function("t => document.querySelector('audio').currentTime >= t", arg=before_s + 9)
    press_on(page, player.get_by_role("button", name="Next", exact=True))
    expect(player.locator("#player-title")).to_have_text("Moon")
    press_on(page, player.get_by_role("button", name="Pause", exact=True), " ")
    expect(player.get_by_role("button", name="Play", exact=True)).to_be_focused()

    press_on(page, player.get_by_role("button", name="Play queue", exact=True))
    queue = page.get_by_role("region", name="Play queue", exact=True)
    expect(queue.locator(".queue-title")).to_have_text(["Shells", "Moon", "Kelp"])
    press_on(page, queue.get_by_role("button", name="Move up: Kelp", exact=True))
    expect(queue.locator(".queue-title")).to_have_text(["Shells", "Kelp", "Moon"])
    page.keyboard.press("Escape")
    expect(queue).to_be_hidden()
    expect(player.get_by_role("button", name="Play queue", exact=True)).to_be_focused()


def test_what_listeners_press_has_the_names_that_people_are_told(stage: Stage, open_as: Callable[..., Page]) -> None:
    page = open_as("owner")
    for path in ("/library", "/library/history", "/search?q=kelp", "/albums/", "/artists/", "/genres/"):
        answer = page.goto(path)
        assert answer is not None
        assert answer.status == 200, path
        expect(page.get_by_role("searchbox", name="Search", exact=True)).to_be_editable()
    for path, names in (
        ("/playlists/", ["New playlist"]),
        (stage.album, ["Like", "Add to playlist", "Add to queue", "Play next"]),
        (stage.artist, ["Follow"]),
        (stage.playlist, ["Invite", "Add to queue", "Add to playlist", "Undo"]),
        (f"{stage.playlist}/people", ["Invite"]),
        (f"{stage.track}/menu", ["Play next", "Add to queue", "Add to playlist", "Like"]),
    ):
        page.goto(path)
        for name in names:
            expect(page.get_by_role("main").get_by_role("button", name=name, exact=True).first).to_be_visible()
    page.goto(stage.playlist)
    rows = page.locator("#playlist-rows").get_by_role("listitem")
    expect(rows).to_have_count(3)
    for row, title in zip(rows.all(), ("Shells", "Kelp", "Moon"), strict=True):
        expect(row).to_have_accessible_name(re.compile(f"^{title}\\b"))
        for name in ("Move up", "Move down", "Remove"):
            expect(row.get_by_role("button", name=name, exact=True)).to_have_count(1)


def test_keyboard_alone_builds_a_playlist_likes_searches_and_queues(stage: Stage, open_as: Callable[..., Page]) -> None:
    page = open_as("owner", "light")
    page.goto("/playlists/")
    press_on(page, page.get_by_role("main").get_by_role("button", name="New playlist", exact=True))
    expect(page.get_by_role("heading", name="Nothing here yet")).to_be_visible()
    made = page.url

    page.keyboard.press("/")
    expect(page.get_by_role("searchbox", name="Search", exact=True)).to_be_focused()
    page.keyboard.type("low tide")
    expect(page.locator(".top-hit")).to_contain_text("Low Tide")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Low Tide", exact=True)).to_be_visible()
    press_on(page, page.get_by_role("main").get_by_role("button", name="Add to playlist", exact=True).first)
    press_on(page, page.get_by_role("dialog").get_by_role("button", name=re.compile("^New playlist 0 tracks")))
    expect(page.locator("#toasts")).to_contain_text("Added 3 tracks")

    page.goto(made)
    titles = page.locator("#playlist-rows .row-title")
    expect(titles).to_have_text(["Shells", "Kelp", "Moon"])
    expect(page.locator(".playlist.is-live")).to_be_visible()
    shells = page.get_by_role("listitem", name=re.compile("^Shells"))
    press_on(page, shells.get_by_role("button", name="Move down", exact=True))
    expect(titles).to_have_text(["Kelp", "Shells", "Moon"])
    press_on(
        page, page.get_by_role("listitem", name=re.compile("^Moon")).get_by_role("button", name="Move up", exact=True)
    )
    expect(titles).to_have_text(["Kelp", "Moon", "Shells"])
    page.keyboard.press("Alt+ArrowUp")
    expect(titles).to_have_text(["Moon", "Kelp", "Shells"])
    page.keyboard.press("Control+z")
    expect(titles).to_have_text(["Kelp", "Moon", "Shells"])
    press_on(page, shells.get_by_role("button", name="Remove", exact=True))
    expect(titles).to_have_text(["Kelp", "Moon"])
    press_on(page, page.locator("#toasts").get_by_role("button", name="Undo", exact=True), " ")
    expect(titles).to_have_text(["Kelp", "Moon", "Shells"])

    like = shells.get_by_role("button", name="Like", exact=True)
    press_on(page, like)
    expect(like).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("e")
    expect(page.locator("#toasts")).to_contain_text("Added to the play queue.")
    page.keyboard.press("g")
    page.keyboard.press("q")
    expect(page).to_have_url(re.compile("/queue$"))
    expect(page.locator("main .row-title", has_text="Shells").first).to_be_visible()
