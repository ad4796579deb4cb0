"""Names and titles as people type them: cleaned for storing, sorted and folded for finding. Pure."""

from __future__ import annotations

import re
import unicodedata

# They turn the text after them around and reach beyond their own field on a page.
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_SPACES = re.compile(r"\s+")
_BLANK_LINES = re.compile(r"\n{3,}")
_ARTICLE = re.compile(r"(?i)^(the|an?)\s+(\S.*)$")
# Letters that Unicode does not take apart.
_FOLDED = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "ð": "d", "þ": "th"})


def _kept(character: str) -> bool:
    return unicodedata.category(character) not in {"Cc", "Cs", "Co", "Cn"} and character not in _BIDI_CONTROLS


def clean_line(text: str, limit: int) -> str:
    """One line without control characters and doubled spaces, at most `limit` characters. Every script stays."""
    # Spaces first: a line break is a control character too. Then again, where something between two spaces went.
    line = "".join(filter(_kept, _SPACES.sub(" ", text)))
    line = _SPACES.sub(" ", unicodedata.normalize("NFC", line))
    return line.strip()[:limit].rstrip()


def clean_text(text: str, limit: int) -> str:
    """Several lines, cleaned as clean_line does; line breaks stay, at most one empty line in a row."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\u2028", "\n").replace("\u2029", "\n")
    kept = "".join(c for c in lines if c in "\n\t" or _kept(c))
    kept = "\n".join(line.rstrip() for line in unicodedata.normalize("NFC", kept).split("\n"))
    return _BLANK_LINES.sub("\n\n", kept).strip()[:limit].rstrip()


def sort_name(name: str, limit: int) -> str:
    """As a shelf sorts it: "The Beatles" is "Beatles, The". English articles only: "Die" or "La" may be the name."""
    match = _ARTICLE.match(name)
    return (f"{match[2]}, {match[1]}" if match else name)[:limit]


def fold(text: str, limit: int) -> str:
    """For finding: case and accents are gone, so "Beyoncé" and "BEYONCE" are one word.

    Only Latin, Greek and Cyrillic marks go: the marks of Japanese, Hindi or Thai make other letters.
    """
    apart = unicodedata.normalize("NFKD", text.casefold()).translate(_FOLDED)
    bare = "".join(c for c in apart if not "\u0300" <= c <= "\u036f")
    return _SPACES.sub(" ", unicodedata.normalize("NFKC", bare)).strip()[:limit]


def slug(text: str, limit: int = 80) -> str:
    """For addresses and for telling whether two genres are one: letters and digits of any script, joined by "-"."""
    return re.sub(r"[\W_]+", "-", fold(text, limit)).strip("-")[:limit]


def shelf_key(sorted_name: str) -> str:
    """What lists are sorted and paged by, the same on every database: compared byte by byte."""
    return fold(sorted_name, 400)


def shelf_letter(sorted_name: str) -> str:
    """Under which letter of a list it stands: A to Z, another script's own letter, or "#".

    Under "#" stand figures, signs, and scripts without letters to leaf through, such as Chinese.
    """
    first = unicodedata.normalize("NFKD", shelf_key(sorted_name)[:1])[:1].upper()[:1]
    # Lo without a case: Hebrew, Arabic, kana and Hangul have letters; ideographs are thousands.
    has_letters = first.isalpha() and not unicodedata.name(first, "").startswith(("CJK", "TANGUT", "KANGXI"))
    return first if has_letters else "#"
