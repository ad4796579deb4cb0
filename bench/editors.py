"""Fifty people edit one playlist at once: nothing may be lost, every page must end up the same, and soon.

`python bench/editors.py [--seconds 60] [--rate 20] [--editors 50] [--only sqlite,postgresql] [--scale 1] [--json FILE]`
A real site (gunicorn with two processes, a Redis of its own) on the filled database; fifty pages of fifty people, made
of Python that does what the page's script does (bench/editor_page.py), all on one playlist of 100 tracks: adds, moves
of neighbours, removals, undos and sorts, twenty a second. All the time somebody's cable is pulled for some seconds,
often while an edit is on its way. Afterwards the server's history is read and played from its beginning.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(REPOSITORY))  # also when started as `python bench/editors.py`

import psutil  # noqa: E402

from bench.databases import Database  # noqa: E402
from bench.page_statements import bare_connection  # noqa: E402
from bench.pages import percentile  # noqa: E402
from bench.served import app_of, cookie_of, filled_databases, served  # noqa: E402
from musicapp.core.db import db  # noqa: E402

DISCONNECTS_PER_S = 2.0
RETURNED_S = 2.5
"""A page whose cable was out is expected to be reached like the others so long after it is back."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one run showed."""

    name: str
    asked: int
    answered: int
    changes: int
    lost: int
    doubled: int
    differing: int
    disconnects: int
    resent: int
    refused: dict[str, int]
    gaps: int
    reloads: int
    settled_s: float
    one_page_ms: list[float]
    every_page_ms: list[float]
    cpu_share: float


def run(database: Database, folder: Path, asked: argparse.Namespace) -> Verdict:
    with served(database, folder) as site:
        with app_of(site.environ) as app:
            playlist_id, user_ids = make_playlist(app, asked.editors)
            cookies = {user_id: cookie_of(app, user_id) for user_id in user_ids}
        with bare_connection(database) as bare:
            track_count = bare.connection.execute("SELECT count(*) FROM tracks").fetchone()[0]
        facts = {
            "port": site.port,
            "playlist_id": playlist_id,
            "cookies": cookies,
            "track_count": track_count,
            "seconds": asked.seconds,
            "edits_per_s": asked.rate,
            "disconnects_per_s": DISCONNECTS_PER_S,
        }
        before = _cpu_s(site.gunicorn)
        found = _run_clients(facts)
        cpu_share = (_cpu_s(site.gunicorn) - before) / (found["took_s"] + found["settled_s"])
        with bare_connection(database) as bare:
            history = read_history(bare.connection, playlist_id)
            order = read_order(bare.connection, playlist_id)
    return judge(database.name, found, history, order, cpu_share)


def make_playlist(app: Any, editors: int) -> tuple[int, list[int]]:
    """A fresh playlist of 100 tracks with so many editors; (its id, their user ids)."""
    from musicapp.playlists import services
    from musicapp.playlists.models import PlaylistMember

    user_ids = list(range(1, editors + 1))
    with app.app_context():
        playlist = services.create_playlist(1, "Fifty of us", visibility="private", track_ids=list(range(1, 101)))
        db.session.flush()
        for user_id in user_ids[1:]:
            db.session.add(PlaylistMember(playlist_id=playlist.id, user_id=user_id, role="editor"))
        playlist_id = playlist.id
        db.session.commit()
    return playlist_id, user_ids


