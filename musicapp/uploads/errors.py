"""Why a file is not taken, in words for the person who sent it."""

from __future__ import annotations


class UploadRefusedError(Exception):
    """The file may not come in: too large, or over the sender's quota. str() says why and what to do."""


class NoRoomError(UploadRefusedError):
    """The server's disk has no room. It is nobody's fault and may pass."""


class UploadBusyError(Exception):
    """Another request is writing this file right now."""


class WrongOffsetError(Exception):
    """The client would continue at another byte than the one that is missing."""


class UploadGoneError(Exception):
    """The file was cancelled or removed while it came in."""


class UploadOverflowError(Exception):
    """More bytes came than were announced."""
