"""Events: frozen, past-tense dataclasses that carry ids. Handlers run inside the publisher's transaction.

A handler may only add jobs, note live updates and write rows of its own room, so that an effect is stored if and only
if its cause is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import current_app


@dataclass(frozen=True, slots=True)
class Event:
    """Something that has happened."""


Handler = Callable[[Any], None]
H = TypeVar("H", bound=Handler)


def on(event_type: type[Event]) -> Callable[[H], H]:
    """Marks a function of a handlers.py as a reaction to `event_type`; features.py collects them. May be repeated."""

    def mark(handler: H) -> H:
        kinds: list[type[Event]] = getattr(handler, "__events__", [])
        handler.__events__ = [*kinds, event_type]  # type: ignore[attr-defined]
        return handler

    return mark


def publish(event: Event) -> None:
    """Runs every handler of the event, in the order of features.py. A failing handler fails the transaction."""
    handlers: dict[type[Event], list[Handler]] = current_app.extensions["event_handlers"]
    for handler in handlers.get(type(event), ()):
        handler(event)
