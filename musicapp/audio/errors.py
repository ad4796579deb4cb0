"""What can go wrong with a file, in words a person can act on."""

import errno


class AudioError(Exception):
    """The reason a file could not be used.

    `str(error)` is one human sentence that says what happened and what to do; `reason` is a short
    code for branching and for translations.
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason

    def __reduce__(self) -> tuple[type["AudioError"], tuple[str, str]]:
        # Exception's own pickling would call the class with the sentence alone.
        return type(self), (self.reason, str(self))


class NotAudioError(AudioError):
    """The file holds no audio that can be decoded."""


class TooLongError(AudioError):
    """The file plays for longer than the site allows, whatever its size says."""


class EncodeError(AudioError):
    """No rendition, or a preview, could not be made from audio that is there."""


def is_disk_full(error: OSError) -> bool:
    return error.errno in {errno.ENOSPC, errno.EDQUOT}


def disk_full_words() -> str:
    """Return the sentence for a full disk, whichever error carries it."""
    return "The server's disk is full. Try again when there is room."


class ArtworkError(AudioError):
    """The picture can't be used as artwork."""


class CancelledError(AudioError):
    """Somebody asked to stop; raised by an `on_progress` callback, never by this room."""

    def __init__(self, reason: str = "cancelled", sentence: str = "Processing was cancelled.") -> None:
        super().__init__(reason, sentence)
