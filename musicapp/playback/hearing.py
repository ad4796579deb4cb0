"""From what a player reports to hearings, and which of them count as plays. Pure: no clock, no database.

The rule of a play: the track is longer than 30 seconds and was heard for half of it or for 4 minutes, whichever is
first. Heard is time for which both the clock and the position went on; jumping to the end is not hearing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

KINDS = ("play", "pause", "seek", "progress", "skip", "complete")
ENDS = frozenset({"skip", "complete"})
REPORTS = frozenset({"progress", "complete"})
"""Kinds that say "heard up to here" by themselves."""

SHORTEST_COUNTED_MS = 30_000
ENOUGH_MS = 4 * 60_000
CLOCK_TOLERANCE_MS = 2_000
"""A report's time and its position are not taken at the same moment."""
START_MS = 1_000
"""A `play` up to here starts the track anew."""
BACK_MS = 5_000
"""A report so far before the last one, without a seek, belongs to another time through the track."""
UNSEEN_MS = 20_000
"""Most that is believed before a seek, whose own position says where it went, not where it came from. Longer than
the 15 s between a player's progress reports."""
GAP = timedelta(hours=12)
"""A track taken up again after so long is heard anew."""

CLOCK_AHEAD = timedelta(minutes=1)
CLOCK_WRONG = timedelta(days=1)
"""More than any time zone mistaken for another."""
OLDEST = timedelta(days=60)
"""Reports may wait in a browser that is offline."""


@dataclass(frozen=True, slots=True)
class Report:
    """One listening event of one listener and one track."""

    event_id: str
    kind: str
    position_ms: int
    at: datetime


@dataclass(slots=True)
class Hearing:
    """One time through a track, or a part of it."""

    hearing_id: str
    """event_id of its first report."""
    started_at: datetime
    heard_ms: int = 0
    event_ids: list[str] = field(default_factory=list)


def is_play(heard_ms: int, duration_ms: int | None) -> bool:
    """Whether so much of a track counts. A track of unknown length counts after 4 minutes, which prove its length."""
    if duration_ms is None:
        return heard_ms >= ENOUGH_MS
    return duration_ms > SHORTEST_COUNTED_MS and heard_ms >= min(duration_ms / 2, ENOUGH_MS)


def hearings(reports: Sequence[Report], duration_ms: int | None) -> list[Hearing]:
    """The hearings in one listener's reports of one track, which come in the order of their time.

    A first report that says how far it got is believed: some clients only tell the end. But no more than the time
    since the report before it, so that ten such reports in a second are not ten hearings.
    """
    found: list[Hearing] = []
    before: Report | None = None
    is_playing = False
    for report in reports:
        if before is None or _begins_anew(before, report):
            heard_ms = _believed_ms(before, report, duration_ms)
            found.append(Hearing(report.event_id, report.at - timedelta(milliseconds=heard_ms), heard_ms))
            is_playing = False
        elif is_playing:
            found[-1].heard_ms += _heard_between_ms(before, report)
        found[-1].event_ids.append(report.event_id)
        if report.kind != "seek":
            is_playing = report.kind in {"play", "progress"}
        before = report
    return found


def _begins_anew(before: Report, report: Report) -> bool:
    if before.kind in ENDS:
        return True
    if report.kind == "play":
        return report.position_ms <= START_MS < before.position_ms or report.at - before.at > GAP
    return report.kind in REPORTS and before.kind in REPORTS and report.position_ms < before.position_ms - BACK_MS


def _believed_ms(before: Report | None, report: Report, duration_ms: int | None) -> int:
    if report.kind not in REPORTS:
        return 0
    believed = report.position_ms if duration_ms is None else min(report.position_ms, duration_ms)
    return believed if before is None else min(believed, _clock_ms(before, report))


def _heard_between_ms(before: Report, report: Report) -> int:
    if report.kind == "seek":
        return min(_clock_ms(before, report), UNSEEN_MS)
    return max(0, min(report.position_ms - before.position_ms, _clock_ms(before, report) + CLOCK_TOLERANCE_MS))


def _clock_ms(before: Report, report: Report) -> int:
    return round((report.at - before.at) / timedelta(milliseconds=1))


def mend_clocks(moments: Sequence[datetime], now: datetime) -> list[datetime]:
    """The moments of one batch with a wrong clock put right: none is left more than CLOCK_AHEAD after `now`.

    A clock that is ahead by up to CLOCK_WRONG is ahead for the whole batch, which is moved together, the latest
    moment to `now`: between its moments time went on as they say. What is further off, or older than OLDEST, comes
    from no clock; such moments are moved together by themselves.
    """
    latest = max((at for at in moments if CLOCK_AHEAD < at - now <= CLOCK_WRONG), default=None)
    if latest is not None:
        moments = [at - (latest - now) if at - now <= CLOCK_WRONG else at for at in moments]
    for strays in ([at for at in moments if at - now > CLOCK_WRONG], [at for at in moments if now - at > OLDEST]):
        if strays:
            shift, wrong = max(strays) - now, set(strays)
            moments = [max(at - shift, now - OLDEST) if at in wrong else at for at in moments]
    return list(moments)
