"""The bytes of an event stream: what htmx's hx-sse reads, made once for every listener."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import escape

if TYPE_CHECKING:
    from musicapp.live.log import Cursor

# The first bytes: they make proxies and browsers open the stream. Browsers that reconnect by themselves wait a second.
OPENING = b"retry: 1000\n: open\n\n"


@dataclass(frozen=True, slots=True)
class Partial:
    """One swap in the page: `html` goes to the elements that `target` (a CSS selector) finds, by htmx's `swap`."""

    target: str
    html: str
    swap: str = "outerHTML"

    @classmethod
    def remove(cls, element_id: str) -> Partial:
        """Takes the element out of the page."""
        return cls(f"#{element_id}", "", "delete")

    @classmethod
    def append(cls, container_id: str, element_id: str, html: str, *, swap: str = "beforeend") -> list[Partial]:
        """Puts a new element into a container, in place of one of that id: a replay must not show it twice."""
        return [cls.remove(element_id), cls(f"#{container_id}", html, swap)]


def partial_html(partials: Sequence[Partial]) -> str:
    """The partials as htmx 4 wants them in one message."""
    return "".join(
        f'<hx-partial hx-target="{escape(partial.target)}" hx-swap="{escape(partial.swap)}">'
        f"{partial.html.strip()}</hx-partial>"
        for partial in partials
    )


def message(text: str, cursor: Cursor | None, event: str | None = None) -> bytes:
    """One event. Without a name htmx swaps its text, with one the browser gets a DOM event."""
    head = f"id: {cursor}\n" if cursor else ""
    if event:
        head += f"event: {event}\n"
    # The format ends a line at each of \r\n, \r and \n, and only at these.
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return (head + "".join(f"data: {line}\n" for line in lines) + "\n").encode()


def resync(cursor: Cursor | None) -> bytes:
    """Tells the page to fetch itself again; its cursor is where the stream goes on."""
    return message("resync", cursor, "resync")


def heartbeat(cursor: Cursor | None) -> bytes:
    """Keeps proxies from cutting a quiet stream, and moves the page's cursor along.

    A listener of a quiet topic would else fall off the log though it missed nothing. A named event, as scripts that
    use EventSource see no id without one.
    """
    return b": beat\n" + message("cursor", cursor, "cursor") if cursor else b": beat\n\n"
