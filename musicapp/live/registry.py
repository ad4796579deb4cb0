"""What a live update renders, and who may hear a topic. Filled by the rooms' fragments.py, listed in features.py."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from musicapp.live.frames import Partial

Rendered = str | Partial | Sequence[Partial] | None
Renderer = Callable[[int], Rendered]
MayHear = Callable[[Any, int | None], bool]
K = TypeVar("K")
F = TypeVar("F")

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_TOPIC = re.compile(r"([a-z][a-z0-9_]*)(?:-([0-9]{1,18}))?")


def split_topic(topic: str) -> tuple[str, int | None]:
    """`album-3` is ("album", 3), `home` is ("home", None). Raises ValueError for what can't be a topic."""
    match = _TOPIC.fullmatch(topic)
    if match is None:
        raise ValueError(f"{topic!r} is no topic: write a name, or a name, a hyphen and a number.")
    number = match.group(2)
    return match.group(1), int(number) if number else None


class Registry:
    """The renderers by (topic's name, kind) and the door-keepers by topic's name."""

    def __init__(self) -> None:
        self._renderers: dict[tuple[str | None, str], Renderer] = {}
        self._may_hear: dict[str, MayHear] = {}

    def fragment(self, kind: str, *, topic: str | None = None) -> Callable[[Renderer], Renderer]:
        """Declares what renders `kind`; with `topic="studio"` only for listeners of `studio-…`.

        The function gets the id and returns HTML with one root element whose id is `<kind>-<id>`, or a Partial or
        several (see frames.Partial), or None when there is nothing to show. It runs with a request context of a
        stranger's GET request and a session that only reads.
        """
        _check_name(kind)
        return lambda renderer: _keep(self._renderers, (topic, kind), renderer)

    def topic(self, name: str) -> Callable[[MayHear], MayHear]:
        """Declares who may hear `name` or `name-<id>`: a function of the viewer (flask-login's user) and the id."""
        _check_name(name)
        return lambda may_hear: _keep(self._may_hear, name, may_hear)

    def renderer(self, topic: str, kind: str) -> Renderer | None:
        name = split_topic(topic)[0]
        return self._renderers.get((name, kind)) or self._renderers.get((None, kind))

    def may_hear(self, viewer: Any, topic: str) -> bool:
        """False for what nobody declared, and for what is no topic at all."""
        try:
            name, number = split_topic(topic)
        except ValueError:
            return False
        decides = self._may_hear.get(name)
        return decides is not None and bool(decides(viewer, number))


def _check_name(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise ValueError(f"{name!r} can't name a kind or a topic: use small letters, digits and underscores.")


def _keep(kept: dict[K, F], key: K, function: F) -> F:
    if kept.setdefault(key, function) is not function:
        raise ValueError(f"{key!r} is declared twice, by {kept[key]!r} and {function!r}.")
    return function


declared = Registry()
"""The site's own registry; tests and benches may make others."""

fragment = declared.fragment
topic = declared.topic
