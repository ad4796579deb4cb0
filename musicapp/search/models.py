"""What can be found. The tables that find (FTS5, tsvector, trigrams) hang on these two, by migration 0005."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from musicapp.core.db import Base, utc_now
from musicapp.search.places import KINDS


class SearchEntry(Base):
    """One thing that everybody may find. What is not public has no entry. Texts are tokens with spaces between."""

    __tablename__ = "search_entries"
    __table_args__ = (
        CheckConstraint(f"kind IN ({','.join(map(repr, KINDS))})", name="kind"),
        UniqueConstraint("kind", "subject_id"),
        UniqueConstraint("place"),
        Index("ix_search_entries_title_place", "title", "place"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int]
    title: Mapped[str] = mapped_column(String(500))
    words: Mapped[str] = mapped_column(Text)
    """What else finds it: names of artists, of the album, other spellings of the title."""
    facets: Mapped[str] = mapped_column(Text, default="")
    """Year and genres, as tokens (tokens.facet_of_year, facet_of_genre)."""
    place: Mapped[int] = mapped_column(BigInteger)
    """Kind, popularity and subject in one number (places.py): the finding tables are read in its order."""
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class SearchWord(Base):
    """A word that stands, or once stood, in some entry: what a mistyped one may have meant."""

    __tablename__ = "search_words"

    id: Mapped[int] = mapped_column(primary_key=True)
    word: Mapped[str] = mapped_column(String(40), unique=True)


def is_model_table(name: str | None, kind: str, _parents: Mapping[Any, Any]) -> bool:
    """For Alembic's include_name: the tables that find (search_index…) are made by migration 0005, not by models."""
    return not (kind in {"table", "index"} and (name or "").startswith("search_index"))
