"""What open pages see of plays, live."""

from __future__ import annotations

from flask import render_template

from musicapp.live.frames import Partial
from musicapp.live.registry import fragment
from musicapp.playback import queries


@fragment("play_count")
def render_play_count(track_id: int) -> Partial | None:
    """The figure alone: the row around it is the catalog's."""
    play_count = queries.play_count(track_id)
    if play_count is None:
        return None
    return Partial(
        f"#plays-{track_id}",
        render_template("playback/_play_count.html", track_id=track_id, play_count=play_count),
    )
