from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from musicapp.playback.hearing import KINDS, Hearing, Report, hearings, is_play, mend_clocks

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DURATION_MS = 200_000


def told(*reports: tuple[str, float, float]) -> list[Report]:
    """Reports from (kind, position in seconds, seconds after noon); event ids are e0, e1, …"""
    return [
        Report(f"e{number}", kind, round(position_s * 1000), NOON + timedelta(seconds=at_s))
        for number, (kind, position_s, at_s) in enumerate(reports)
    ]


def heard(*reports: tuple[str, float, float], duration_ms: int | None = DURATION_MS) -> list[int]:
    return [round(hearing.heard_ms / 1000) for hearing in hearings(told(*reports), duration_ms)]


@pytest.mark.parametrize(
    ("heard_ms", "duration_ms", "counts"),
    [
        (99_999, 200_000, False),
        (100_000, 200_000, True),
        (30_000, 30_000, False),
        (15_001, 30_001, True),
        (15_000, 30_001, False),
        (239_999, 3_600_000, False),
        (240_000, 3_600_000, True),
        (239_999, None, False),
        (240_000, None, True),
        (0, 0, False),
    ],
)
def test_half_of_a_track_or_four_minutes_is_a_play(heard_ms: int, duration_ms: int | None, counts: bool) -> None:
    assert is_play(heard_ms, duration_ms) is counts


def test_a_track_heard_to_its_end_is_one_hearing() -> None:
    progress = [("progress", float(second), float(second)) for second in range(15, 200, 15)]
    assert heard(("play", 0, 0), *progress, ("complete", 200, 200)) == [200]


def test_pauses_are_not_heard() -> None:
    assert heard(("play", 0, 0), ("pause", 40, 40), ("play", 40, 640), ("progress", 55, 655)) == [55]


def test_jumping_is_not_hearing() -> None:
    assert heard(("play", 0, 0), ("seek", 180, 5), ("complete", 200, 25)) == [25]
    assert heard(("play", 0, 0), ("progress", 190, 5)) == [7]


def test_a_clock_that_went_on_while_the_position_stood_is_not_hearing() -> None:
    assert heard(("play", 0, 0), ("progress", 3, 90)) == [3]


def test_seeking_while_paused_is_not_hearing() -> None:
    assert heard(("play", 0, 0), ("pause", 10, 10), ("seek", 150, 300), ("play", 150, 301), ("pause", 160, 311)) == [20]


def test_seeking_back_and_hearing_on_is_the_same_hearing() -> None:
    assert heard(("play", 0, 0), ("progress", 15, 15), ("seek", 0, 16), ("progress", 15, 31)) == [31]


def test_playing_again_after_the_end_is_another_hearing() -> None:
    one = (("play", 0, 0), ("progress", 100, 100), ("complete", 200, 200))
    two = tuple((kind, position_s, at_s + 201) for kind, position_s, at_s in one)
    assert heard(*one, *two) == [200, 200]


def test_starting_anew_is_another_hearing_though_nothing_told_the_end() -> None:
    assert heard(("play", 0, 0), ("progress", 120, 120), ("play", 0, 500), ("progress", 60, 560)) == [120, 60]


def test_taken_up_again_is_the_same_hearing_until_the_next_day() -> None:
    hour = 3600
    assert heard(("play", 0, 0), ("pause", 60, 60), ("play", 60, 5 * hour), ("pause", 110, 5 * hour + 50)) == [110]
    assert heard(("play", 0, 0), ("pause", 60, 60), ("play", 60, 20 * hour), ("pause", 110, 20 * hour + 50)) == [60, 50]


@pytest.mark.parametrize("kind", ["complete", "progress"])
def test_a_client_that_only_tells_the_end_is_believed_once(kind: str) -> None:
    assert heard((kind, 200, 0)) == [200]
    # Ten such ends within ten seconds are no ten hearings.
    repeated = heard(*[("complete", 200.0, float(second)) for second in range(10)])
    assert sum(is_play(seconds * 1000, DURATION_MS) for seconds in repeated) == 1
    # But a track on repeat is.
    assert heard(*[("complete", 200.0, 200.0 * round) for round in range(3)]) == [200, 200, 200]


