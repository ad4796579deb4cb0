"""The runner's processes: none is left behind, whatever session or group it made for itself."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_PR_SET_CHILD_SUBREAPER = 36
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_POLL_SECONDS = 0.05


def adopt_orphans() -> None:
    """Makes this process the parent of every descendant whose own parent dies (Linux): so they can be found."""
    if _libc is not None:
        _libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_with_parent() -> None:
    """For `preexec_fn`: SIGTERM when the starting process dies, even by SIGKILL (Linux)."""
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def descendants(root_pid: int) -> list[int]:
    """All processes below `root_pid`, parents first (Linux; elsewhere none)."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The command stands in parentheses and may contain anything, so count from the last one.
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            if fields[0] not in {"Z", "X"}:
                children.setdefault(int(fields[1]), []).append(int(folder.name))
    found: list[int] = []
    waiting = [root_pid]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += below
        waiting += below
    return found


def reap_orphans(known_pid: int | None) -> None:
    """Takes note of adopted processes that ended, except `known_pid`, whose status another one wants."""
    while True:
        try:
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if ended is None or ended.si_pid == known_pid:
            return
        os.waitpid(ended.si_pid, 0)


def end_descendants(*, grace_seconds: float) -> int:
    """Ends every process below this one: SIGTERM, after `grace_seconds` SIGKILL. Returns how many there were."""
    found = descendants(os.getpid())
    total = len(found)
    for number, seconds in ((signal.SIGTERM, grace_seconds), (signal.SIGKILL, 5.0)):
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        wait_until(_is_alone, seconds)
        found = descendants(os.getpid())
        if not found:
            break
    reap_orphans(None)
    return total


def _is_alone() -> bool:
    reap_orphans(None)
    return not descendants(os.getpid())


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Waits for `condition`, at most `seconds`; returns whether it came true."""
    end = time.monotonic() + seconds
    while True:
        if condition():
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(_POLL_SECONDS)


class MakeWatch:
    """Notices what make does not pass on: a SIGINT sent to make alone, and make's own death.

    GNU make forwards SIGTERM to its recipes but not SIGINT, which it expects a terminal to send to the whole group.
    While it waits for its recipe after a SIGINT it has set that signal back to its default and holds it blocked.
    """

    def __init__(self) -> None:
        self._parent = os.getppid()
        self._is_make = self._read("comm").strip() in {"make", "gmake"}
        self._seen = 0

    def wants_end(self) -> bool:
        if not self._is_make:
            return False
        if os.getppid() != self._parent:
            return True
        masks = dict(line.split(":\t", 1) for line in self._read("status").splitlines() if line.startswith("Sig"))
        bit = 1 << (signal.SIGINT - 1)
        blocked, caught = (int(masks.get(name, "0"), 16) & bit for name in ("SigBlk", "SigCgt"))
        self._seen = self._seen + 1 if blocked and not caught else 0
        return self._seen >= 2  # twice, because make also blocks signals for the moment of a fork

    def _read(self, name: str) -> str:
        try:
            return Path(f"/proc/{self._parent}/{name}").read_text()
        except OSError:
            return ""
