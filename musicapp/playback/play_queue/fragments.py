"""What a person's open pages hear of their play queue: its state, never its order."""

from __future__ import annotations

from typing import Any

from flask import render_template

from musicapp.live.registry import fragment, topic
from musicapp.playback.play_queue import queries


@topic("queue")
def may_hear_queue(viewer: Any, user_id: int | None) -> bool:
    """Its owner and nobody else."""
    return user_id is not None and viewer.is_authenticated and viewer.id == user_id


@fragment("play_queue", topic="queue")
def render_play_queue(user_id: int) -> str:
    return render_template("playback/_play_queue.html", user_id=user_id, queue=queries.state(user_id))
