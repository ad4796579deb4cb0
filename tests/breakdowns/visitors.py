"""People who look at pages all the time, and what they were answered."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import requests

PAUSE_S = 0.1
LONGEST_WAIT_S = 15


@dataclass(frozen=True)
class Answer:
    path: str
    at: float
    """time.monotonic() when it was asked for."""
    seconds: float
    status: int
    """0: there was nobody to answer."""
    is_raw: bool
    """It is no page of the site, or shows what only its makers understand."""


@dataclass
class Visitors:
    """`with Visitors(address, paths) as visitors:` two of them."""

    address: str
    paths: Sequence[str]
    cookies: dict[str, str] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    gaps: list[tuple[float, float]] = field(default_factory=list)
    """Whiles in which nobody could answer, since the web server was killed."""

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._look) for _ in range(2)]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(LONGEST_WAIT_S + 5)

    def _look(self) -> None:
        while not self._over.is_set():
            for path in self.paths:
                self.answers.append(self._ask(path))
                if self._over.wait(PAUSE_S):
                    return

    def _ask(self, path: str) -> Answer:
        began = time.monotonic()
        try:
            answer = requests.get(self.address + path, cookies=self.cookies, timeout=LONGEST_WAIT_S)
        except requests.RequestException:
            return Answer(path, began, time.monotonic() - began, 0, False)
        is_raw = "</html>" not in answer.text or "Traceback" in answer.text or "redis" in answer.text.lower()
        return Answer(path, began, time.monotonic() - began, answer.status_code, is_raw)

    @contextmanager
    def gap(self) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.gaps.append((began - LONGEST_WAIT_S, time.monotonic()))

    def complaints(self) -> list[str]:
        """What should not have been: no answer while the server was there, an error, a raw page."""
        return [
            f"{answer.path}: {answer.status} after {answer.seconds:.1f} s{' raw' if answer.is_raw else ''}"
            for answer in self.answers
            if answer.is_raw or answer.status not in {0, 200} or (answer.status == 0 and not self._in_gap(answer))
        ]

    def _in_gap(self, answer: Answer) -> bool:
        return any(began < answer.at < ended for began, ended in self.gaps)
