"""Which function is behind a kind of job. To add one: decorate a function and import its module in features.py."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from musicapp.jobs.context import JobContext

Run = Callable[["JobContext"], dict[str, Any] | None]


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job: where it waits, how often it is tried and what does it."""

    name: str
    queue: str
    max_attempts: int
    run: Run
    is_urgent: bool = False
    """Somebody waits for it: it goes before the others of its queue, whatever stands in front of its ticket."""


KINDS: dict[str, JobKind] = {}


class RetryLater(Exception):  # noqa: N818 - it asks for something, nothing is wrong yet
    """Raised by a job that can't go on now, such as a mail while SMTP is down; tried again after `seconds`."""

    def __init__(self, seconds: float, words: str) -> None:
        super().__init__(words)
        self.seconds = seconds


class GoOn(Exception):  # noqa: N818 - it asks for something, nothing is wrong
    """Raised by a job that has done a part: it waits for its turn again, after `seconds`, and no attempt is counted.

    For long work in small parts, such as a mailing to thousands, so that nobody's single mail stands behind it.
    """

    def __init__(self, seconds: float = 0.0) -> None:
        super().__init__(f"goes on in {seconds} s")
        self.seconds = seconds


class JobFailedError(Exception):
    """Raised by a job that trying again would not help; its text tells the owner what to do."""


class JobCancelledError(Exception):
    """The owner asked to stop."""


def job_kind(
    name: str, *, queue: str = "default", max_attempts: int = 3, is_urgent: bool = False
) -> Callable[[Run], Run]:
    """Declares the decorated function as what a job of this kind does.

    It gets a JobContext and returns a small JSON result or None. It commits its own writes, never holds a
    transaction over slow work, and may run twice: it looks first at what is done already.
    """

    def declare(run: Run) -> Run:
        if name in KINDS and KINDS[name].run.__module__ != run.__module__:
            raise ValueError(f"two functions are behind the job kind {name}")
        KINDS[name] = JobKind(name, queue, max_attempts, run, is_urgent)
        return run

    return declare
