"""Who may listen and read the library: everybody, or, without PUBLIC_LISTENING, whoever is signed in."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import current_app

from musicapp.accounts.identity import current_viewer, refuse_stranger
from musicapp.core.security import public


def may_listen(viewer: Any) -> bool:
    """True where this viewer may hear what is published; for topics and for parts of a page."""
    return bool(current_app.config["PUBLIC_LISTENING"] or viewer.is_authenticated)


def listening_page(view: Callable[..., Any]) -> Callable[..., Any]:
    """Marks a page with music: open to everybody unless PUBLIC_LISTENING is off."""

    @wraps(view)
    def checked(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs) if may_listen(current_viewer()) else refuse_stranger()

    return public(checked)
