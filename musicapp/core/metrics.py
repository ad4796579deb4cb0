"""What the site counts about itself: every process adds up in memory and tells Redis every few seconds.

So the sums are the site's, however many processes and machines it has, and a request pays for two dict entries. Redis
away: the counts wait in the process. Redis wiped: they begin at nought, as Prometheus expects of counters.
"""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app
from msgspec import json

from musicapp.core.redis import RedisError

log = logging.getLogger(__name__)

SEND_EVERY_SECONDS = 5.0
RECENT_SECONDS = 600
RECENT_WINDOWS = 6
"""Latencies are also kept in windows of ten minutes, so that the desk can show the last hour."""
BUCKETS_MS = (5, 10, 25, 50, 75, 100, 150, 250, 350, 500, 750, 1000, 1500, 2500, 5000, 10000)
"""Upper ends of the latency histogram's buckets; one more takes the rest."""
SLOW_KEPT = 200
COUNTS = "metrics/counts"
LATENCIES = "metrics/latencies"
SLOW = "metrics/slow"

Labels = tuple[str, ...]


class Metrics:
    """What one process has counted and not yet sent. Safe with threads and greenlets."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._counts: dict[tuple[str, Labels], int] = {}
        self._latencies: dict[tuple[Labels, int], list[int]] = {}
        self._slow: list[dict[str, Any]] = []
        self._started = False
        self.reporters: list[Callable[[], None]] = []
        """What is asked before the counts are sent: it adds to them, or tells Redis what this process is doing."""

    def add(self, name: str, labels: Labels = (), amount: int = 1) -> None:
        """Counts `name` up. Labels are a few fixed words: each combination is kept for ever."""
        with self._lock:
            self._counts[name, labels] = self._counts.get((name, labels), 0) + amount

    def took(self, labels: Labels, seconds: float) -> None:
        """Puts a request's time into the histogram of its labels."""
        key = (labels, bisect_left(BUCKETS_MS, seconds * 1000))
        with self._lock:
            found = self._latencies.get(key)
            if found is None:
                found = self._latencies[key] = [0, 0]
            found[0] += 1
            found[1] += round(seconds * 1_000_000)

    def was_slow(self, facts: dict[str, Any]) -> None:
        """Keeps the facts of a slow request, the newest 200 of the site."""
        with self._lock:
            self._slow.append(facts)
            del self._slow[:-SLOW_KEPT]

    def start(self) -> None:
        """Sends every few seconds from now on; for processes that serve, once each."""
        if not self._started:
            self._started = True
            threading.Thread(target=self._send_for_ever, name="metrics", daemon=True).start()

    def _send_for_ever(self) -> None:
        while True:
            time.sleep(SEND_EVERY_SECONDS)
            try:
                self.send()
            except Exception:
                log.exception("the metrics go on after an error")

    def send(self) -> bool:
        """Adds what was counted here to the site's sums; False, and nothing is lost, when Redis is away."""
        with self._sending:
            try:
                for reporter in self.reporters:
                    reporter()
            except RedisError:
                return False
            with self._lock:
                counts, latencies, slow = self._counts, self._latencies, self._slow
                self._counts, self._latencies, self._slow = {}, {}, []
            if not (counts or latencies or slow):
                return True
            # One transaction: it is added once or not at all, but for an answer that is lost on its way.
            pipeline = self._app.extensions["redis"].pipeline(transaction=True)
            for (name, labels), amount in counts.items():
                pipeline.hincrby(COUNTS, " ".join((name, *labels)), amount)
            recent = _recent_key(time.time())
            for (labels, bucket), (number, took_us) in latencies.items():
                for key in (LATENCIES, recent):
                    pipeline.hincrby(key, f"{bucket} {' '.join(labels)}", number)
                    pipeline.hincrby(key, f"us {' '.join(labels)}", took_us)
            pipeline.expire(recent, RECENT_SECONDS * (RECENT_WINDOWS + 1))
            if slow:
                pipeline.lpush(SLOW, *(json.encode(facts) for facts in slow))
                pipeline.ltrim(SLOW, 0, SLOW_KEPT - 1)
            try:
                pipeline.execute()
            except RedisError:
                self._keep(counts, latencies, slow)
                return False
            return True

    def _keep(
        self,
        counts: Mapping[tuple[str, Labels], int],
        latencies: Mapping[tuple[Labels, int], list[int]],
        slow: list[dict[str, Any]],
    ) -> None:
        for (name, labels), amount in counts.items():
            self.add(name, labels, amount)
        with self._lock:
            for key, (number, took_us) in latencies.items():
                found = self._latencies.setdefault(key, [0, 0])
                found[0] += number
                found[1] += took_us
            self._slow = [*slow, *self._slow][-SLOW_KEPT:]


