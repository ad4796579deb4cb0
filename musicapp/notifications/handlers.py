"""Which events are worth a mail. Each handler adds one job in the transaction of its cause."""

from __future__ import annotations

from musicapp.accounts.events import EmailChanged, EmailConfirmationRequested, PasswordResetRequested
from musicapp.catalog.events import AlbumCreated
from musicapp.core.events import on
from musicapp.jobs import services as jobs


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


@on(AlbumCreated)
def congratulate(event: AlbumCreated) -> None:
    jobs.add(
        "mail_album_created",
        subject_id=event.album_id,
        owner_id=event.user_id,
        unique_key=f"mail_album_created/{event.album_id}/{event.user_id}",
        arguments={"user_id": event.user_id},
    )
