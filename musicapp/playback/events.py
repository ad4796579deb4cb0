"""What happens to plays."""

from __future__ import annotations

from dataclasses import dataclass

from musicapp.core.events import Event


@dataclass(frozen=True, slots=True)
class PlayCounted(Event):
    """A listener has heard a track once more, or several times. `user_id` is None for somebody without an account."""

    user_id: int | None
    track_id: int
    album_id: int
