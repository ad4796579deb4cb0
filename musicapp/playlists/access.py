"""Who may open a playlist in this browser: its members, everybody if it is public, or whoever has the link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import abort, request, session
from flask_babel import gettext as _

from musicapp.accounts.identity import current_viewer, signed_in_id
from musicapp.accounts.listening import may_listen
from musicapp.playlists import queries

MOST_LINKS = 20
"""Links to unlisted playlists that a browser keeps: they stand in its cookie."""
LONGEST_KEY = 43
"""Characters of a link's token; what is longer would only fill the cookie."""
_KEPT = "playlist_keys"


@dataclass(frozen=True, slots=True)
class Access:
    """What the viewer may do with a playlist that they may see. `role` is None for who hasn't joined."""

    playlist_id: int
    user_id: int | None
    role: str | None

    @property
    def is_owner(self) -> bool:
        return self.role == "owner"

    @property
    def may_edit(self) -> bool:
        return self.role in {"owner", "editor"}


def access_to(playlist_id: int) -> Access | None:
    """What the viewer of this request may do; None where the playlist doesn't exist for them.

    A link in the address (?key=…) is remembered in the session, so that rows and live updates come, too.
    """
    viewer = current_viewer()
    sent = request.args.get("key", "")[:LONGEST_KEY]
    is_visible, role = queries.access(viewer.id, playlist_id, link_token=sent or kept_key(playlist_id))
    if not is_visible or not may_listen(viewer):
        return None
    if sent and role is None and sent != kept_key(playlist_id):
        _keep(playlist_id, sent)
    return Access(playlist_id, viewer.id, role)


def may_hear(viewer: Any, playlist_id: int) -> bool:
    """Whether this viewer's browser may hear what changes in a playlist."""
    return may_listen(viewer) and queries.may_see(viewer.id, playlist_id, link_token=kept_key(playlist_id))


def open_playlist(playlist_id: int) -> Access:
    """Ends the request with 404 unless the viewer may see the playlist."""
    access = access_to(playlist_id)
    if access is None:
        abort(404)
    return access


def open_for_editors(playlist_id: int) -> int:
    """The viewer's id. Ends the request with 404 for who can't see the playlist, with 403 for who may not change it."""
    if not open_playlist(playlist_id).may_edit:
        abort(403, _("Only the owner and editors can change this playlist."))
    return signed_in_id()


def open_for_owner(playlist_id: int) -> int:
    """The viewer's id. Ends the request with 404 for who can't see the playlist, with 403 for all but its owner."""
    if not open_playlist(playlist_id).is_owner:
        abort(403, _("Only the owner of this playlist can do that."))
    return signed_in_id()


def open_for_members(playlist_id: int) -> int:
    """The viewer's id. Ends the request with 404 for whoever has not joined."""
    if open_playlist(playlist_id).role is None:
        abort(404)
    return signed_in_id()


def kept_key(playlist_id: int) -> str | None:
    """The link that this browser once opened the playlist with."""
    kept: dict[str, str] = session.get(_KEPT, {})
    return kept.get(str(playlist_id))


def _keep(playlist_id: int, key: str) -> None:
    kept: dict[str, str] = {**session.get(_KEPT, {}), str(playlist_id): key}
    session[_KEPT] = dict(list(kept.items())[-MOST_LINKS:])
