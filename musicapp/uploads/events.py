"""What happens to uploads."""

from __future__ import annotations

from dataclasses import dataclass

from musicapp.core.events import Event


@dataclass(frozen=True, slots=True)
class UploadReceived(Event):
    """Every byte of a file is on disk. Sent once in an upload's life, whichever way the file came."""

    upload_id: int
    user_id: int
    album_id: int
