"""Acts on the ledger of mails."""

from __future__ import annotations

from musicapp.notifications import ledger
from musicapp.notifications.bouncing import forget_bounces
from musicapp.ops.audit import audit


def send_again(delivery_id: int, *, subject_words: str) -> bool:
    """Queues a mail that did not arrive once more; False where it is on its way or has left."""
    done = ledger.send_again(delivery_id)
    if done:
        audit("mail.send_again", subject_kind="mail", subject_id=delivery_id, subject_words=subject_words)
    return done


def allow_address(address: str) -> bool:
    """Lets mails go to an address that was refused too often; False where nothing kept them back."""
    done = forget_bounces(address)
    if done:
        audit("mail.allow_address", subject_kind="address", subject_words=address)
    return done
