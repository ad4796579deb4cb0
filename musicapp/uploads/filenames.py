"""File names as people send them, made harmless. They are only ever shown, never used as a path."""

from __future__ import annotations

import re
import unicodedata

MAX_LENGTH = 300
_UNNAMED = "untitled"


def clean_filename(raw: str) -> str:
    """The last part of a path in any spelling, without control and direction characters, at most 300 characters.

    The ending survives the shortening: people recognise a file by it. Never empty.
    """
    text = unicodedata.normalize("NFC", raw.encode("utf-8", "replace").decode("utf-8"))
    last = re.split(r"[/\\]", text)[-1]
    # Cc: control, Cf: invisible and direction-changing, Co/Cs/Cn: no characters at all.
    kept = "".join(character for character in last if unicodedata.category(character)[0] != "C").strip()
    if not kept.strip("."):
        return _UNNAMED
    if len(kept) <= MAX_LENGTH:
        return kept
    stem, dot, ending = kept.rpartition(".")
    if not dot or len(ending) > 10:
        return kept[:MAX_LENGTH]
    return f"{stem[: MAX_LENGTH - len(ending) - 1]}.{ending}"
