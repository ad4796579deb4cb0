"""The one list of periodic work. Beat reads it; CELERY_CONF_BEAT_SCHEDULE adds to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from musicapp.jobs.periodic import PERIODIC


def schedule(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Name -> what beat needs: task, interval in seconds, options. A run that waited a whole interval is dropped."""
    every = {
        "replace lost job tickets": ("jobs.sweep", config["JOB_SWEEP_SECONDS"]),
        "give up unfinished uploads": ("uploads.sweep", 3600),
        "end what was deleted long ago": ("catalog.purge", 24 * 3600),
        "forget devices that are signed out": ("accounts.purge_sessions", 24 * 3600),
        "forget plays taken out of a history": ("playback.forget_deleted_plays", 24 * 3600),
        "search what was missed or played more": ("search.refresh", 24 * 3600),
        "fill an empty search index": ("search.fill_when_empty", 60),
        "forget invitations that ran out": ("accounts.purge_invitations", 24 * 3600),
        "delete drafts that nobody can open": ("catalog.delete_drafts_of_nobody", 24 * 3600),
        "remove old listening events": ("playback.purge_events", 24 * 3600),
        "remove old mails of the ledger": ("notifications.purge_deliveries", 24 * 3600),
        "remove old jobs": ("jobs.purge", 24 * 3600),
        "remove files that no row names": ("uploads.remove_orphans", 24 * 3600),
        "end the history of playlists": ("playlists.purge", 24 * 3600),
        "tell who wants to know what changed in playlists": ("notifications.ask_for_playlist_digests", 3600),
        "send digests": ("notifications.send_digests", 120),
        "remove old notices": ("notifications.purge_notices", 24 * 3600),
        "send the newsletter where it is morning": ("notifications.send_newsletters", 60),
        "send artists their figures": ("notifications.send_figures", 300),
        "remind silent artists": (
            "notifications.remind_silent_artists",
            config["ARTIST_INACTIVE_CHECK_HOURS"] * 3600,
        ),
        "count plays per day": ("stats.tally", 6 * 3600),
        "find artists whom the same people hear": ("recommendations.find_similar_artists", 24 * 3600),
    }
    return {
        name: {
            "task": task,
            "schedule": float(seconds),
            "options": {"queue": PERIODIC[task].queue, "expires": seconds},
        }
        for name, (task, seconds) in every.items()
    }