def _run_clients(facts: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-c", "import sys; from bench.editor_clients import main; sys.exit(main())"]
    environ = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        command, cwd=REPOSITORY, env=environ, input=json.dumps(facts), stdout=subprocess.PIPE, text=True, check=True
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _cpu_s(gunicorn: psutil.Process) -> float:
    return sum(sum(each.cpu_times()[:2]) for each in gunicorn.children())


History = list[tuple[int, int, dict[str, Any]]]


def read_history(connection: Any, playlist_id: int) -> History:
    """(version, change id, what changed) of every change, from the first."""
    mark = "?" if "sqlite" in type(connection).__module__ else "%s"
    statement = f"SELECT version, id, changed FROM playlist_changes WHERE playlist_id = {mark} ORDER BY version"
    rows = connection.execute(statement, (playlist_id,)).fetchall()
    return [
        (version, id_, json.loads(changed) if isinstance(changed, str) else changed) for version, id_, changed in rows
    ]


def read_order(connection: Any, playlist_id: int) -> list[int]:
    mark = "?" if "sqlite" in type(connection).__module__ else "%s"
    statement = (
        f"SELECT id FROM playlist_entries WHERE playlist_id = {mark} AND removed_at IS NULL ORDER BY order_key, id"
    )
    return [row[0] for row in connection.execute(statement, (playlist_id,)).fetchall()]


def replay(history: History) -> list[int]:
    """The order that the changes make, played from the first to the last."""
    keys: dict[int, str] = {}
    for _version, _id, changed in history:
        for entry_id, *_ in changed.get("removed", ()):
            keys.pop(entry_id, None)
        for entry_id, key, *_ in changed.get("added", ()):
            keys[entry_id] = key
        for entry_id, _old, key, *_ in (*changed.get("moved", ()), *changed.get("rekeyed", ())):
            keys[entry_id] = key
    return sorted(keys, key=lambda entry_id: (keys[entry_id], entry_id))


def judge(name: str, found: dict[str, Any], history: History, order: list[int], cpu_share: float) -> Verdict:
    versions = [version for version, _id, _changed in history]
    stored = {change_id for _version, change_id, _changed in history}
    edits = [edit for mine in found["edits"].values() for edit in mine]
    confirmed = [edit["change_id"] for edit in edits if edit["change_id"]]
    lost = sum(change_id not in stored for change_id in confirmed)
    # A version that is missing, or rows that the changes don't explain, are losses too.
    lost += len(set(range(1, max(versions) + 1)) - set(versions))
    lost += len(set(replay(history)) ^ set(order)) + (replay(history) != order)
    one_page, every_page = delays_ms(found)
    totals = list(found["counts"].values())
    refused: dict[str, int] = {}
    for counts in totals:
        for words, count in counts["refused"].items():
            refused[words] = refused.get(words, 0) + count
    return Verdict(
        name=name,
        asked=found["asked"],
        answered=sum(edit["is_answered"] for edit in edits),
        changes=len(history) - 1,
        lost=lost,
        doubled=len(versions) - len(set(versions)) + len(confirmed) - len(set(confirmed)),
        differing=sum(shown != order for shown in found["orders"].values()),
        disconnects=sum(counts["disconnects"] for counts in totals),
        resent=sum(counts["resent"] for counts in totals),
        refused=refused,
        gaps=sum(counts["gaps"] for counts in totals),
        reloads=sum(counts["reloads"] for counts in totals),
        settled_s=found["settled_s"],
        one_page_ms=one_page,
        every_page_ms=every_page,
        cpu_share=cpu_share,
    )


def delays_ms(found: dict[str, Any]) -> tuple[list[float], list[float]]:
    """From the beginning of an edit's POST to its being shown: (on each page, on the last page of each edit).

    Pages without a connection at that moment are left out, as are those back for less than RETURNED_S.
    """
    one_page, every_page = [], []
    offline = {user_id: [tuple(span) for span in spans] for user_id, spans in found["offline_s"].items()}
    for edits in found["edits"].values():
        for edit in edits:
            shown = found["shown_s"].get(str(edit["version"])) if edit["version"] else None
            if shown is None:
                continue
            began_s = edit["began_s"]
            delays = [
                (at_s - began_s) * 1000
                for user_id, at_s in shown.items()
                if not any(out <= at_s and began_s <= back + RETURNED_S for out, back in offline.get(user_id, ()))
            ]
            one_page += delays
            every_page.append(max(delays, default=0.0))
    return one_page, every_page


def table(verdicts: list[Verdict]) -> Iterator[str]:
    yield (
        "| database | edits asked | stored | lost | doubled | pages that differ | cables pulled | sent again | "
        "gaps filled | orders read anew | to a page, p50 / p99 ms | to every page, p50 / p99 ms | cores used by web |"
    )
    yield "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    for found in verdicts:
        times = [
            f"{percentile(v, 0.5):.0f} / {percentile(v, 0.99):.0f}" for v in (found.one_page_ms, found.every_page_ms)
        ]
        yield (
            f"| {found.name} | {found.asked:,} | {found.changes:,} | {found.lost} | {found.doubled} | "
            f"{found.differing} | {found.disconnects} | {found.resent} | {found.gaps} | {found.reloads} | "
            f"{times[0]} | {times[1]} | {found.cpu_share:.2f} |"
        )


def goals(found: Verdict) -> Iterator[str]:
    is_whole = found.lost == found.doubled == 0
    yield f"{found.name}: {found.lost} edits lost, {found.doubled} doubled (none): {_judged(is_whole)}"
    yield f"{found.name}: {found.differing} pages differ at the end (none): {_judged(not found.differing)}"
    p99_ms = percentile(found.every_page_ms, 0.99)
    yield f"{found.name}: p99 to every page {p99_ms:.0f} ms (under a second): {_judged(p99_ms < 1000)}"
    if found.refused:
        most = sorted(found.refused.items(), key=lambda item: -item[1])[:3]
        yield f"{found.name}: refused: " + "; ".join(f"{count} × {words}" for words, count in most)


def _judged(reached: bool) -> str:
    return "reached" if reached else "MISSED"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=float, default=20, help="edits a second, of all together")
    parser.add_argument("--editors", type=int, default=50)
    parser.add_argument("--only", default="sqlite,postgresql")
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--json", type=Path, help="write every figure to this file as well")
    asked = parser.parse_args()
    verdicts = []
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with filled_databases(folder, asked.only, asked.scale) as found:
            for database in found:
                verdicts.append(run(database, folder / database.name, asked))
    print("\n".join(table(verdicts)) + "\n")
    reached = [line for verdict in verdicts for line in goals(verdict)]
    print("\n".join(f"- {line}" for line in reached))
    if asked.json:
        asked.json.write_text(json.dumps([{s: getattr(v, s) for s in v.__slots__} for v in verdicts], indent=1) + "\n")
    return 1 if any("MISSED" in line for line in reached) else 0


if __name__ == "__main__":
    sys.exit(main())
