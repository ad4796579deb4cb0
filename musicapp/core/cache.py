"""Hot rows in Redis, so that a page need not ask the database for what hardly changes. The database stays the truth.

What an old reader has loaded must never be stored over a newer drop. So a reader that finds nothing leaves a lease in
the key before it loads, and stores only where its lease still stands; a drop replaces lease or value by a mark. While
the mark stands nobody gets a lease: a reader whose transaction began before the change would take one after the drop
and store what it still sees. A transaction older than the mark lives stores nothing either.

Who may see something is asked of the database on every request, never here. Redis away: everybody loads.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec
from flask import current_app
from redis import Redis
from sqlalchemy import event

from musicapp.core.db import db, is_sqlite, seconds_of_reading
from musicapp.core.effects import after_commit
from musicapp.core.redis import RedisError, redis_client, unyielding_redis_client

log = logging.getLogger(__name__)

MARKED_SECONDS = 10
"""How long a drop is remembered. A transaction of half that age, or older, stores nothing."""
LEASE_SECONDS = 10
"""Longer than a page's loading takes; a reader that died blocks the key no longer."""
REST_SECONDS = 2.0
"""After a failure Redis is left alone so long: every try costs the page up to 0.1 s."""
COUNTED_EVERY_SECONDS = 1.0
UNSENT_DROPS_LIMIT = 10_000
FIGURES = "cache/figures"
MARK = b"d"
_DROPS = "cache_drops"

T = TypeVar("T")

# A value is "v", eight letters of its schema, JSON; a lease "l" and a random token; a mark "d".
_TAKE = """
local found = {}
for i, key in ipairs(KEYS) do
  local value = redis.call('GET', key)
  if not value or (value:sub(1, 1) == 'v' and value:sub(2, 9) ~= ARGV[3]) then
    redis.call('SET', key, ARGV[1], 'EX', ARGV[2])
    value = ARGV[1]
  end
  found[i] = value
end
return found
"""
_STORE = """
for i, key in ipairs(KEYS) do
  if redis.call('GET', key) == ARGV[1] then
    if ARGV[i + 2] == '' then redis.call('DEL', key) else redis.call('SET', key, ARGV[i + 2], 'EX', ARGV[2]) end
  end
end
"""


class _State:
    """What one process knows: when Redis failed, what it has counted and what it could not drop."""

    def __init__(self) -> None:
        self.rest_until = 0.0
        self.counts: dict[str, list[int]] = {}
        self.counted_at = time.monotonic()
        self.unsent: set[str] = set()
        self.take = redis_client().register_script(_TAKE)
        self.store = redis_client().register_script(_STORE)

    def count(self, kind: str, hits: int, misses: int, load_us: int) -> None:
        counts = self.counts.setdefault(kind, [0, 0, 0])
        counts[0] += hits
        counts[1] += misses
        counts[2] += load_us
        if time.monotonic() - self.counted_at >= COUNTED_EVERY_SECONDS:
            self.send_counts()

    def send_counts(self) -> None:
        """Adds what was counted here to the site's figures. Lost, not repeated, when Redis fails."""
        counts, self.counts, self.counted_at = self.counts, {}, time.monotonic()
        pipeline = redis_client().pipeline(transaction=False)
        for kind, amounts in counts.items():
            for name, amount in zip(("hits", "misses", "load_us"), amounts, strict=True):
                if amount:
                    pipeline.hincrby(FIGURES, f"{kind}/{name}", amount)
        pipeline.execute()


def _state() -> _State:
    state: _State | None = current_app.extensions.get("cache")
    if state is None:
        state = current_app.extensions["cache"] = _State()
    return state


