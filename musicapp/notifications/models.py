"""Notices, who wants to hear of what and how, the ledger of mails, announcements."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from musicapp.core.db import Base, utc_now

WAITING, SENDING, SENT, FAILED, SUPPRESSED, CANCELLED = (
    "waiting",
    "sending",
    "sent",
    "failed",
    "suppressed",
    "cancelled",
)
"""States of a delivery. Suppressed: the reader has unsubscribed, is gone, or the address bounces."""

DRAFT, SCHEDULED, QUEUED, DELIVERED = "draft", "scheduled", "queued", "delivered"
"""States of an announcement, besides `sending`, `failed` and `cancelled`."""


class Notice(Base):
    """One thing that one person is told on the site's own pages."""

    __tablename__ = "notices"
    __table_args__ = (
        UniqueConstraint("user_id", "reason"),
        Index("ix_notices_user_id_id", "user_id", "id"),
        Index("ix_notices_user_id_read_at", "user_id", "read_at"),
        Index("ix_notices_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(64))
    subject_id: Mapped[int | None]
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    """Ids and short strings: what it says is read anew when it is shown."""
    reason: Mapped[str] = mapped_column(String(120))
    """`<kind>/<subject>…`: nobody is told twice for one reason."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    read_at: Mapped[datetime | None]


class NotificationPreference(Base):
    """What a person chose for one kind and one outlet; no row means the kind's own default."""

    __tablename__ = "notification_preferences"
    __table_args__ = (CheckConstraint("frequency IN ('off','now','daily','weekly')", name="frequency"),)

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(64), primary_key=True)
    outlet: Mapped[str] = mapped_column(String(32), primary_key=True)
    frequency: Mapped[str] = mapped_column(String(8))


class DigestEntry(Base):
    """Something that waits for a person's next daily or weekly digest."""

    __tablename__ = "digest_entries"
    __table_args__ = (
        UniqueConstraint("user_id", "outlet", "reason"),
        CheckConstraint("frequency IN ('daily','weekly')", name="frequency"),
        Index("ix_digest_entries_user_id_outlet", "user_id", "outlet", "frequency"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    outlet: Mapped[str] = mapped_column(String(32))
    frequency: Mapped[str] = mapped_column(String(8))
    kind: Mapped[str] = mapped_column(String(64))
    subject_id: Mapped[int | None]
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    reason: Mapped[str] = mapped_column(String(120))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class Delivery(Base):
    """One mail to one address: what the ledger of mails shows, and the outbox of mailings to many.

    A mail of its own is a job (`job_id`, one delivery); a mailing to many is one job with a delivery for each reader.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        CheckConstraint(
            "state IN ('waiting','sending','sent','failed','suppressed','cancelled')",
            name="state",
        ),
        # The next of a mailing, and its counts.
        Index("ix_deliveries_job_id_state", "job_id", "state", "id"),
        Index("ix_deliveries_recipient", "recipient"),
        Index("ix_deliveries_user_id", "user_id"),
        Index("ix_deliveries_kind_id", "kind", "id"),
        Index("ix_deliveries_state_id", "state", "id"),
        Index("ix_deliveries_created_at", "created_at"),
        # How many left in the last minute, while Redis can't say.
        Index("ix_deliveries_sent_at", "sent_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    kind: Mapped[str] = mapped_column(String(64))
    """A name of notifications.letters.WRITERS, such as "album_created"."""
    subject_id: Mapped[int | None]
    arguments: Mapped[dict[str, Any]] = mapped_column(JSON, default=dict)
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    recipient: Mapped[str] = mapped_column(String(254), default="")
    """The address it went to; empty until it is known."""
    subject: Mapped[str] = mapped_column(String(300), default="")
    """The mail's subject line, once it was written."""
    reason: Mapped[str] = mapped_column(String(160), unique=True)
    """`<kind>/<subject>/<user>…`: nobody gets a mail twice for one reason, and its Message-ID is made from it."""
    message_id: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(16), default=WAITING)
    attempts: Mapped[int] = mapped_column(default=0)
    smtp_answer: Mapped[str] = mapped_column(Text, default="")
    """What the mail server said last, such as "250 2.0.0 OK" or "550 no such user"."""
    due_at: Mapped[datetime] = mapped_column(default=utc_now)
    """Not before this: the server said "later"."""
    claim_token: Mapped[str | None] = mapped_column(String(32))
    """Of the job's claim under which it is being sent: a worker that lost the job may not write here any more."""
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    sent_at: Mapped[datetime | None]


class BouncingAddress(Base):
    """An address that mail servers refused for good (5xx). After three refusals nothing is sent there any more."""

    __tablename__ = "bouncing_addresses"

    address: Mapped[str] = mapped_column(String(254), primary_key=True)
    bounces: Mapped[int] = mapped_column(default=0)
    last_answer: Mapped[str] = mapped_column(Text, default="")
    last_at: Mapped[datetime] = mapped_column(default=utc_now)
    stopped_at: Mapped[datetime | None]


class ArtistSilence(Base):
    """The last time that an artist's members were reminded of their silence; the next album begins another."""

    __tablename__ = "artist_silences"

    artist_id: Mapped[int] = mapped_column(ForeignKey("artists.id", ondelete="CASCADE"), primary_key=True)
    told_at: Mapped[datetime] = mapped_column(default=utc_now)


class Announcement(Base):
    """Words from an artist to the followers, or from an admin to everybody."""

    __tablename__ = "announcements"
    __table_args__ = (
        CheckConstraint(
            "state IN ('draft','scheduled','queued','sending','delivered','failed','cancelled')", name="state"
        ),
        Index("ix_announcements_artist_id", "artist_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    artist_id: Mapped[int | None] = mapped_column(ForeignKey("artists.id", ondelete="CASCADE"))
    """None: from the operators, to everybody."""
    title: Mapped[str] = mapped_column(String(150))
    words: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(String(16), default=DRAFT)
    send_at: Mapped[datetime | None]
    job_id: Mapped[int | None] = mapped_column(ForeignKey("jobs.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    """What came of it, kept when its job and the ledger's rows are gone: queries.result_of."""
