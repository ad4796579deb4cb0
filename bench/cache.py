"""What the cache of hot rows finds and saves when people go about a library of 100,000 tracks.

`python bench/cache.py [--visits 2000] [--only sqlite,postgresql] [--scale 1]`
Two sites on one database: one with the cache (empty at first), one without. The same visits go to both in turns:
albums, artists, playlists and home, the popular ones much more often, by strangers and listeners. What the cache
counted itself is printed beside what the visits took and how many statements the pages ran.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))  # also when started as `python bench/cache.py`

from bench.databases import Database  # noqa: E402
from bench.page_kinds import Sampler  # noqa: E402
from bench.page_statements import bare_connection, statements_of  # noqa: E402
from bench.pages import percentile  # noqa: E402
from bench.served import app_of, cookie_of, filled_databases, served  # noqa: E402
from musicapp.core import cache  # noqa: E402

LISTENER_IDS = (2, 5, 9, 14)
SHARES = {"album": 50, "artist": 20, "playlist": 15, "home": 15}
COUNTED = 60
"""Visits of each kind whose statements are counted, in a process of the bench's own."""


@dataclass(slots=True)
class Kept:
    """What one kind of page took, in milliseconds and statements."""

    plain_ms: list[float] = field(default_factory=list)
    cached_ms: list[float] = field(default_factory=list)
    plain_statements: list[int] = field(default_factory=list)
    cached_statements: list[int] = field(default_factory=list)


def visits_of(sampler: Sampler, chance: random.Random, count: int, cookies: list[str]) -> list[tuple[str, str, str]]:
    """(kind, path, cookie) of each visit; half of the visitors are strangers."""
    paths = {
        "album": sampler.albums(count),
        "artist": sampler.artists(count),
        "playlist": [f"/playlists/{1 + int(11 * chance.random() ** 2)}" for _ in range(count)],
        "home": ["/"] * count,
    }
    kinds = chance.choices(list(SHARES), list(SHARES.values()), k=count)
    return [
        (kind, paths[kind][number], chance.choice(cookies) if chance.random() < 0.5 else "")
        for number, kind in enumerate(kinds)
    ]


def measure(database: Database, folder: Path, count: int) -> tuple[dict[str, Kept], dict[str, cache.Figures]]:
    kept: dict[str, Kept] = {kind: Kept() for kind in SHARES}
    with ExitStack() as stack:
        plain = stack.enter_context(served(database, folder / "plain", CACHE_SECONDS="0"))
        cached = stack.enter_context(served(database, folder / "cached"))
        bare = stack.enter_context(bare_connection(database))
        plain_app = stack.enter_context(app_of(plain.environ))
        cached_app = stack.enter_context(app_of(cached.environ))
        cookies = [cookie_of(plain_app, user_id) for user_id in LISTENER_IDS]
        chance = random.Random(17)
        visits = visits_of(Sampler(bare.connection, chance), chance, count, cookies)
        for kind, path, cookie in visits:
            kept[kind].cached_ms.append(cached.get(path, cookie)[0])
            kept[kind].plain_ms.append(plain.get(path, cookie)[0])
        with cached_app.app_context():
            figures = cache.figures()
        for kind, path, cookie in visits:
            if len(kept[kind].plain_statements) < COUNTED:
                kept[kind].plain_statements.append(len(statements_of(plain_app, path, cookie)))
                kept[kind].cached_statements.append(len(statements_of(cached_app, path, cookie)))
    return kept, figures


def table(name: str, kept: dict[str, Kept], figures: dict[str, cache.Figures]) -> Iterator[str]:
    yield f"{name}:\n"
    yield "| page | visits | without: p50 / p99 ms | with: p50 / p99 ms | statements, mean: without | with |"
    yield "|---|--:|--:|--:|--:|--:|"
    for kind, found in kept.items():
        if found.plain_ms:
            times = [f"{percentile(v, 0.5):.1f} / {percentile(v, 0.99):.1f}" for v in (found.plain_ms, found.cached_ms)]
            means = [sum(v) / len(v) for v in (found.plain_statements, found.cached_statements)]
            counts = f"{means[0]:.1f} | {means[1]:.1f}"
            yield f"| {kind} | {len(found.plain_ms)} | {times[0]} | {times[1]} | {counts} |"
    yield "\n| what is kept | found | not found | share found | loading took ms each | saved s |"
    yield "|---|--:|--:|--:|--:|--:|"
    for kind, counted in figures.items():
        each_ms = counted.load_ms / counted.misses if counted.misses else 0.0
        yield (
            f"| {kind} | {counted.hits:,} | {counted.misses:,} | {counted.hit_share:.0%} | {each_ms:.2f} | "
            f"{counted.saved_ms / 1000:.1f} |"
        )
    yield ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--visits", type=int, default=2000)
    parser.add_argument("--only", default="sqlite,postgresql")
    parser.add_argument("--scale", type=float, default=1.0)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with filled_databases(folder, asked.only, asked.scale) as found:
            for database in found:
                print(
                    "\n".join(table(database.name, *measure(database, folder / database.name, asked.visits))),
                    flush=True,
                )
    return 0


if __name__ == "__main__":
    sys.exit(main())