def test_a_lone_end_beyond_the_track_is_believed_up_to_its_length() -> None:
    assert heard(("complete", 99_999, 0)) == [200]


def test_a_client_that_only_tells_progress_is_followed_from_one_time_to_the_next() -> None:
    assert heard(("progress", 15, 0), ("progress", 30, 15), ("progress", 15, 100)) == [30, 15]


def test_other_lone_reports_say_nothing() -> None:
    for kind in ("play", "pause", "seek", "skip"):
        assert heard((kind, 190, 0)) == [0]


def test_a_late_report_of_the_end_adds_nothing() -> None:
    assert heard(("play", 0, 0), ("complete", 200, 200), ("pause", 200, 200.01), ("progress", 200, 200.02)) == [200, 0]


def test_a_hearing_is_named_and_dated_by_its_first_report() -> None:
    (hearing,) = hearings(told(("play", 0, 3), ("complete", 200, 203)), DURATION_MS)
    assert hearing == Hearing("e0", NOON + timedelta(seconds=3), 200_000, ["e0", "e1"])
    (lone,) = hearings(told(("complete", 200, 203)), DURATION_MS)
    assert lone.started_at == NOON + timedelta(seconds=3)


def test_nobody_hears_longer_than_time_went_by() -> None:
    for seed in range(500):
        chance = random.Random(seed)
        count = chance.randint(1, 30)
        at_s = sorted(chance.uniform(0, 3000) for _ in range(count))
        reports = [(chance.choice(KINDS), chance.uniform(0, 300), at) for at in at_s]
        found = hearings(told(*reports), DURATION_MS)
        passed_ms = round((at_s[-1] - at_s[0]) * 1000)
        # The first report may be believed, and each step has its tolerance.
        assert sum(hearing.heard_ms for hearing in found) <= DURATION_MS + passed_ms + 2_001 * count
        assert all(hearing.heard_ms >= 0 for hearing in found)
        assert [event_id for hearing in found for event_id in hearing.event_ids] == [f"e{n}" for n in range(count)]


def seconds(*values: float) -> list[datetime]:
    return [NOON + timedelta(seconds=value) for value in values]


DAY = 86_400.0


@pytest.mark.parametrize(
    ("clock", "mended"),
    [
        ([-30, 0, 45], [-30, 0, 45]),
        ([3600, 3660], [-60, 0]),
        ([-10, 110], [-120, 0]),
        ([-20, -10, 9000 * DAY], [-20, -10, 0]),
        ([9000 * DAY, 9000 * DAY + 60], [-60, 0]),
        ([-9000 * DAY, -9000 * DAY + 60, -5], [-60, 0, -5]),
        ([-40 * DAY], [-40 * DAY]),
        ([], []),
    ],
)
def test_a_wrong_clock_is_put_right_and_time_between_reports_stays(clock: list[float], mended: list[float]) -> None:
    assert mend_clocks(seconds(*clock), NOON) == seconds(*mended)


def test_no_mended_moment_is_far_from_now() -> None:
    chance = random.Random(1)
    widths_s = [60.0, DAY / 2, 30 * DAY, 90 * DAY, 700_000 * DAY]
    for _ in range(300):
        moments = [NOON + timedelta(seconds=chance.uniform(-1, 1) * chance.choice(widths_s)) for _ in range(20)]
        mended = mend_clocks(moments, NOON)
        assert len(mended) == len(moments)
        assert all(-timedelta(days=61) <= at - NOON <= timedelta(minutes=1) for at in mended)


@pytest.mark.parametrize("at", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)])
def test_the_ends_of_the_calendar_are_mended_too(at: datetime) -> None:
    assert mend_clocks([at], NOON) == [NOON]
