from __future__ import annotations

import json
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from multiprocessing import get_context
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from musicapp import create_app
from musicapp.accounts.events import UserDeleted
from musicapp.catalog.models import Album, Track
from musicapp.core.db import db, utc_now
from musicapp.core.events import publish
from musicapp.jobs.runner import run_next
from musicapp.live.frames import Partial
from musicapp.live.services import current_cursor
from musicapp.playback import queries, services
from musicapp.playback.forgetting import delete_plays_between
from musicapp.playback.fragments import render_play_count
from musicapp.playback.models import ListeningEvent, Play
from tests.playback.conftest import House

Reports = list[dict[str, Any]]


def reports_of(track_id: int, *told: tuple[str, float, float], start: datetime | None = None) -> Reports:
    """Listening events from (kind, position in seconds, seconds after `start`, by default an hour ago)."""
    start = start or utc_now() - timedelta(hours=1)
    return [
        {
            "event_id": str(uuid.uuid4()),
            "track_id": track_id,
            "kind": kind,
            "position_ms": position_s * 1000,
            "at": (start + timedelta(seconds=at_s)).isoformat().replace("+00:00", "Z"),
        }
        for kind, position_s, at_s in told
    ]


WHOLE = (("play", 0.0, 0.0), ("progress", 60.0, 60.0), ("progress", 130.0, 130.0), ("complete", 200.0, 200.0))


def post(client: FlaskClient, reports: object) -> TestResponse:
    return client.post("/plays", json=reports)


def counts(house: House, track_id: int) -> tuple[int, int]:
    """(the figure on the track, rows of plays)"""
    with house.app.app_context():
        rows = db.session.scalar(db.select(db.func.count()).select_from(Play).where(Play.track_id == track_id))
        return db.session.get_one(Track, track_id).play_count, rows or 0


def test_a_heard_track_is_a_play(house: House) -> None:
    client = house.signed_in(house.bob)
    response = post(client, reports_of(house.ready, *WHOLE))
    assert (response.status_code, response.json) == (
        200, {"accepted": 4, "repeated": 0, "ignored": 0, "counted": 1},
    )  # fmt: skip
    assert counts(house, house.ready) == (1, 1)
    with house.app.app_context():
        play = db.session.scalars(db.select(Play)).one()
        assert (play.user_id, play.listener, play.album_id) == (house.bob, f"user-{house.bob}", house.album)
        assert play.started_at < utc_now() - timedelta(minutes=50)


def test_a_repeated_event_counts_once(house: House) -> None:
    client = house.signed_in(house.bob)
    reports = reports_of(house.ready, *WHOLE)
    post(client, [*reports, *reports])
    for again in (reports, reports[:2], list(reversed(reports)), [reports[-1]]):
        response = post(client, again)
        assert response.json == {"accepted": 0, "repeated": len(again), "ignored": 0, "counted": 0}
    assert counts(house, house.ready) == (1, 1)
    with house.app.app_context():
        assert db.session.scalar(db.select(db.func.count()).select_from(ListeningEvent)) == 4


def test_a_play_counts_when_half_is_heard_and_not_before(house: House) -> None:
    client = house.signed_in(house.bob)
    reports = reports_of(house.ready, ("play", 0, 0), ("progress", 90, 90), ("progress", 105, 105), ("skip", 110, 110))
    counted = []
    for report in reports:
        response = post(client, [report])
        assert response.json is not None
        counted.append(response.json["counted"])
    assert counted == [0, 0, 1, 0]
    assert counts(house, house.ready) == (1, 1)


@pytest.mark.parametrize(
    "told",
    [
        (("play", 0, 0), ("pause", 80, 80)),
        (("play", 0, 0), ("seek", 190, 5), ("complete", 200, 15)),
        (("play", 0, 0), ("complete", 200, 1)),
    ],
)
def test_what_was_hardly_heard_is_no_play(house: House, told: Sequence[tuple[str, float, float]]) -> None:
    assert post(house.signed_in(house.bob), reports_of(house.ready, *told)).status_code == 200
    assert counts(house, house.ready) == (0, 0)


def test_a_play_says_where_it_was_started_from_and_on_which_device(house: House) -> None:
    reports = reports_of(house.ready, *WHOLE)
    # The first event that says so is believed: later ones may come from a queue that has changed.
    for report, source in zip(reports, ("", "album-3", "playlist-7", ""), strict=True):
        report["source"] = source
    firefox = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}
    house.signed_in(house.bob).post("/plays", json=reports, headers=firefox)
    with house.app.app_context():
        play = db.session.scalars(db.select(Play)).one()
        assert (play.source, play.device) == ("album-3", "Firefox on Linux")
        exported = queries.plays_of_user(house.bob)
    assert [(row["source"], row["device"]) for row in exported] == [("album-3", "Firefox on Linux")]


