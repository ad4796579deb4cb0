"""The site-wide log of live updates in Redis: the only cursor, and what `Last-Event-ID` replays from."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

from redis import Redis

LOG_KEY = "live:log"
PUBLISHED_KEY = "live:published"
"""How many updates were ever published, by all processes; for the desk and /metrics."""
LOG_ENTRIES = 10_000  # about 1 MB; a page that missed more fetches itself again

RIGHTS = "~rights"
RESYNC = "~resync"
POKE = "~poke:"
EVERYTHING = "*"

# One round trip, atomic: whoever hears the PUBLISH can read the entry, and ids reach the channel in the log's order.
# A new log starts with an entry of its own, so that a cursor always names one and "older than the log" is certain.
_APPEND = """
local log, channel, cap = KEYS[1], ARGV[1], ARGV[2]
local last = ''
if cap ~= '0' and redis.call('EXISTS', log) == 0 then redis.call('XADD', log, '*', 'k', '~begin') end
for i = 3, #ARGV, 3 do
  local topic, kind, ref = ARGV[i], ARGV[i + 1], ARGV[i + 2]
  local message = {topic = topic, kind = kind, ref = ref}
  if cap ~= '0' then
    last = redis.call('XADD', log, 'MAXLEN', '~', cap, '*', 't', topic, 'k', kind, 'r', ref)
    message.id = last
  end
  redis.call('PUBLISH', channel, cjson.encode(message))
end
redis.call('INCRBY', KEYS[2], (#ARGV - 2) / 3)
return last
"""

_READ = """
local log, after, limit = KEYS[1], ARGV[1], ARGV[2]
if redis.call('EXISTS', log) == 0 then redis.call('XADD', log, '*', 'k', '~begin') end
local first = redis.call('XRANGE', log, '-', '+', 'COUNT', 1)[1][1]
local last = redis.call('XREVRANGE', log, '+', '-', 'COUNT', 1)[1][1]
local entries = {}
if after ~= '' then entries = redis.call('XRANGE', log, '(' .. after, '+', 'COUNT', limit) end
return {first, last, entries}
"""


class Cursor(NamedTuple):
    """A place in the log: the id of a Redis stream entry. Cursors compare in the log's order."""

    ms: int
    sequence: int

    @classmethod
    def parse(cls, text: str) -> Self | None:
        """The cursor that `1700000000000-0` writes; None where the text is anything else."""
        ms, _, sequence = text.partition("-")
        if not (text.isascii() and ms.isdigit() and sequence.isdigit() and len(text) <= 40):
            return None
        cursor = cls(int(ms), int(sequence))
        # Redis refuses ids beyond 64 bits.
        return cursor if max(cursor) < 2**64 else None

    def __str__(self) -> str:
        return f"{self.ms}-{self.sequence}"


class LiveUpdate(NamedTuple):
    """One change: fragment `kind` number `ref` as the listeners of `topic` see it. Unlogged ones have no cursor."""

    topic: str
    kind: str
    ref: int
    cursor: Cursor | None = None

    @property
    def fragment_key(self) -> tuple[str, str, int]:
        return self[:3]


class CursorLostError(Exception):
    """The log can't say what happened since a cursor; the page fetches itself again. `last` is where the log ends."""

    def __init__(self, last: Cursor) -> None:
        super().__init__(f"Nothing is known since that cursor; the log ends at {last}.")
        self.last = last


@dataclass(frozen=True, slots=True)
class LogSlice:
    """What a read found: the ids of the log's first and last entries, and the entries asked for."""

    first: Cursor
    last: Cursor
    updates: list[LiveUpdate]


def _cursor(raw: bytes) -> Cursor:
    ms, _, sequence = raw.partition(b"-")
    return Cursor(int(ms), int(sequence))


def parse_message(raw: bytes) -> LiveUpdate:
    """The update that a Pub/Sub message carries. Raises ValueError, KeyError or TypeError for anything else."""
    message = json.loads(raw)
    written = message.get("id")
    cursor = _cursor(written.encode()) if written else None
    return LiveUpdate(str(message["topic"]), str(message["kind"]), int(message["ref"]), cursor)


class LiveLog:
    """Appends to and reads the log. Every method raises redis.RedisError when Redis is away."""

    def __init__(self, client: Redis, max_entries: int = LOG_ENTRIES) -> None:
        self.client = client
        self.max_entries = max_entries
        # Channels ignore Redis' database numbers; the log doesn't.
        database = client.connection_pool.connection_kwargs.get("db") or 0
        self.channel = f"live:{database}"
        self._append: Any = client.register_script(_APPEND)
        self._read: Any = client.register_script(_READ)

    def append(self, updates: Iterable[LiveUpdate], *, logged: bool = True) -> None:
        """Publishes the updates, in one script; unlogged ones are heard now or never."""
        arguments: list[str | int] = [self.channel, self.max_entries if logged else 0]
        for update in updates:
            arguments += update.fragment_key
        self._append(keys=[LOG_KEY, PUBLISHED_KEY], args=arguments)

    def last(self) -> Cursor:
        """The log's present end."""
        return self._slice("", 0).last

    def since(self, cursor: Cursor, limit: int) -> list[LiveUpdate]:
        """All updates after `cursor`, oldest first.

        Raises CursorLostError when the log doesn't reach back to the cursor, is younger than it (Redis was wiped)
        or holds more than `limit` entries since.
        """
        found = self._slice(str(cursor), limit + 1)
        if cursor < found.first or cursor > found.last or len(found.updates) > limit:
            raise CursorLostError(found.last)
        return found.updates

    def _slice(self, after: str, limit: int) -> LogSlice:
        first, last, entries = self._read(keys=[LOG_KEY], args=[after, limit])
        updates = []
        for entry_id, fields in entries:
            values = dict(zip(fields[::2], fields[1::2], strict=True))
            if b"t" in values:
                updates.append(
                    LiveUpdate(values[b"t"].decode(), values[b"k"].decode(), int(values[b"r"]), _cursor(entry_id))
                )
        return LogSlice(_cursor(first), _cursor(last), updates)
