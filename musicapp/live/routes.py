"""`GET /live`: the one event stream of a page."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, abort, current_app, request
from flask_babel import gettext as _
from flask_login import current_user

from musicapp.core.security import public
from musicapp.live import handover
from musicapp.live.frames import OPENING
from musicapp.live.hub import Hub, live_hub
from musicapp.live.log import Cursor
from musicapp.live.ring import WsgiStream

blueprint = Blueprint("live", __name__)

MAX_TOPICS = 32
MAX_STREAMS_PER_USER = 64
"""Tabs and devices of one person on one web process; more is a loop in some client."""
RETRY_AFTER_SECONDS = 10
HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
}


@blueprint.get("/live")
@public
def live() -> Response:
    """Streams the changes of `topics` (a,b,c) since Last-Event-ID, or else since `after`.

    Topics that the viewer may not hear are left out; 403 when none is left. `after=` empty or unreadable: the page
    is told to fetch itself again. Neither given: nothing is replayed.
    """
    hub = live_hub()
    rights_changes = hub.rights_changes
    topics = _audible_topics(hub)
    user_id = _user_id()
    _refuse_too_many(hub, user_id)
    since = request.headers.get("Last-Event-ID") or request.args.get("after")
    if request.method == "HEAD":
        return Response(headers=HEADERS)

    def attend(stream: Any) -> None:
        hub.add(stream, rights_changes)
        hub.join(stream, Cursor.parse(since or ""), replays=since is not None)

    if handover.is_possible(request.environ, current_app.config):
        return handover.HandedOverResponse(handover.SocketStream(topics, user_id), attend, headers=HEADERS)
    stream = WsgiStream(topics, user_id)
    stream.open(OPENING, lambda: attend(stream))
    return Response(stream, headers=HEADERS, direct_passthrough=True)


def _viewer() -> Any:
    # An app without accounts (a bench) has no one to ask.
    return current_user if hasattr(current_app, "login_manager") else None


def _user_id() -> int | None:
    viewer = _viewer()
    return viewer.id if viewer is not None and viewer.is_authenticated else None


def _audible_topics(hub: Hub) -> frozenset[str]:
    asked = [name for name in request.args.get("topics", "").split(",") if name]
    if not asked or len(asked) > MAX_TOPICS:
        abort(400, _("Name between 1 and %(most)d topics.", most=MAX_TOPICS))
    viewer = _viewer()
    topics = frozenset(topic for topic in asked if hub.registry.may_hear(viewer, topic))
    if not topics:
        # The same for what doesn't exist and for what is somebody else's.
        abort(403, _("There is nothing here that you may hear."))
    return topics


def _refuse_too_many(hub: Hub, user_id: int | None) -> None:
    crowded = hub.stream_count >= current_app.config["LIVE_MAX_STREAMS"]
    if crowded or (user_id is not None and hub.streams_of(user_id) >= MAX_STREAMS_PER_USER):
        response = Response(_("Too many open pages. This one goes on without live updates."), 503)
        response.headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
        abort(response)
