"""The event that every subject of bench/live.py sends: 300 bytes with the instant of its publishing."""

from __future__ import annotations

CHANNEL = "bench"
TARGET_BYTES = 300


def fragment_html(published_ns: int) -> str:
    """A row as a page shows it; bench/live_client.c looks for its id."""
    html = f'<li class="track" id="row-{published_ns}"><progress max="100" value="42"></progress>'
    return html + "·".ljust(TARGET_BYTES - 100 - len(html), "x") + "</li>"


def event_html(published_ns: int) -> str:
    """The same as musicapp's hub wraps it, for the subjects that send HTML as it is."""
    return f'<hx-partial hx-target="#row-{published_ns}" hx-swap="outerHTML">{fragment_html(published_ns)}</hx-partial>'
