"""Which events are worth telling. Each handler adds jobs in the transaction of its cause."""

from __future__ import annotations

from musicapp.accounts.events import (
    EmailChanged,
    EmailConfirmationRequested,
    NewDeviceSignedIn,
    PasswordResetRequested,
    UserDeleted,
)
from musicapp.catalog.events import AlbumCreated, AlbumPublished
from musicapp.core.events import on
from musicapp.jobs import services as jobs
from musicapp.jobs.events import JobChanged
from musicapp.jobs.models import CANCELLED, ENDED, FAILED
from musicapp.notifications import ledger, pictures, sittings
from musicapp.notifications.preferences import forget
from musicapp.notifications.telling import tell
from musicapp.playlists.events import PlaylistDigestDue, UserInvitedToPlaylist
from musicapp.playlists.queries import digest_of

MOST_NAMES = 3
"""Of people who changed a playlist, in a notice."""


@on(EmailConfirmationRequested)
def mail_link_to_confirm(event: EmailConfirmationRequested) -> None:
    jobs.add("mail_confirm_address", subject_id=event.user_id, owner_id=event.user_id)


@on(PasswordResetRequested)
def mail_link_to_reset(event: PasswordResetRequested) -> None:
    jobs.add("mail_reset_password", subject_id=event.user_id, owner_id=event.user_id)


@on(EmailChanged)
def warn_old_address(event: EmailChanged) -> None:
    # The one thing that can't be read anew: the row has the new address by now.
    jobs.add(
        "mail_email_changed",
        subject_id=event.user_id,
        owner_id=event.user_id,
        arguments={"old_email": event.old_email},
    )


@on(NewDeviceSignedIn)
def tell_of_new_device(event: NewDeviceSignedIn) -> None:
    jobs.add(
        "mail_new_device",
        subject_id=event.user_id,
        owner_id=event.user_id,
        arguments={"session_id": event.session_id},
    )


@on(AlbumCreated)
def congratulate(event: AlbumCreated) -> None:
    tell("album_created", subject_id=event.album_id, owner_id=event.user_id)


@on(AlbumPublished)
def tell_of_album(event: AlbumPublished) -> None:
    """Once in an album's life, however often it is published again: the reasons carry no date."""
    tell("album_published", subject_id=event.album_id)
    tell("new_release", subject_id=event.album_id)


@on(UserInvitedToPlaylist)
def tell_of_invitation(event: UserInvitedToPlaylist) -> None:
    tell("invited_to_playlist", subject_id=event.invitation_id)


@on(PlaylistDigestDue)
def tell_of_changes(event: PlaylistDigestDue) -> None:
    changes = digest_of(event.playlist_id, event.user_id, event.from_version, event.to_version)
    if changes is None:
        return
    tell(
        "playlist_changed",
        subject_id=event.playlist_id,
        reason=f"playlist_changed/{event.playlist_id}/{event.user_id}/{event.to_version}",
        arguments={
            "user_ids": [event.user_id],
            "from_version": event.from_version,
            "to_version": event.to_version,
            "by_ids": [part.by.id for part in changes.parts[:MOST_NAMES] if part.by is not None],
            "added": sum(part.added_count for part in changes.parts),
            "removed": sum(part.removed_count for part in changes.parts),
        },
    )


@on(UserDeleted)
def forget_reader(event: UserDeleted) -> None:
    forget(event.user_id)


@on(JobChanged)
def look_at_uploads(event: JobChanged) -> None:
    if event.kind in sittings.KINDS and event.state in ENDED and event.subject_id:
        sittings.look(event.kind, event.subject_id)


@on(JobChanged)
def look_at_pictures(event: JobChanged) -> None:
    if event.kind in pictures.KINDS and event.state in ENDED:
        pictures.look(event.job_id)


@on(JobChanged)
def end_deliveries(event: JobChanged) -> None:
    """A mailing that failed keeps what waits, for when somebody tries it again."""
    if event.state == CANCELLED:
        ledger.cancel_waiting(event.job_id)
    elif event.state == FAILED and event.kind.startswith("mail_"):
        ledger.give_up(event.job_id)
