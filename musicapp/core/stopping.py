"""A worker that was told to stop: its children hear of it at once and give their work back.

Celery's soft shutdown waits a few seconds in the signal's handler and then ends what is left; it tells nobody before.
So the handler is wrapped: first a byte that master and children share is set, then Celery does what it does.
"""

from __future__ import annotations

import mmap
import signal
import threading
from types import FrameType
from typing import Any

from celery.signals import worker_ready

_told = mmap.mmap(-1, 1)  # before any fork: a child's memory is a copy, this page is not


class WorkerStoppingError(Exception):
    """This worker must end soon. What is under way goes back to where it came from, as if it had not begun."""


def is_stopping() -> bool:
    """Whether this worker, or the one whose child we are, was told to stop."""
    return _told[0] != 0


def check_stopping() -> None:
    """Raises WorkerStoppingError where long work can be left."""
    if is_stopping():
        raise WorkerStoppingError


@worker_ready.connect(weak=False)  # type: ignore[untyped-decorator]
def _listen_to_signals(**_: Any) -> None:
    if threading.current_thread() is not threading.main_thread():
        return  # a worker inside a test: nobody sends it signals
    for number in (signal.SIGTERM, signal.SIGQUIT, signal.SIGINT):
        before = signal.getsignal(number)
        if callable(before):
            signal.signal(number, _telling(before))


def _telling(before: Any) -> Any:
    def tell(number: int, frame: FrameType | None) -> None:
        _told[0] = 1
        before(number, frame)

    return tell
