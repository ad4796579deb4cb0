"""What each mail says. A letter is made when it is sent, from the rows as they are then; None when it lost its point.

Links carry tokens, so they are made here and stored nowhere. To add a mail: a function in one of the files, its line in
WRITERS, `<kind>.txt` (its first line is the subject) and `<kind>.html` in the templates, and a sample for the preview;
a test renders every kind.
"""

from __future__ import annotations

from collections.abc import Callable

from musicapp.notifications.letters import account, digest, moderation, music, playlists, studio
from musicapp.notifications.letters.writing import Letter, Occasion, site_url

WRITERS: dict[str, Callable[[Occasion], Letter | None]] = {
    "confirm_address": account.confirm_address,
    "reset_password": account.reset_password,
    "email_changed": account.email_changed,
    "new_device": account.new_device,
    "album_created": studio.album_created,
    "album_published": studio.album_published,
    "upload_finished": studio.uploads_ended,
    "upload_failed": studio.uploads_ended,
    "artist_inactive": studio.artist_inactive,
    "artist_figures": studio.artist_figures,
    "new_release": music.new_release,
    "newsletter": music.newsletter,
    "announcement": music.announcement,
    "invited_to_playlist": playlists.invited_to_playlist,
    "album_moderated": moderation.album_moderated,
    "report_decided": moderation.report_decided,
    "digest": digest.digest,
}
"""Kind of mail -> what writes it."""

__all__ = ["WRITERS", "Letter", "Occasion", "site_url"]
