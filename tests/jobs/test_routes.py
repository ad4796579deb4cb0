from __future__ import annotations

from collections.abc import Callable

import pytest
from flask import Flask

from musicapp.core.db import db
from musicapp.jobs import services
from musicapp.jobs.context import JobContext
from musicapp.jobs.models import Job
from musicapp.jobs.registry import GoOn
from musicapp.jobs.runner import run_next
from tests.people import register, sign_in


@pytest.fixture
def failed_job(app: Flask, kinds: Callable[..., None]) -> tuple[int, int]:
    """Ids of alice and of a job of hers that has failed."""
    kinds("hum", lambda _: None)
    alice = register(app, "alice")
    with app.app_context():
        job = db.session.get_one(Job, services.add("hum", owner_id=alice))
        services.change(job, "failed", error="This is a picture.")
        db.session.commit()
        return alice, job.id


def state_of(app: Flask, job_id: int) -> str:
    with app.app_context():
        return db.session.get_one(Job, job_id).state


def test_job_is_told_as_json_and_as_a_page(app: Flask, failed_job: tuple[int, int]) -> None:
    alice, job_id = failed_job
    client = sign_in(app, alice)
    answer = client.get(f"/jobs/{job_id}", headers={"Accept": "application/json"})
    assert answer.json is not None
    assert {"id", "kind", "state", "step", "percent", "attempts", "error", "result"} <= set(answer.json)
    assert answer.json["state"] == "failed"
    page = client.get(f"/jobs/{job_id}").text
    assert "This is a picture." in page
    assert "Try again" in page


def test_a_job_between_two_of_its_parts_is_shown_as_running_with_how_far_it_is(
    app: Flask, kinds: Callable[..., None]
) -> None:
    def do_a_part(job: JobContext) -> None:
        job.progress(31, "312 of 1,000")
        raise GoOn(60)

    kinds("hum", do_a_part)
    alice = register(app, "alice")
    with app.app_context():
        job_id = services.add("hum", owner_id=alice)
        db.session.commit()
        run_next("hum")
    assert state_of(app, job_id) == "queued"
    page = sign_in(app, alice).get(f"/jobs/{job_id}").text
    for words in ("Running", "312 of 1,000", 'value="31"', "Goes on"):
        assert words in page
    assert "in the queue" not in page


def test_strangers_see_no_job(app: Flask, failed_job: tuple[int, int]) -> None:
    _, job_id = failed_job
    charlie = sign_in(app, register(app, "charlie"))
    assert charlie.get(f"/jobs/{job_id}").status_code == 404
    assert charlie.post(f"/jobs/{job_id}/retry").status_code == 404
    stranger = app.test_client().get(f"/jobs/{job_id}", headers={"Accept": "text/html"})
    assert stranger.status_code == 303


def test_admin_sees_every_job(app: Flask, failed_job: tuple[int, int]) -> None:
    _, job_id = failed_job
    admin = sign_in(app, register(app, "admin", role="admin"))
    assert admin.get(f"/jobs/{job_id}").status_code == 200


def test_owner_tries_again(app: Flask, failed_job: tuple[int, int]) -> None:
    alice, job_id = failed_job
    assert sign_in(app, alice).post(f"/jobs/{job_id}/retry").status_code == 303
    assert state_of(app, job_id) == "queued"


def test_owner_cancels_a_waiting_job(app: Flask, failed_job: tuple[int, int]) -> None:
    alice, job_id = failed_job
    client = sign_in(app, alice)
    client.post(f"/jobs/{job_id}/retry")
    client.post(f"/jobs/{job_id}/cancel")
    assert state_of(app, job_id) == "cancelled"


def test_page_says_when_no_worker_is_running(app: Flask, failed_job: tuple[int, int]) -> None:
    alice, job_id = failed_job
    client = sign_in(app, alice)
    assert "No worker" not in client.get(f"/jobs/{job_id}").text
    app.extensions["started_at"] -= 61
    assert "No worker has reported for a minute" in client.get(f"/jobs/{job_id}").text
    assert "No worker has reported for a minute" in client.get("/jobs/workers").text


@pytest.mark.parametrize(
    ("referrer", "location"),
    [
        ("http://localhost/studio/albums/3?x=1", "/studio/albums/3?x=1"),
        ("http://localhost//evil.example/", "/jobs/{id}"),
        ("http://evil.example/", "/jobs/{id}"),
        ("http://[", "/jobs/{id}"),
    ],
)
def test_button_leads_back_to_a_page_of_this_site(
    app: Flask, failed_job: tuple[int, int], referrer: str, location: str
) -> None:
    alice, job_id = failed_job
    answer = sign_in(app, alice).post(f"/jobs/{job_id}/retry", headers={"Referer": referrer})
    assert (answer.status_code, answer.location) == (303, location.format(id=job_id))


def test_live_topic_of_a_number_beyond_all_ids_is_nobodys(app: Flask, failed_job: tuple[int, int]) -> None:
    alice, _ = failed_job
    assert sign_in(app, alice).get(f"/live?topics=job-{10**18 - 1}").status_code == 403
