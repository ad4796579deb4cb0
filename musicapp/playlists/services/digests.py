"""Digests: what others changed is told to those who want to hear of it, at most once in a while."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, update

from musicapp.core.db import db
from musicapp.core.events import publish
from musicapp.jobs import services as jobs
from musicapp.playlists.events import PlaylistDigestDue
from musicapp.playlists.models import PlaylistFollow, PlaylistMember
from musicapp.playlists.queries.digest import Digest, digest_of, due_digests


def ask_for_digests(wanted_by: Select[Any]) -> int:
    """Adds a job for each of these users (a select of ids) who has news; returns how many there are."""
    due = due_digests(wanted_by)
    for digest in due:
        jobs.add(
            "playlist_digest",
            subject_id=digest.playlist_id,
            arguments={
                "user_id": digest.user_id,
                "from_version": digest.from_version,
                "to_version": digest.to_version,
            },
            unique_key=f"playlist_digest/{digest.playlist_id}/{digest.user_id}/{digest.to_version}",
        )
    return len(due)


def tell_digest(playlist_id: int, user_id: int, from_version: int, to_version: int) -> Digest | None:
    """Remembers that a user is told of the changes up to a version and publishes PlaylistDigestDue.

    Returns what there is to tell; None, and no event, where a second run finds it told, or where it was taken back.
    """
    told = 0
    for table in (PlaylistMember, PlaylistFollow):
        told += db.session.execute(
            update(table)
            .where(
                table.playlist_id == playlist_id,
                table.user_id == user_id,
                table.wants_digest.is_(True),
                table.digested_version < to_version,
            )
            .values(digested_version=to_version)
        ).rowcount  # type: ignore[attr-defined]
    digest = digest_of(playlist_id, user_id, from_version, to_version) if told else None
    if digest is not None:
        publish(PlaylistDigestDue(playlist_id, user_id, from_version, to_version))
    return digest
