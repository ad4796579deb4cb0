"""How bytes reach listeners: one ring of encoded frames, and for each stream a position in it.

A stream that can't keep up costs nothing more than a number: when the ring has turned once around, it gets a
`resync`. Two transports stand behind `Stream`: WsgiStream below works under any WSGI server, handover.SocketStream
writes to the socket itself.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import suppress

from musicapp.live.frames import heartbeat, resync
from musicapp.live.log import Cursor, LiveUpdate

RING_FRAMES = 2048
RING_BYTES = 16 * 1024**2
"""Frames are a kilobyte or so; a burst of large ones must not take the memory of the process."""


class Frame:
    """An update and its bytes; None until somebody listens to its topic, b"" where there is nothing to show."""

    __slots__ = ("data", "update")

    def __init__(self, update: LiveUpdate, data: bytes | None) -> None:
        self.update = update
        self.data = data


class Ring:
    """The latest frames, numbered from 0. Only the hub appends; streams read with no lock."""

    def __init__(self, max_frames: int = RING_FRAMES, max_bytes: int = RING_BYTES) -> None:
        self._slots: list[Frame | None] = [None] * max_frames
        self._max_bytes = max_bytes
        self._bytes = 0
        self.start = 0
        self.end = 0
        self.newest: tuple[int, Frame] | None = None
        self.floor: Cursor | None = None
        """Every logged update after this cursor, up to `last`, is in the ring."""
        self.last: Cursor | None = None

    def reset(self, cursor: Cursor) -> None:
        """Forgets the past: the ring knows what follows `cursor`. Positions stay valid, and are behind."""
        self.floor = self.last = cursor
        self.start = self.end
        self._slots = [None] * len(self._slots)
        self._bytes = 0

    def append(self, frame: Frame) -> int:
        """Adds a frame and returns its number."""
        size = len(frame.data or b"")
        while self.start < self.end and (
            self.end - self.start >= len(self._slots) or self._bytes + size > self._max_bytes
        ):
            self._drop_oldest()
        number = self.end
        self._slots[number % len(self._slots)] = frame
        self._bytes += size
        self.end = number + 1
        self.newest = number, frame
        if frame.update.cursor:
            self.last = frame.update.cursor
        return number

    def _drop_oldest(self) -> None:
        index = self.start % len(self._slots)
        oldest = self._slots[index]
        if oldest is not None:
            self._bytes -= len(oldest.data or b"")
            if oldest.update.cursor:
                self.floor = oldest.update.cursor
        self.start += 1
        self._slots[index] = None

    def fill(self, frame: Frame, data: bytes) -> None:
        """Gives a frame of the ring the bytes that nobody needed before."""
        if frame.data is None:
            frame.data = data
            self._bytes += len(data)

    def numbered(self, first: int, end: int) -> list[Frame] | None:
        """The frames with these numbers; None when some are gone."""
        frames = [self._slots[number % len(self._slots)] for number in range(first, end)]
        # Looked at after reading: with threads the hub may have dropped some meanwhile.
        if first < self.start:
            return None
        return [frame for frame in frames if frame is not None]

    def after(self, cursor: Cursor, topics: frozenset[str]) -> list[Frame] | None:
        """The latest frame of each fragment of these topics since `cursor`, oldest first; None if it's too long ago."""
        if self.floor is None or cursor < self.floor:
            return None
        found: dict[tuple[str, str, int], Frame] = {}
        for number in range(self.end - 1, self.start - 1, -1):
            frame = self._slots[number % len(self._slots)]
            if frame is None or frame.update.cursor is None:
                continue
            if frame.update.cursor <= cursor:
                break
            if frame.update.topic in topics:
                found.setdefault(frame.update.fragment_key, frame)
        return list(reversed(found.values()))


