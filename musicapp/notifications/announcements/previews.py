"""What readers will get, before it is sent: made by what makes the real ones."""

from __future__ import annotations

from musicapp.core.db import utc_now
from musicapp.notifications import letters
from musicapp.notifications.models import Notice
from musicapp.notifications.notices.queries import NoticeRow, rows_of


def letter(announcement_id: int, reader_id: int) -> letters.Letter | None:
    """The mail as this reader would get it; None where nobody would (the artist is gone)."""
    occasion = letters.Occasion("announcement", reader_id, announcement_id, f"announcement/{announcement_id}/preview")
    return letters.WRITERS["announcement"](occasion)


def notice(announcement_id: int) -> NoticeRow:
    """The notice as it stands on the readers' pages."""
    now = utc_now()
    sample = Notice(id=0, kind="announcement", subject_id=announcement_id, arguments={}, created_at=now, read_at=now)
    return rows_of([sample])[0]
