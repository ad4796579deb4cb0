"""Fifty editors in one program: opens their pages, edits at a steady rate, pulls cables, tells what each page showed.

Started by bench/editors.py with the run's facts as JSON on its standard input; answers with JSON on its output.
"""

from gevent import monkey

monkey.patch_all()

import json  # noqa: E402
import random  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from dataclasses import asdict, dataclass  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402

from bench.editor_page import EditorPage  # noqa: E402

OPEN_EVERY_S = 0.05
OFFLINE_S = (0.5, 6.0)
SETTLE_S = 120.0
STABLE_S = 2.0  # an edit whose sender was cut off may still wait in the server
KINDS, SHARES = ("add", "move", "remove", "undo", "sort"), (40, 38, 16, 5.7, 0.3)


@dataclass(frozen=True, slots=True)
class Run:
    """What bench/editors.py asks for."""

    port: int
    playlist_id: int
    cookies: dict[str, str]  # user id -> Cookie header
    track_count: int
    seconds: float
    edits_per_s: float
    disconnects_per_s: float
    seed: int = 5


class Editors:
    """All pages and what they showed when."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._chance = random.Random(run.seed)
        self.shown_s: dict[int, dict[int, float]] = {}  # version -> user id -> when
        self.pages = [
            EditorPage(run.port, run.playlist_id, int(user_id), cookie, self._noting(int(user_id)))
            for user_id, cookie in run.cookies.items()
        ]

    def _noting(self, user_id: int) -> Any:
        def note(version: int, at_s: float) -> None:
            self.shown_s.setdefault(version, {}).setdefault(user_id, at_s)

        return note

    def go(self) -> dict[str, Any]:
        for page in self.pages:
            page.open()
            gevent.sleep(OPEN_EVERY_S)
        gevent.sleep(2)
        cables = gevent.spawn(self._pull_cables)
        began_s = time.monotonic()
        count = round(self._run.seconds * self._run.edits_per_s)
        for number in range(count):
            gevent.sleep(max(0.0, began_s + number / self._run.edits_per_s - time.monotonic()))
            self._edit(self._chance.choice(self.pages))
        took_s = time.monotonic() - began_s
        cables.kill()
        settled_s = self._settle()
        found = {
            "asked": count,
            "took_s": took_s,
            "settled_s": settled_s,
            "versions": {page.user_id: page.order.version for page in self.pages},
            "orders": {page.user_id: page.order.ids for page in self.pages},
            "edits": {page.user_id: [asdict(edit) for edit in page.edits] for page in self.pages},
            "offline_s": {page.user_id: page.offline_since_s for page in self.pages},
            "counts": {page.user_id: asdict(page.counts) for page in self.pages},
            "shown_s": self.shown_s,
        }
        for page in self.pages:
            page.close()
        return found

    def _edit(self, page: EditorPage) -> None:
        kind = self._chance.choices(KINDS, SHARES)[0]
        ids = page.order.ids
        if kind in {"move", "remove"} and len(ids) < 20:
            kind = "add"
        if kind == "add":
            tracks = [
                ("track_id", self._chance.randint(1, self._run.track_count))
                for _ in range(self._chance.choice((1, 1, 1, 3, 10)))
            ]
            place = [("after_entry_id", self._chance.choice([0, *ids]))] if ids and self._chance.random() < 0.3 else []
            page.edit("add", "entries", [*tracks, *place, ("duplicates", "add")])
        elif kind == "undo":
            page.edit("undo", "undo", [("change_id", "")])
        elif kind == "sort":
            page.edit("sort", "sort", [("sort", self._chance.choice(("title", "artist", "added"))), ("down", "0")])
        else:
            # Neighbours are often meant together, and many people move what stands at the top.
            at = int(len(ids) * self._chance.random() ** 2)
            chosen = ids[at : at + self._chance.choice((1, 1, 1, 2, 5))]
            fields: list[tuple[str, Any]] = [("entry_ids", ",".join(map(str, chosen)))]
            if kind == "move":
                fields.append(("after_entry_id", self._chance.choice([0, *ids])))
            page.edit(kind, kind, fields)

    def _pull_cables(self) -> None:
        while True:
            gevent.sleep(self._chance.expovariate(self._run.disconnects_per_s))
            page = self._chance.choice(self.pages)
            if page.is_online:
                gevent.spawn(page.go_offline, self._chance.uniform(*OFFLINE_S))

    def _settle(self) -> float:
        """Waits until nothing is sent any more and every page shows the same version; seconds."""
        began_s = same_since_s = time.monotonic()
        seen = None
        while time.monotonic() - began_s < SETTLE_S:
            versions = {page.order.version for page in self.pages}
            is_settled = len(versions) == 1 and all(page.is_idle and page.is_online for page in self.pages)
            if not is_settled or versions != seen:
                seen, same_since_s = versions, time.monotonic()
            elif time.monotonic() - same_since_s > STABLE_S:
                break
            gevent.sleep(0.05)
        return time.monotonic() - began_s


def main() -> int:
    json.dump(Editors(Run(**json.load(sys.stdin))).go(), sys.stdout)
    return 0
