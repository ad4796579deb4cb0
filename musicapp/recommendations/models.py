"""Suggestions, made again every night."""

from __future__ import annotations

from sqlalchemy import Float, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from musicapp.core.db import Base


class SimilarArtist(Base):
    """Another artist whom the same people hear: what a page may suggest."""

    __tablename__ = "similar_artists"

    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id", ondelete="CASCADE"), primary_key=True)
    place: Mapped[int] = mapped_column(primary_key=True)
    other_id: Mapped[int] = mapped_column(ForeignKey("artists.id", ondelete="CASCADE"), index=True)
    score: Mapped[float] = mapped_column(Float)
    """Cosine of the two sets of listeners, 0 to 1."""