def test_a_play_deleted_while_it_is_heard_is_not_counted_again(house: House) -> None:
    client = house.signed_in(house.bob)
    now = utc_now() - timedelta(seconds=150)
    reports = reports_of(house.ready, *WHOLE[:2], ("progress", 110, 110), ("progress", 140, 140), start=now)
    assert post(client, reports[:3]).json["counted"] == 1  # type: ignore[index]
    with house.app.app_context():
        assert delete_plays_between(house.bob, None, None)[1] == 1
        db.session.commit()
    assert post(client, reports[3:]).json["counted"] == 0  # type: ignore[index]
    assert counts(house, house.ready) == (1, 1)


def test_two_hearings_are_two_plays(house: House) -> None:
    client = house.signed_in(house.bob)
    start = utc_now() - timedelta(hours=2)
    post(client, reports_of(house.ready, *WHOLE, start=start))
    post(client, reports_of(house.ready, *WHOLE, start=start + timedelta(seconds=201)))
    assert counts(house, house.ready) == (2, 2)


def test_reports_may_come_late_and_in_any_order(house: House) -> None:
    client = house.signed_in(house.bob)
    reports = reports_of(house.ready, *WHOLE)
    for report in reversed(reports):
        post(client, [report])
    assert counts(house, house.ready) == (1, 1)


def test_a_client_that_only_tells_the_end_counts_once(house: House) -> None:
    client = house.signed_in(house.bob)
    for _ in range(5):
        assert post(client, reports_of(house.ready, ("complete", 200, 0))).status_code == 200
    assert counts(house, house.ready) == (1, 1)


def test_a_track_on_repeat_for_two_days_counts_every_time(house: House) -> None:
    client = house.signed_in(house.bob)
    start = utc_now() - timedelta(days=3)
    rounds = [reports_of(house.ready, *WHOLE, start=start + timedelta(minutes=10 * number)) for number in range(6 * 48)]
    for number in range(0, len(rounds), 100):
        post(client, [report for reports in rounds[number : number + 100] for report in reports])
    assert counts(house, house.ready) == (288, 288)


def test_a_clock_that_is_wrong_still_counts(house: House) -> None:
    client = house.signed_in(house.bob)
    post(client, reports_of(house.ready, *WHOLE, start=utc_now() + timedelta(hours=14)))
    post(client, reports_of(house.fresh, *WHOLE, start=utc_now() - timedelta(days=20_000)))
    assert counts(house, house.ready) == (1, 1)
    assert counts(house, house.fresh) == (1, 1)
    with house.app.app_context():
        assert all(
            event.at <= utc_now() + timedelta(minutes=1) for event in db.session.scalars(db.select(ListeningEvent))
        )


def test_strangers_are_counted_by_visitor(house: House) -> None:
    one, other = house.app.test_client(), house.app.test_client()
    reports = reports_of(house.ready, *WHOLE)
    post(one, reports[:2])
    post(one, reports[2:])
    assert counts(house, house.ready) == (1, 1)
    post(other, reports_of(house.ready, *WHOLE))
    assert counts(house, house.ready) == (2, 2)
    with house.app.app_context():
        plays = db.session.scalars(db.select(Play)).all()
        assert len({play.listener for play in plays}) == 2
        assert all(play.listener.startswith("visitor-") and play.user_id is None for play in plays)


def test_a_stranger_may_not_report_where_listening_needs_an_account(house: House, client: FlaskClient) -> None:
    house.app.config["PUBLIC_LISTENING"] = False
    response = post(client, reports_of(house.ready, *WHOLE))
    assert response.status_code == 401
    assert counts(house, house.ready) == (0, 0)
    assert post(house.signed_in(house.bob), reports_of(house.ready, *WHOLE)).status_code == 200


def test_what_a_listener_may_not_hear_is_ignored(house: House) -> None:
    reports = reports_of(house.draft, *WHOLE) + reports_of(999_999, *WHOLE) + reports_of(house.ready, *WHOLE)
    response = post(house.signed_in(house.bob), reports)
    assert response.json == {"accepted": 4, "repeated": 0, "ignored": 8, "counted": 1}
    assert counts(house, house.draft) == (0, 0)


def test_members_who_hear_their_draft_are_no_audience(house: House) -> None:
    response = post(house.signed_in(house.alice), reports_of(house.draft, *WHOLE))
    assert response.json == {"accepted": 4, "repeated": 0, "ignored": 0, "counted": 0}
    assert counts(house, house.draft) == (0, 0)


GOOD = {"event_id": "e1", "track_id": 1, "kind": "play", "position_ms": 0, "at": "2026-03-01T12:00:00.000Z"}


