"""Pictures of people: where their files lie and which sizes there are."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from musicapp.audio.artwork import make_artwork
from musicapp.core.storage import store

SIZES_PX = (96, 320)

_NAME = re.compile(r"([0-9a-f]{32})-(\d{1,4})\.webp")


def avatar_file(name: str) -> Path | None:
    """The file behind /avatars/<name>, such as "ab12…-96.webp"; None for a name that can't be one."""
    match = _NAME.fullmatch(name)
    if match is None or int(match[2]) not in SIZES_PX:
        return None
    return _file(f"avatars/{match[1][:2]}/{match[1]}", int(match[2]))


def make_avatar(source: Path) -> str:
    """Writes all sizes and returns the new key (User.avatar_key). Raises audio.errors.ArtworkError."""
    scratch = store().scratch_dir()
    try:
        made = make_artwork(source, scratch, SIZES_PX)
        key = store().new_key("avatars")
        for image in made.images:
            if image.mime == "image/webp":
                image.path.replace(_file(key, image.size))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return key


def delete_avatar(avatar_key: str) -> None:
    """Removes the files of a key; those that are gone already are fine."""
    for size_px in SIZES_PX:
        _file(avatar_key, size_px).unlink(missing_ok=True)


def _file(avatar_key: str, size_px: int) -> Path:
    return store().path(f"{avatar_key}-{size_px}.webp")
