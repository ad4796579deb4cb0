"""What each process of the site says about itself, in Redis, so that the desk sees all machines without asking them."""

from __future__ import annotations

import os
import resource
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import json
from redis import Redis

FORGOTTEN_AFTER_S = 60
"""A process that has said nothing for so long is gone."""

STARTED_AT = time.time()


def process_name() -> str:
    return f"{socket.gethostname()}/{os.getpid()}"


def report(client: Redis, kind: str, name: str, facts: Mapping[str, Any]) -> None:
    """Writes what a process of this kind ("web", "worker", "beat") says now. Raises RedisError when Redis is away."""
    now = time.time()
    pipeline = client.pipeline(transaction=False)
    pipeline.set(f"processes/{kind}/{name}", json.encode({**facts, "name": name, "at": now}), ex=FORGOTTEN_AFTER_S)
    pipeline.zadd(f"processes/{kind}", {name: now})
    pipeline.zremrangebyscore(f"processes/{kind}", 0, now - FORGOTTEN_AFTER_S)
    pipeline.execute()


def forget(client: Redis, kind: str, name: str) -> None:
    """A process that ends says so. Raises RedisError when Redis is away."""
    pipeline = client.pipeline(transaction=False)
    pipeline.delete(f"processes/{kind}/{name}")
    pipeline.zrem(f"processes/{kind}", name)
    pipeline.execute()


def reported(client: Redis, kind: str) -> list[dict[str, Any]]:
    """What the living processes of this kind said last, by name. Raises RedisError when Redis is away."""
    names: Any = client.zrange(f"processes/{kind}", 0, -1)
    if not names:
        return []
    raw: Any = client.mget([f"processes/{kind}/{name.decode()}" for name in names])
    return sorted((json.decode(facts) for facts in raw if facts), key=lambda facts: str(facts["name"]))


def memory_bytes(pid: int | None = None) -> int:
    """What a process has in memory (RSS) now; where there is no /proc, the most that this one ever had."""
    try:
        pages = int(Path(f"/proc/{pid or 'self'}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 if pid is None else 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def children_of(pid: int) -> list[int]:
    """Processes that this one started, and theirs; none where there is no /proc."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            children = [int(child) for child in path.read_text().split()]
        except OSError:
            continue
        for child in children:
            found += [child, *children_of(child)]
    return found
