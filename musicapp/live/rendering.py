"""From an update to the bytes of its frame, the same for every listener."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from flask import Flask

from musicapp.core.db import reading
from musicapp.live.frames import Partial, message, partial_html, resync
from musicapp.live.log import POKE, LiveUpdate
from musicapp.live.registry import Registry, Rendered

logger = logging.getLogger(__name__)


class FragmentRenderer:
    """Renders updates for nobody in particular: as a stranger's GET request, with a session that only reads."""

    def __init__(self, app: Flask, registry: Registry) -> None:
        self._app = app
        self._registry = registry

    def frames(self, updates: Iterable[LiveUpdate]) -> list[bytes]:
        """The frame of each update, b"" where there is nothing to show. One short database session for all."""
        with self._stranger():
            return [self._frame(update) for update in updates]

    @contextmanager
    def _stranger(self) -> Iterator[None]:
        # An app context of its own has a session of its own: that of the request that waits for a replay may see an
        # older state. A request context makes url_for write paths.
        address = self._app.config.get("SITE_URL")
        with reading(), self._app.app_context(), self._app.test_request_context("/live", base_url=address):
            yield

    def _frame(self, update: LiveUpdate) -> bytes:
        if update.kind.startswith(POKE):
            name = update.kind.removeprefix(POKE)
            return message(name, update.cursor, name)
        renderer = self._registry.renderer(update.topic, update.kind)
        if renderer is None:
            logger.error("Nothing renders %r for %r; declare it with registry.fragment.", update.kind, update.topic)
            return b""
        try:
            partials = _as_partials(update, renderer(update.ref))
        except Exception:
            logger.exception("The fragment %s-%d of %s can't be rendered.", update.kind, update.ref, update.topic)
            # The page then shows what the database says; percent comes again by itself.
            return resync(update.cursor) if update.cursor else b""
        return message(partial_html(partials), update.cursor) if partials else b""


def _as_partials(update: LiveUpdate, rendered: Rendered) -> list[Partial]:
    if rendered is None:
        return []
    if isinstance(rendered, str):
        return [Partial(f"#{update.kind}-{update.ref}", rendered)]
    if isinstance(rendered, Partial):
        return [rendered]
    return list(rendered)
