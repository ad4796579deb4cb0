"""Who may hear of a library: whose it is."""

from __future__ import annotations

from typing import Any

from musicapp.live.registry import topic


@topic("library")
def may_hear_library(viewer: Any, user_id: int | None) -> bool:
    return user_id is not None and viewer.id == user_id
