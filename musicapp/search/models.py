"""What can be found. The tables that find (FTS5, tsvector, trigrams) hang on this one, by migration 0005."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from musicapp.core.db import Base, utc_now

KINDS = ("artist", "album", "track", "playlist", "person")


class SearchEntry(Base):
    """One thing that everybody may find. What is not public has no entry."""

    __tablename__ = "search_entries"
    __table_args__ = (
        CheckConstraint("kind IN ('artist','album','track','playlist','person')", name="kind"),
        UniqueConstraint("kind", "subject_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    subject_id: Mapped[int]
    title: Mapped[str] = mapped_column(String(500))
    """Folded: small letters without accents."""
    words: Mapped[str] = mapped_column(Text)
    """Folded: title, names of artists, of the album; whatever should be found."""
    popularity: Mapped[int] = mapped_column(default=0)
    year: Mapped[int | None]
    genres: Mapped[str] = mapped_column(String(400), default="")
    """Slugs between spaces: " rock hip-hop "."""
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