class Stream(ABC):
    """One open page: what it hears, and how far it has come. Transports say how its bytes leave."""

    __slots__ = (
        "_after",
        "_beat_due",
        "_joined",
        "_next",
        "_pending",
        "_prelude",
        "_resync_due",
        "_ring",
        "closed",
        "on_close",
        "topics",
        "user_id",
    )

    def __init__(self, topics: frozenset[str], user_id: int | None = None) -> None:
        self.topics = topics
        self.user_id = user_id
        self.closed = False
        self.on_close: Callable[[Stream], None] | None = None
        self._ring: Ring | None = None
        self._after: Cursor | None = None  # logged frames up to here are on the page already
        self._pending = -1  # number of the first frame that concerns it and isn't taken
        self._next = 0  # frames below this number are taken
        self._prelude: list[bytes] = []
        self._joined = False
        self._resync_due = False
        self._beat_due = False

    @abstractmethod
    def wake(self) -> None:
        """Sends what `take` returns, now or soon, and never waits."""

    def attach(self, ring: Ring) -> None:
        """From here on `mark` says what there is; nothing is taken before `join`. The hub holds its lock."""
        self._ring = ring
        self._next = ring.end

    def join(self, missed: list[bytes], after: Cursor | None) -> None:
        """Sends what the page has missed, then goes live; logged frames up to `after` are left out."""
        self._after = after
        self._prelude += missed
        self._joined = True
        # Its Last-Event-ID stands at the end of what it missed from the first moment.
        self.beat()

    def mark(self, number: int) -> None:
        """Says that frame `number` concerns this stream."""
        if self._pending < 0 and number >= self._next:
            self._pending = number

    def beat(self) -> None:
        """Sends a heartbeat."""
        self._beat_due = True
        self.wake()

    def resync(self) -> None:
        """Tells the page to fetch itself again."""
        self._joined = True
        self._resync_due = True
        self.wake()

    def take(self) -> bytes:
        """Everything that waits for this stream, as the bytes of whole frames; b"" when nothing does."""
        ring = self._ring
        if ring is not None and self._joined and not (self._prelude or self._resync_due or self._beat_due):
            # Nearly always one new frame and nothing else: this is a third of what an event costs per stream.
            newest = ring.newest
            if newest is not None and newest[0] == self._pending >= self._next:
                self._next = newest[0] + 1
                self._pending = -1
                if ring.end != self._next:  # with threads, one was marked just before
                    self._pending = self._next
                return self._heard_of(newest[1])
        chunks: list[bytes] = []
        while self._prelude:  # popped one by one: the hub may add some at the same time
            chunks.append(self._prelude.pop(0))
        if self._pending >= 0 and ring is not None and self._joined:
            first, self._pending = max(self._pending, self._next), -1
            # Read after `_pending` is cleared: a frame marked in between is either taken here or pending again.
            end = ring.end
            self._next = end
            frames = ring.numbered(first, end)
            if frames is None:
                self._resync_due = True
            else:
                chunks += map(self._heard_of, frames)
        if self._resync_due:
            self._resync_due = False
            self._after = last = ring.last if ring else None
            chunks.append(resync(last))
        if self._beat_due:
            self._beat_due = False
            chunks.append(self._heartbeat())
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _heard_of(self, frame: Frame) -> bytes:
        cursor = frame.update.cursor
        if not frame.data or frame.update.topic not in self.topics:
            return b""
        return frame.data if cursor is None or self._after is None or cursor > self._after else b""

    def _heartbeat(self) -> bytes:
        # Before it has joined it may have missed something: its cursor must stay where the page has it.
        last = self._ring.last if self._ring and self._joined else None
        if self._after and last and last < self._after:
            last = self._after
        return heartbeat(last)

    def close(self) -> None:
        """Ends the stream; the page connects again. Safe to call twice."""
        if not self.closed:
            self.closed = True
            if self.on_close:
                self.on_close(self)


class WsgiStream(Stream):
    """A stream whose request stays open: an iterable for any WSGI server. Under gevent it takes 17 KiB."""

    __slots__ = ("_join", "_signalled", "_wakeup")

    def __init__(self, topics: frozenset[str], user_id: int | None = None) -> None:
        super().__init__(topics, user_id)
        # A lock as a signal: the cheapest thing that both threads and greenlets wait on.
        self._wakeup = threading.Lock()
        self._wakeup.acquire()
        self._signalled = False
        self._join: Callable[[], None] | None = None

    def open(self, opening: bytes, join: Callable[[], None]) -> None:
        """Makes `opening` the first bytes; `join` runs when they have left."""
        self._prelude.append(opening)
        self._join = join

    def wake(self) -> None:
        if not self._signalled:
            self._signalled = True
            with suppress(RuntimeError):  # with threads, two may wake it at once
                self._wakeup.release()

    def __iter__(self) -> WsgiStream:
        return self

    def __next__(self) -> bytes:
        while True:
            data = self.take()
            if data:
                return data
            if self.closed:
                raise StopIteration
            if self._join:
                join, self._join = self._join, None
                join()
                continue
            self._wakeup.acquire()
            self._signalled = False

    def close(self) -> None:
        super().close()
        self.wake()