def test_one_malformed_event_refuses_the_batch_by_its_place_and_reason(house: House, client: FlaskClient) -> None:
    reports = reports_of(house.ready, *WHOLE)
    reports[2]["kind"] = "like"
    response = post(client, reports)
    assert response.status_code == 422
    assert response.json == {
        "error": "Item 2: kind must be one of play, pause, seek, progress, skip, complete.",
        "item": 2,
    }
    assert client.post("/plays", data=b"{").status_code == 422
    with house.app.app_context():
        assert db.session.scalar(db.select(db.func.count()).select_from(ListeningEvent)) == 0


def test_a_batch_is_bounded(house: House, client: FlaskClient) -> None:
    assert post(client, []).json == {"accepted": 0, "repeated": 0, "ignored": 0, "counted": 0}
    assert post(client, [{**GOOD, "event_id": f"e{n}", "track_id": house.ready} for n in range(500)]).status_code == 200
    too_many = post(client, [GOOD] * 501)
    assert too_many.status_code == 422
    assert "500" in too_many.text
    too_large = client.post("/plays", data=b" " * (256 * 1024 + 1))
    assert too_large.status_code == 413
    assert too_large.json is not None
    assert too_large.json["error"]


def test_a_beacon_is_read_whatever_its_type(house: House, client: FlaskClient) -> None:
    body = json.dumps(reports_of(house.ready, *WHOLE))
    response = client.post("/plays", data=body, content_type="text/plain;charset=UTF-8")
    assert response.json is not None
    assert response.json["counted"] == 1


def test_another_site_cannot_report(house: House, client: FlaskClient) -> None:
    response = client.post("/plays", json=[], headers={"Sec-Fetch-Site": "cross-site"})
    assert response.status_code == 403


def _post_repeatedly(environ: dict[str, str], reports: Reports, start: Any, answers: Any) -> None:
    """In a process of its own: reports everything in small batches, as a player with a bad connection does."""
    app = create_app(environ, TESTING=True)
    start.wait(30)
    counted = 0
    for number in range(0, len(reports), 3):
        with app.app_context():
            received = [
                services.ReceivedReport(
                    r["event_id"], r["track_id"], r["kind"], int(r["position_ms"]), datetime.fromisoformat(r["at"])
                )
                for r in reports[number : number + 3]
            ]
            counted += services.record_reports(services.Listener.user(2), received).counted
            db.session.commit()
    answers.put(counted)


def test_two_processes_that_get_the_same_events_count_once(house: House, environ: dict[str, str]) -> None:
    start = utc_now() - timedelta(hours=5)
    rounds = [reports_of(house.ready, *WHOLE, start=start + timedelta(minutes=5 * n)) for n in range(30)]
    reports = [report for told in rounds for report in told]
    spawn = get_context("spawn")
    go, answers = spawn.Event(), spawn.Queue()
    processes = [spawn.Process(target=_post_repeatedly, args=(environ, reports, go, answers)) for _ in range(3)]
    for process in processes:
        process.start()
    go.set()
    counted = sum(answers.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(30)
    assert counted == 30
    assert counts(house, house.ready) == (30, 30)


def test_the_figure_changes_on_open_pages(house: House) -> None:
    with house.app.app_context():
        before = current_cursor()
    post(house.signed_in(house.bob), reports_of(house.ready, *WHOLE))
    with house.app.app_context():
        assert current_cursor() != before
    with house.app.test_request_context("/"):
        partial = render_play_count(house.ready)
        assert isinstance(partial, Partial)
        assert partial.target == f"#plays-{house.ready}"
        assert f'<span id="plays-{house.ready}" class="plays">1</span>' in partial.html
        assert render_play_count(999_999) is None


def test_a_user_can_take_their_plays_along(house: House) -> None:
    post(house.signed_in(house.bob), reports_of(house.ready, *WHOLE) + reports_of(house.fresh, *WHOLE))
    with house.app.app_context():
        db.session.delete(db.session.get_one(Track, house.fresh))
        db.session.commit()
        plays = queries.plays_of_user(house.bob)
        assert db.session.get_one(Album, house.album).title == "Winter"
    assert [(play["track_id"], play["track"], play["album"]) for play in plays] == [
        (house.ready, "Ready", "Winter"),
        (house.fresh, None, "Winter"),
    ]
    assert all(datetime.fromisoformat(play["started_at"]).tzinfo for play in plays)


def test_a_deleted_user_is_forgotten_and_the_plays_stay_counted(house: House) -> None:
    for user in (house.bob, house.alice):
        post(house.signed_in(user), reports_of(house.ready, *WHOLE))
    with house.app.app_context():
        publish(UserDeleted(house.bob))
        db.session.commit()
        assert run_next("forget_listener") is not None
        assert {event.listener for event in db.session.scalars(db.select(ListeningEvent))} == {f"user-{house.alice}"}
        plays = db.session.scalars(db.select(Play).order_by(Play.id)).all()
        assert [(play.user_id, play.listener) for play in plays] == [
            (None, "forgotten"),
            (house.alice, f"user-{house.alice}"),
        ]
    assert counts(house, house.ready) == (2, 2)
