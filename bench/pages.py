"""How long pages take with 100,000 tracks, beside the bare SQL of the same pages, and how many statements they run.

`python bench/pages.py [--rounds 5] [--samples 40] [--only sqlite,postgresql] [--pages album,…] [--scale 1]`
Two sites on one database, each gunicorn with two processes: one keeps hot rows in Redis, the other keeps none. One
client asks one page at a time. In each round every page is asked of both sites, and its statements (taken from the
driver, without the cache) are played on a bare connection, in turns. The cache is warm: each page was asked before.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))  # also when started as `python bench/pages.py`

from bench.databases import Database  # noqa: E402
from bench.page_kinds import KINDS, SEARCHES, Kind, Sampler  # noqa: E402
from bench.page_statements import Bare, Statement, bare_connection, statements_of  # noqa: E402
from bench.served import Served, app_of, cookie_of, filled_databases, served  # noqa: E402

STATEMENTS_GOAL = 12
LISTENER_ID = 2  # bob: likes, follows and joins as others do


@dataclass(frozen=True, slots=True)
class Visit:
    path: str
    cookie: str
    statements: list[Statement] = field(repr=False)


@dataclass(slots=True)
class Measured:
    """Milliseconds of one kind of page for one kind of viewer."""

    page: str
    viewer: str
    statements: tuple[int, int]
    plain_ms: list[float] = field(default_factory=list)
    cached_ms: list[float] = field(default_factory=list)
    bare_ms: list[float] = field(default_factory=list)
    kib: float = 0.0


def percentile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class Measuring:
    """Two sites and a bare connection on one database."""

    def __init__(self, plain: Served, cached: Served, bare: Bare) -> None:
        self._plain, self._cached, self._bare = plain, cached, bare
        self.results: list[Measured] = []

    def add(self, kind: Kind, viewer: str, visits: list[Visit]) -> None:
        """Warms both sites up for these pages."""
        counts = [len(visit.statements) for visit in visits]
        found = Measured(kind.name, viewer, (min(counts), max(counts)))
        sizes = []
        for visit in visits:
            sizes.append(len(self._plain.get(visit.path, visit.cookie)[1]))
            self._cached.get(visit.path, visit.cookie)
            self._bare.play_ms(visit.statements)
        found.kib = sum(sizes) / len(sizes) / 1024
        self.results.append(found)

    def round(self, found: Measured, visits: list[Visit]) -> None:
        for visit in visits:
            found.plain_ms.append(self._plain.get(visit.path, visit.cookie)[0])
            found.bare_ms.append(self._bare.play_ms(visit.statements))
            found.cached_ms.append(self._cached.get(visit.path, visit.cookie)[0])


def measure(database: Database, folder: Path, kinds: list[Kind], rounds: int, samples: int) -> list[Measured]:
    with ExitStack() as stack:
        plain = stack.enter_context(served(database, folder / "plain", CACHE_SECONDS="0"))
        # One folder, hence one secret key and one Redis for sessions each: a cookie is good for both.
        cached = stack.enter_context(served(database, folder / "cached"))
        bare = stack.enter_context(bare_connection(database))
        app = stack.enter_context(app_of(plain.environ))
        sampler = Sampler(bare.connection, random.Random(11))
        viewers = {"stranger": "", "signed in": cookie_of(app, LISTENER_ID)}
        statements_of(app, "/", viewers["signed in"])  # a session is read from the database once, then from Redis
        measuring = Measuring(plain, cached, bare)
        asked: list[list[Visit]] = []
        for kind in kinds:
            paths = kind.paths(sampler, samples)
            for viewer, cookie in viewers.items():
                statements = {path: statements_of(app, path, cookie) for path in set(paths)}
                visits = [Visit(path, cookie, statements[path]) for path in paths]
                measuring.add(kind, viewer, visits)
                asked.append(visits)
        for _ in range(rounds):
            for found, visits in zip(measuring.results, asked, strict=True):
                measuring.round(found, visits)
        return measuring.results


def table(results: list[Measured]) -> Iterator[str]:
    yield "| page | viewer | statements | KiB | p50 / p99 ms, no cache | cache warm | bare SQL | p50 over bare SQL's |"
    yield "|---|---|--:|--:|--:|--:|--:|--:|"
    for found in results:
        least, most = found.statements
        times = [f"{percentile(v, 0.5):.1f} / {percentile(v, 0.99):.1f}" for v in (found.plain_ms, found.cached_ms)]
        bare = f"{percentile(found.bare_ms, 0.5):.2f} / {percentile(found.bare_ms, 0.99):.1f}"
        ratio = percentile(found.plain_ms, 0.5) / percentile(found.bare_ms, 0.5)
        yield (
            f"| {found.page} | {found.viewer} | {least if least == most else f'{least}–{most}'} | {found.kib:.0f} | "
            f"{times[0]} | {times[1]} | {bare} | {ratio:.1f} |"
        )


def goals(name: str, results: list[Measured]) -> Iterator[str]:
    most = max(results, key=lambda found: found.statements[1])
    judged = "reached" if most.statements[1] <= STATEMENTS_GOAL else "MISSED"
    yield f"{name}: at most {most.statements[1]} statements ({most.page}; goal {STATEMENTS_GOAL}): {judged}"
    by_page = {(found.page, found.viewer): found.statements[1] for found in results}
    for viewer in ("stranger", "signed in"):
        short, long = (by_page.get((f"playlist, {count} tracks", viewer)) for count in ("100", "10,000"))
        if short and long:
            judged = "reached" if long <= short else "MISSED"
            yield f"{name}: a {viewer}'s playlist of 100 takes {short} statements, of 10,000 {long} (no more): {judged}"


def main(searches: bool = False) -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--samples", type=int, default=40, help="different addresses of each page")
    parser.add_argument("--only", default="sqlite,postgresql")
    parser.add_argument("--pages", default="", help="names of pages, separated by commas")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--json", type=Path, help="write every figure to this file as well")
    asked = parser.parse_args()
    wanted = asked.pages.split(",") if asked.pages else []
    kinds = [kind for kind in (SEARCHES if searches else KINDS) if not wanted or kind.name.split(",")[0] in wanted]
    reached: list[str] = []
    kept = {}
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with filled_databases(folder, asked.only, asked.scale) as found:
            for database in found:
                results = measure(database, folder / database.name, kinds, asked.rounds, asked.samples)
                print(f"{database.name}, {asked.rounds} rounds of {asked.samples} addresses each:\n")
                print("\n".join(table(results)) + "\n", flush=True)
                reached += goals(database.name, results)
                kept[database.name] = [asdict(each) for each in results]
    print("\n".join(f"- {line}" for line in reached))
    if asked.json:
        asked.json.write_text(json.dumps(kept, indent=1) + "\n")
    return 1 if any("MISSED" in line for line in reached) else 0


if __name__ == "__main__":
    sys.exit(main())