def init_metrics(app: Flask) -> None:
    app.extensions["metrics"] = Metrics(app)


def metrics() -> Metrics:
    """The running app's."""
    found: Metrics = current_app.extensions["metrics"]
    return found


def _recent_key(at: float, ago: int = 0) -> str:
    return f"{LATENCIES}/{int(at // RECENT_SECONDS) - ago}"


@dataclass(frozen=True, slots=True)
class Latency:
    """A histogram: `counts` has one number for each of BUCKETS_MS, and one for what took longer than all of them."""

    counts: tuple[int, ...]
    total_ms: float

    @property
    def count(self) -> int:
        return sum(self.counts)

    def quantile_ms(self, share: float) -> float:
        """The time that `share` (0 to 1) of the requests stayed below, straight-lined within its bucket.

        What lies beyond the last bucket is said to be at its end; 0 where there were none.
        """
        if self.count < 2:
            return self.total_ms
        wanted, seen, low = share * self.count, 0, 0.0
        for high, number in zip(BUCKETS_MS, self.counts, strict=False):
            if number and seen + number >= wanted:
                return low + (high - low) * (wanted - seen) / number
            seen, low = seen + number, float(high)
        return low


def counts() -> dict[str, dict[Labels, int]]:
    """Name -> labels -> sum, of all processes. Raises RedisError when Redis is away."""
    metrics().send()
    raw: Any = current_app.extensions["redis"].hgetall(COUNTS)
    found: dict[str, dict[Labels, int]] = {}
    for field, amount in raw.items():
        name, *labels = field.decode().split(" ")
        found.setdefault(name, {})[tuple(labels)] = int(amount)
    return found


def latencies(*, of_last_hour: bool = False) -> dict[Labels, Latency]:
    """Labels -> histogram, since Redis was empty or of the last hour. Raises RedisError when Redis is away."""
    metrics().send()
    client = current_app.extensions["redis"]
    now = time.time()
    keys = [_recent_key(now, ago) for ago in range(RECENT_WINDOWS)] if of_last_hour else [LATENCIES]
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        pipeline.hgetall(key)
    sums: dict[Labels, list[int]] = {}
    for field, amount in _fields(pipeline.execute()):
        bucket, *labels = field.split(" ")
        row = sums.setdefault(tuple(labels), [0] * (len(BUCKETS_MS) + 2))
        row[-1 if bucket == "us" else int(bucket)] += amount
    return {labels: Latency(tuple(row[:-1]), row[-1] / 1000) for labels, row in sums.items()}


def _fields(hashes: list[dict[bytes, bytes]]) -> Iterator[tuple[str, int]]:
    for found in hashes:
        for field, amount in found.items():
            yield field.decode(), int(amount)


def slow_requests() -> list[dict[str, Any]]:
    """The newest slow requests of all processes, newest first. Raises RedisError when Redis is away."""
    metrics().send()
    raw: Any = current_app.extensions["redis"].lrange(SLOW, 0, SLOW_KEPT - 1)
    return [json.decode(line) for line in raw]