class Kind(Generic[T]):
    """One kind of cached things. `type` is a dataclass, or anything else that msgspec reads back from JSON.

    A release that changes the type reads nothing that an older one has stored.
    """

    def __init__(self, name: str, type: Any) -> None:
        self.name = name
        self._type = type
        self._decoder: Any = None
        self._schema = b""

    def get(self, id: int, load: Callable[[], T | None]) -> T | None:
        """The thing as it is kept, or else as `load` finds it; what is None is not kept."""

        def load_one(_ids: list[int]) -> dict[int, T]:
            loaded = load()
            return {} if loaded is None else {id: loaded}

        return self.get_many([id], load_one).get(id)

    def get_many(self, ids: Collection[int], load: Callable[[list[int]], Mapping[int, T]]) -> dict[int, T]:
        """Id -> thing: one question to Redis, and one `load` for all that it does not have.

        Inside a transaction that writes everything is loaded: what it sees is nobody else's yet.
        """
        wanted = list(dict.fromkeys(ids))
        age = seconds_of_reading()
        state = _state()
        if not wanted or age is None or not current_app.config["CACHE_SECONDS"] or _is_resting(state):
            return dict(load(wanted)) if wanted else {}
        if not self._schema:
            self._learn_type()
        try:
            if state.unsent:
                _send_unsent(state, redis_client())
            found = self._decoded(wanted, redis_client().mget([self._key(id) for id in wanted]))
            missing = [id for id in wanted if id not in found]
            if not missing:
                state.count(self.name, len(found), 0, 0)
                return found
            lease = b"l" + secrets.token_hex(8).encode()
            is_old = age > MARKED_SECONDS / 2
            taken = (
                [] if is_old else state.take([self._key(id) for id in missing], [lease, LEASE_SECONDS, self._schema])
            )
        except RedisError:
            _rest(state)
            return dict(load(wanted))
        found.update(self._decoded(missing, taken))
        leased = {id for id, raw in zip(missing, taken, strict=False) if raw == lease}
        return self._loaded(state, wanted, found, leased, lease, load)

    def _loaded(
        self,
        state: _State,
        wanted: list[int],
        found: dict[int, T],
        leased: set[int],
        lease: bytes,
        load: Callable[[list[int]], Mapping[int, T]],
    ) -> dict[int, T]:
        missing = [id for id in wanted if id not in found]
        began = time.perf_counter()
        loaded = load(missing) if missing else {}
        load_us = round((time.perf_counter() - began) * 1_000_000)
        try:
            if leased:
                ids = sorted(leased)
                values = [self._encoded(loaded[id]) if id in loaded else b"" for id in ids]
                seconds = current_app.config["CACHE_SECONDS"]
                state.store([self._key(id) for id in ids], [lease, seconds, *values])
            state.count(self.name, len(found), len(missing), load_us)
        except RedisError:
            _rest(state)
        return {**found, **loaded}

    def drop(self, *ids: int) -> None:
        """With the commit, makes every reader load these anew."""
        keys = {self._key(id) for id in ids}
        if keys:
            db.session().info.setdefault(_DROPS, set()).update(keys)
            after_commit(lambda: _drop(keys))

    def _learn_type(self) -> None:
        self._decoder = msgspec.json.Decoder(self._type)
        schema = msgspec.json.encode(msgspec.json.schema(self._type), order="deterministic")
        self._schema = hashlib.sha256(schema).hexdigest()[:8].encode()

    def _key(self, id: int) -> str:
        return f"cache/{self.name}/{id}"

    def _encoded(self, thing: T) -> bytes:
        return b"v" + self._schema + msgspec.json.encode(thing)

    def _decoded(self, ids: list[int], raws: Any) -> dict[int, T]:
        begin = b"v" + self._schema
        found = {}
        for id, raw in zip(ids, raws, strict=False):
            if raw is not None and raw.startswith(begin):
                try:
                    found[id] = self._decoder.decode(raw[9:])
                except msgspec.MsgspecError:
                    log.exception("unreadable: %s", self._key(id))
        return found


def _is_resting(state: _State) -> bool:
    return time.monotonic() < state.rest_until


def _rest(state: _State) -> None:
    state.rest_until = time.monotonic() + REST_SECONDS


@event.listens_for(db.session, "before_commit")
def _mark(session: Any) -> None:
    # Before the commit too: whoever hears of the change at once must not read the old row, and a process that dies
    # between commit and drop has dropped already. What a rollback left here costs a load, nothing else.
    if not session.in_nested_transaction() and (keys := session.info.pop(_DROPS, None)):
        state = _state()
        if not _is_resting(state):
            # While it waits for Redis, another greenlet of this process would wait for SQLite's lock, which stops the
            # whole process, and with it this one, until the patience of SQLite is at an end.
            _drop(keys, unyielding_redis_client() if is_sqlite() else None)


def _drop(keys: set[str], client: Redis | None = None) -> None:
    state = _state()
    # Remembered first: if Redis is away, this process drops them as soon as it reads again. The others' backstop is
    # CACHE_SECONDS.
    state.unsent |= keys
    if len(state.unsent) > UNSENT_DROPS_LIMIT:
        log.error("Redis was away for long: cached rows may be old for up to CACHE_SECONDS")
        state.unsent.clear()
    try:
        _send_unsent(state, client or redis_client())
    except RedisError:
        _rest(state)


def _send_unsent(state: _State, client: Redis) -> None:
    keys = set(state.unsent)
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        pipeline.set(key, MARK, ex=MARKED_SECONDS)
    pipeline.execute()
    state.unsent -= keys


@dataclass(frozen=True, slots=True)
class Figures:
    """How often one kind was found and how often not, since the figures were last forgotten, in all processes."""

    hits: int
    misses: int
    load_ms: float
    """What the misses' loading took, together."""

    @property
    def hit_share(self) -> float:
        return self.hits / (self.hits + self.misses) if self.hits else 0.0

    @property
    def saved_ms(self) -> float:
        """What the hits would have taken at the misses' mean."""
        return self.hits * self.load_ms / self.misses if self.misses else 0.0


def figures() -> dict[str, Figures]:
    """Kind -> its figures. Other processes' last second may be missing. Empty when Redis is away."""
    state = _state()
    try:
        state.send_counts()
        raw: Any = redis_client().hgetall(FIGURES)
    except RedisError:
        return {}
    amounts: dict[str, dict[str, int]] = {}
    for key, amount in raw.items():
        kind, _, name = key.decode().partition("/")
        amounts.setdefault(kind, {})[name] = int(amount)
    return {
        kind: Figures(named.get("hits", 0), named.get("misses", 0), named.get("load_us", 0) / 1000)
        for kind, named in sorted(amounts.items())
    }


def forget_figures() -> None:
    """Counts from nought. Raises RedisError when Redis is away."""
    _state().counts.clear()
    redis_client().delete(FIGURES)
