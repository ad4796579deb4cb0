"""What happens to people. Published inside the transaction that makes it true."""

from __future__ import annotations

from dataclasses import dataclass

from musicapp.core.events import Event


@dataclass(frozen=True, slots=True)
class UserRegistered(Event):
    """Somebody has an account now. `artist_name` is set where they said that they publish music."""

    user_id: int
    artist_name: str | None


@dataclass(frozen=True, slots=True)
class ProfileUpdated(Event):
    """The name that everybody sees, the biography or the settings changed."""

    user_id: int


@dataclass(frozen=True, slots=True)
class AvatarChanged(Event):
    """Another picture of the person is shown, or none."""

    user_id: int


@dataclass(frozen=True, slots=True)
class EmailConfirmationRequested(Event):
    """A link has to go to the address that waits for confirmation. Also after every registration."""

    user_id: int


@dataclass(frozen=True, slots=True)
class EmailChanged(Event):
    """A new address was confirmed. Not sent when the first address is confirmed."""

    user_id: int
    old_email: str


@dataclass(frozen=True, slots=True)
class PasswordResetRequested(Event):
    """Somebody who may be this user forgot the password. Not sent for addresses that nobody has."""

    user_id: int


@dataclass(frozen=True, slots=True)
class NewDeviceSignedIn(Event):
    """Somebody signed in from a browser and system not seen before for this account. Not sent when it is made."""

    user_id: int
    session_id: int


@dataclass(frozen=True, slots=True)
class UserDeleted(Event):
    """The account is closed and its name and address are free again; the row stays for what refers to it."""

    user_id: int
