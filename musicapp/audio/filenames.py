"""What a file name tells when the tags don't."""

import re
from pathlib import PurePosixPath

from musicapp.audio.tag_values import clean_text

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,5}$")
# "01 - ", "01. ", "1_", "1-07 ", "[03] ": a number that something separates from the title.
_LEADING_NUMBER = re.compile(r"^[\s\[(]*(?:\d{1,2}-)?(\d{1,3})(?:[\])]\s*|\s*[-.–—]+\s+|[-.](?=\D)|\s+|_+)(?=\S)")


def _stem(filename: str) -> str:
    name = PurePosixPath(filename.replace("\\", "/")).name
    return _SUFFIX.sub("", name)


def title_from_filename(filename: str) -> str:
    """Return a title: "01 - Foo_bar.mp3" becomes "Foo bar". Never empty."""
    stem = _stem(filename)
    without_number = _LEADING_NUMBER.sub("", stem, count=1)
    return (
        clean_text(without_number.replace("_", " ").strip(" -–—._")) or clean_text(stem.replace("_", " ")) or "Untitled"
    )


def track_number_from_filename(filename: str) -> int | None:
    """Return the track number that a name begins with: 7 for "07 Foo.flac" and for "1-07 Foo.flac"."""
    match = _LEADING_NUMBER.match(_stem(filename))
    return int(match[1]) or None if match else None
