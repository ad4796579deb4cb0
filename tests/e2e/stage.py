"""What the tests for everybody look at, and how they go about: all main pages, the keyboard, what leaves a screen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.servers import Site

NAMES = """h1, .row-title, .row-artists, .row-artists a, .row-album a, .album-card-title, .album-card-line, .tile-name,
    .top-hit-name, .top-hit p, .text-link, .chips .chip, .album-head-facts a, .list-words b, .playlist-description,
    .queue-now-words a, .chooser p"""
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft 夜明けのうた أغاني الصباح"
# What an ancestor scrolls or cuts with dots may be wider than the screen; the shell itself only hides what has left it.
OUTSIDE = """([names, long]) => {
    if (long) for (const name of document.querySelectorAll("main :is(" + names + ")"))
        if (!name.children.length) name.textContent = long;
    const isKept = (element) => {
        for (let up = element.parentElement; up && !up.matches(".shell"); up = up.parentElement)
            if (getComputedStyle(up).overflowX !== "visible") return true;
        return false;
    };
    const shown = "main :is(a, button, input, select, h1, h2, h3, p, img, time, td, li, span), .topbar *";
    return [...document.querySelectorAll(shown)]
        .filter((element) => element.checkVisibility({ visibilityProperty: true }))
        .map((element) => [element, element.getBoundingClientRect()])
        .filter(([element, box]) => box.width > 1 && (box.right > innerWidth + 1 || box.left < -1) && !isKept(element))
        .map(([element, box]) => `${location.pathname}: to ${Math.round(box.right)} ${element.outerHTML.slice(0, 120)}`)
        .slice(0, 3);
}"""


@dataclass(frozen=True)
class Stage:
    """A site with a published album, a draft and a refused file, and what its owner's browser keeps."""

    site: Site
    owner: dict[str, Any]
    album: str
    """Path of the published album, such as /albums/1; the studio's begins with /studio. The playlist holds it."""
    draft: str
    track: str
    artist: str
    playlist: str
    failed_job: str
    announcement: str
    """A draft of the owner's artist, with the previews of its notice and its mail."""

    @property
    def pages(self) -> list[tuple[str, str]]:
        """(who looks: owner or stranger, path), every main page once."""
        track_edit = self.track.replace("/tracks", "/studio/tracks")
        artist_edit = self.artist.replace("/artists", "/studio/artists")
        for_all = ["/", "/login", "/register", "/forgot", self.album, self.track, self.artist, "/nothing-here"]
        for_all += ["/search?q=shells", "/queue", "/unsubscribe/cut-off"]
        for_owner = ["/", "/albums/", "/artists/", "/genres/", "/years/", "/random"]
        for_owner += [self.album, self.artist, self.track, f"{self.track}/menu", "/studio/", "/studio/albums/new"]
        for_owner += [f"/studio{self.album}", f"/studio{self.draft}", track_edit, artist_edit]
        for_owner += ["/library", "/library?kind=artists", "/library/history", "/library/history/delete"]
        for_owner += ["/search", "/search?q=shells", "/search?q=nothing+like+it", "/queue", "/playlists/"]
        for_owner += [self.playlist, *(f"{self.playlist}/{name}" for name in ("edit", "people", "history"))]
        for_owner += [f"{self.playlist}?sort=title", f"/playlists/choose?album_id={self.album.rpartition('/')[2]}"]
        for_owner += ["/playlists/999", "/settings", "/people/alice", self.failed_job]
        for_owner += ["/notifications", "/settings/notifications", "/studio/announcements/new", self.announcement]
        return [*(("stranger", path) for path in for_all), *(("owner", path) for path in for_owner)]


def outside(page: Page, long: str = "") -> list[str]:
    """What stands beside the screen, one line per element; with `long` as the name of everything."""
    found: list[str] = page.evaluate(OUTSIDE, [NAMES, long])
    return found


def tab_to(page: Page, wanted: Locator, presses: int = 120) -> None:
    """Presses Tab until `wanted` has the focus, and checks that the focus shows."""
    expect(wanted).to_be_attached()
    for _ in range(presses):
        if wanted.evaluate("element => element === document.activeElement"):
            shown = wanted.evaluate(
                """element => [element, element.closest('.album-card')?.querySelector('.cover')]
                    .some((part) => part && getComputedStyle(part).outlineStyle !== 'none')"""
            )
            assert shown, f"nobody sees that {wanted} has the focus"
            return
        page.keyboard.press("Tab")
    raise AssertionError(
        f"Tab does not reach {wanted}; the focus is on {page.evaluate('document.activeElement.outerHTML')[:200]}"
    )


def press_on(page: Page, wanted: Locator, key: str = "Enter") -> None:
    tab_to(page, wanted)
    page.keyboard.press(key)
