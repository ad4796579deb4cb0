"""The site's figures as Prometheus reads them: sums of all processes and machines, whichever of them is asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from flask import current_app
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy.exc import SQLAlchemyError

from musicapp.core import cache
from musicapp.core import metrics as counted
from musicapp.core.db import db
from musicapp.core.redis import RedisError, redis_client
from musicapp.core.storage import store
from musicapp.jobs.reports import seconds_since_beat, workers_seen
from musicapp.ops.queries import totals
from musicapp.ops.queries.live import live
from musicapp.ops.queries.queues import queue_names, queues

__all__ = ["CONTENT_TYPE_LATEST", "exposition"]


def exposition() -> bytes:
    """Everything in the text format. What can't be asked now is left out, and `musicapp_up` says so of its part."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Site())
    return generate_latest(registry)


class _Site:
    def collect(self) -> Iterator[Metric]:
        up = GaugeMetricFamily("musicapp_up", "1 where the part answers.", labels=["part"])
        yield from _part(up, "redis", _of_redis)
        yield from _part(up, "database", _of_database)
        yield from _part(up, "storage", _of_storage)
        yield up


def _part(up: GaugeMetricFamily, name: str, collect: Callable[[], Iterator[Metric]]) -> list[Metric]:
    try:
        families = list(collect())
    except (RedisError, SQLAlchemyError, OSError):
        if name == "database":
            db.session.rollback()
        up.add_metric([name], 0)
        return []
    up.add_metric([name], 1)
    return families


def _of_redis() -> Iterator[Metric]:
    client = redis_client()
    client.ping()
    counts = counted.counts()
    yield _counter("http_requests", "Answers, by route.", counts, ["method", "route", "status"])
    yield _latencies()
    yield from _of_live(counts)
    hits = CounterMetricFamily("musicapp_cache_hits", "Things found in the cache.", labels=["kind"])
    misses = CounterMetricFamily("musicapp_cache_misses", "Things that had to be loaded.", labels=["kind"])
    for kind, figures in cache.figures().items():
        hits.add_metric([kind], figures.hits)
        misses.add_metric([kind], figures.misses)
    yield from (hits, misses)
    yield from _of_workers()
    beat_s = seconds_since_beat(client)
    if beat_s is not None:
        yield _gauge("beat_age_seconds", "Seconds since the clock last looked what is due.", beat_s)


def _counter(name: str, words: str, counts: dict[str, dict[counted.Labels, int]], labels: list[str]) -> Metric:
    family = CounterMetricFamily(f"musicapp_{name}", words, labels=labels)
    for values, amount in sorted(counts.get(name, {} if labels else {(): 0}).items()):
        family.add_metric(values, amount)
    return family


def _gauge(name: str, words: str, value: float) -> Metric:
    return GaugeMetricFamily(f"musicapp_{name}", words, value=value)


def _latencies() -> Metric:
    family = HistogramMetricFamily(
        "musicapp_http_request_duration_seconds",
        "Time until an answer begins, by route. What a stream sends later is not in it.",
        labels=["method", "route"],
    )
    ends = [str(ms / 1000) for ms in counted.BUCKETS_MS] + ["+Inf"]
    for labels, latency in sorted(counted.latencies().items()):
        seen, buckets = 0, []
        for end, number in zip(ends, latency.counts, strict=True):
            seen += number
            buckets.append((end, float(seen)))
        family.add_metric(labels, buckets, latency.total_ms / 1000)
    return family


def _of_live(counts: dict[str, dict[counted.Labels, int]]) -> Iterator[Metric]:
    figures = live()
    if figures is not None:
        yield _gauge("live_streams", "Open live streams.", figures.streams)
        yield _gauge("web_processes", "Web processes that reported in the last minute.", len(figures.processes))
        yield _gauge("web_memory_bytes", "Their memory.", sum(process.memory_bytes for process in figures.processes))
        yield CounterMetricFamily("musicapp_live_events", "Updates published.", value=figures.published)
    yield _counter("live_sent", "Updates written to a stream.", counts, [])
    yield _counter("live_opened", "Live streams opened.", counts, [])
    yield _counter("live_replays", "Streams that came back and got what they had missed.", counts, [])
    yield _counter("live_resyncs", "Streams whose page had to fetch itself again.", counts, [])


def _of_workers() -> Iterator[Metric]:
    alive = GaugeMetricFamily("musicapp_workers", "Workers that reported in the last minute.", labels=["queue"])
    memory = GaugeMetricFamily("musicapp_worker_memory_bytes", "Memory with children.", labels=["worker"])
    busy = GaugeMetricFamily("musicapp_worker_busy", "Tasks under way.", labels=["worker"])
    by_queue = dict.fromkeys(queue_names(), 0)  # a figure that is missing raises no alarm
    for worker in workers_seen(redis_client()):
        memory.add_metric([worker.name], worker.memory_bytes)
        busy.add_metric([worker.name], len(worker.busy))
        for queue in worker.queues:
            by_queue[queue] = by_queue.get(queue, 0) + 1
    for queue, number in sorted(by_queue.items()):
        alive.add_metric([queue], number)
    yield from (alive, memory, busy)


def _of_database() -> Iterator[Metric]:
    found = queues()
    waiting = GaugeMetricFamily("musicapp_queue_waiting", "Jobs that could begin now.", labels=["queue"])
    oldest = GaugeMetricFamily("musicapp_queue_oldest_seconds", "How long the oldest of them waits.", labels=["queue"])
    tickets = GaugeMetricFamily("musicapp_queue_tickets", "Celery's messages in Redis.", labels=["queue"])
    for queue in found.queues:
        waiting.add_metric([queue.name], queue.due)
        oldest.add_metric([queue.name], queue.oldest_s or 0)
    for name, number in (found.tickets or {}).items():
        tickets.add_metric([name], number)
    yield from (waiting, oldest, tickets)
    jobs = GaugeMetricFamily("musicapp_jobs", "Jobs in the ledger.", labels=["state", "kind"])
    for (state, kind), number in sorted(_kept("jobs", totals.jobs_by_state_and_kind).items()):
        jobs.add_metric([state, kind], number)
    mails = GaugeMetricFamily("musicapp_mails", "Mails in the ledger.", labels=["state"])
    for state, number in sorted(_kept("mails", totals.mails_by_state).items()):
        mails.add_metric([state], number)
    yield from (jobs, mails)
    yield CounterMetricFamily("musicapp_plays", "Plays ever counted.", value=totals.plays_ever())
    yield _gauge("database_size_bytes", "The database on the disk.", totals.database_size_bytes())


def _of_storage() -> Iterator[Metric]:
    yield _gauge("media_free_bytes", "Room for more media.", store().free_bytes())


KEPT_SECONDS = 60.0
"""Counting a ledger walks over an index of all of it: up to 0.5 s for a million rows, and not for every scrape."""


def _kept(name: str, count: Callable[[], dict[Any, int]]) -> dict[Any, int]:
    kept = current_app.extensions.setdefault("metrics_kept", {})
    counted_at, found = kept.get(name, (float("-inf"), {}))
    if time.monotonic() - counted_at > KEPT_SECONDS:
        found = count()
        kept[name] = time.monotonic(), found
    return dict(found)
