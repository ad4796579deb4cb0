"""What the library does when something happens elsewhere."""

from __future__ import annotations

from musicapp.accounts.events import UserDeleted
from musicapp.core.events import on
from musicapp.library import services


@on(UserDeleted)
def empty_library(event: UserDeleted) -> None:
    services.empty_library(event.user_id)
