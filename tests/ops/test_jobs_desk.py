"""The desk's ledger of jobs: found, opened, tried again and cancelled, one by one and in bulk; the log says so."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from musicapp.core.db import db, utc_now
from musicapp.jobs import runner, services
from musicapp.jobs.models import Job, PeriodicRun
from musicapp.jobs.registry import KINDS, JobKind
from musicapp.ops.models import AuditEntry
from musicapp.ops.queries.jobs import PER_PAGE
from musicapp.ops.services.jobs import AT_ONCE
from tests.people import register, sign_in
from tests.test_statements import statements_of

TRACE = 'Traceback (most recent call last):\n  File "x.py", line 1, in hum\nValueError: no such <tone>\n'


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    before = dict(KINDS)
    KINDS.update({name: JobKind(name, "default", 3, lambda _: None) for name in ("hum", "sing")})
    yield
    KINDS.clear()
    KINDS.update(before)


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    return sign_in(app, register(app, "admin", role="admin"))


@pytest.fixture
def add(app: Flask) -> Callable[..., int]:
    """Adds a job with these columns and returns its id."""

    def add_one(kind: str = "hum", state: str = "queued", **columns: Any) -> int:
        with app.app_context():
            job = db.session.get_one(Job, services.add(kind, subject_id=columns.pop("subject_id", None)))
            if state != "queued":
                services.change(job, state)
            if state == "failed":
                columns = {"finished_at": utc_now(), "started_at": utc_now(), **columns}
            for name, value in columns.items():
                setattr(job, name, value)
            db.session.commit()
            return job.id

    return add_one


def listed(client: FlaskClient, **arguments: Any) -> list[int]:
    response = client.get("/admin/jobs", query_string=arguments)
    assert response.status_code == 200
    return [int(found) for found in re.findall(r'id="machine-job-(\d+)"', response.text)]


def states(app: Flask, *ids: int) -> list[str]:
    with app.app_context():
        return [db.session.get_one(Job, job_id).state for job_id in ids]


def audited(app: Flask) -> list[tuple[str, int | None, str]]:
    with app.app_context():
        rows = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id))
        return [(row.act, row.subject_id, row.subject_words) for row in rows]


def test_jobs_are_found_by_kind_state_owner_age_and_number(
    app: Flask, admin: FlaskClient, add: Callable[..., int]
) -> None:
    bob = register(app, "bob")
    now = utc_now()
    with app.app_context():
        there = db.session.scalars(select(Job.id)).all()
    waiting = add(subject_id=777)
    bobs = add("sing", owner_id=bob, unique_key="sing/7", request_id="abcdef12")
    failed = add("sing", "failed", finished_at=now - timedelta(hours=2), subject_id=777)
    old = add("hum", "succeeded", finished_at=now - timedelta(days=8))
    stuck = add("hum", "running", run_at=now - timedelta(hours=3), started_at=now, step="humming")
    ours = [stuck, old, failed, bobs, waiting]

    with statements_of(app) as statements:
        found = listed(admin)
    assert [job_id for job_id in found if job_id not in there] == ours
    assert len(statements) <= 6
    assert listed(admin, kind="sing") == [failed, bobs]
    assert listed(admin, kind="hum", state="running") == [stuck]
    assert listed(admin, state="failed") == [failed]
    assert listed(admin, owner="Bob", kind="sing") == [bobs]
    assert listed(admin, owner="nobody") == []
    assert [i for i in listed(admin, age="hour") if i in ours] == [stuck, bobs, waiting]
    assert [i for i in listed(admin, age="day") if i in ours] == [stuck, failed, bobs, waiting]
    assert listed(admin, age="stuck") == [stuck]
    assert listed(admin, q=f"#{old}") == [old]
    assert listed(admin, q="777") == [failed, waiting]
    assert listed(admin, q="777", kind="hum") == [waiting]
    assert listed(admin, q="sing/7") == listed(admin, q="abcdef12") == [bobs]
    assert listed(admin, q="99999999999999999999") == []


def test_the_list_goes_on_by_key(app: Flask, admin: FlaskClient, add: Callable[..., int]) -> None:
    ids = [add("hum", "running")]
    listed(admin, kind="hum")
    with statements_of(app) as for_one:
        listed(admin, kind="hum")
    ids += [add("hum", "running") for _ in range(PER_PAGE + 1)]
    with statements_of(app) as for_many:
        first = listed(admin, kind="hum")
    assert len(for_many) == len(for_one)
    assert first == ids[::-1][:PER_PAGE]
    add()
    page = admin.get("/admin/jobs?kind=hum&after=" + str(first[-1])).text
    assert [int(found) for found in re.findall(r'id="machine-job-(\d+)"', page)] == ids[::-1][PER_PAGE:]


@pytest.mark.one_database
def test_a_failed_job_shows_its_traceback_and_is_tried_again(
    app: Flask, admin: FlaskClient, add: Callable[..., int]
) -> None:
    job_id = add(
        "hum", "failed", error="It would not hum.", traceback=TRACE, worker="default@host/12", started_at=utc_now()
    )
    page = admin.get(f"/admin/jobs/{job_id}").text
    for words in ("It would not hum.", "ValueError: no such &lt;tone&gt;", "default@host/12"):
        assert words in page
    assert "Traceback" not in sign_in(app, register(app, "bob")).get(f"/jobs/{job_id}").text

    answer = admin.post(f"/admin/jobs/{job_id}/retry", headers={"Referer": f"http://localhost/admin/jobs/{job_id}"})
    assert (answer.status_code, answer.location) == (303, f"/admin/jobs/{job_id}")
    assert "1 job waits again." in admin.get(answer.location).text
    assert states(app, job_id) == ["queued"]
    admin.post(f"/admin/jobs/{job_id}/retry")
    assert "it has moved on already" in admin.get("/admin/jobs").text
    admin.post(f"/admin/jobs/{job_id}/cancel")
    assert states(app, job_id) == ["cancelled"]
    assert audited(app) == [("job.retry", job_id, "hum"), ("job.cancel", job_id, "hum")]
    assert admin.get("/admin/jobs/999999").status_code == 404


@pytest.mark.one_database
def test_ticked_jobs_are_tried_again_together(app: Flask, admin: FlaskClient, add: Callable[..., int]) -> None:
    ids = [add("hum", "failed"), add("sing", "failed"), add("hum", "succeeded"), add("hum", "failed")]
    answer = admin.post("/admin/jobs", data={"act": "retry", "job": ids[:3]})
    assert answer.status_code == 303
    assert states(app, *ids) == ["queued", "queued", "succeeded", "failed"]
    assert "2 jobs wait again." in admin.get("/admin/jobs").text
    assert [entry[:2] for entry in audited(app)] == [("job.retry", ids[0]), ("job.retry", ids[1])]

    for nonsense in ({}, {"act": "retry"}, {"act": "delete", "job": ids}, {"act": "retry", "kind": "no such"}):
        admin.post("/admin/jobs", data=nonsense)
        assert "Tick the jobs first" in admin.get("/admin/jobs").text
    assert states(app, *ids) == ["queued", "queued", "succeeded", "failed"]


def test_all_failed_jobs_of_a_kind_are_tried_again_the_rest_by_a_job(
    app: Flask, admin: FlaskClient, add: Callable[..., int]
) -> None:
    ids = [add("hum", "failed") for _ in range(AT_ONCE * 2 + 3)]
    other = add("sing", "failed")
    admin.post("/admin/jobs", data={"act": "retry", "kind": "hum"})
    assert states(app, *ids).count("queued") == AT_ONCE
    with app.app_context():
        rest = db.session.scalars(select(Job.id).where(Job.kind == "act_on_jobs")).one()
        # What fails again meanwhile was not asked for.
        services.change(db.session.get_one(Job, ids[0]), "failed", finished_at=utc_now())
        db.session.commit()
    assert f"{AT_ONCE + 3} more are seen to by job {rest}" in admin.get("/admin/jobs").text
    with app.app_context():
        while db.session.get_one(Job, rest).state == "queued":
            db.session.commit()
            assert runner.run_next("act_on_jobs") == rest
        assert db.session.get_one(Job, rest).result == {"left": 0}
    assert states(app, *ids) == ["failed"] + ["queued"] * (len(ids) - 1)
    assert states(app, other) == ["failed"]
    assert audited(app) == [("job.retry_all", None, "hum")]


@pytest.mark.one_database
def test_all_waiting_jobs_of_a_kind_are_cancelled(app: Flask, admin: FlaskClient, add: Callable[..., int]) -> None:
    ids = [add(), add(), add("sing"), add("hum", "running")]
    assert "Cancel all" in admin.get("/admin/jobs?kind=hum&state=queued").text
    admin.post("/admin/jobs", data={"act": "cancel", "kind": "hum"})
    assert states(app, *ids) == ["cancelled", "cancelled", "queued", "running"]


def test_failures_are_sorted_by_what_went_wrong(app: Flask, admin: FlaskClient, add: Callable[..., int]) -> None:
    for _ in range(3):
        add("hum", "failed", error="Something went wrong.", traceback=TRACE)
    odd = add("sing", "failed")
    with app.app_context():
        db.session.get_one(Job, odd).error = f"Tell the operator about job {odd}."
        run = PeriodicRun(task="uploads.sweep", state="failed", error="The disk was full.", finished_at=utc_now())
        db.session.add(run)
        db.session.commit()
    with statements_of(app) as statements:
        page = admin.get("/admin/failures").text
    assert len(statements) <= 6
    assert page.count('<article class="machine-failure"') == 3
    assert re.search(r'<span class="chip chip-failed">3</span> ValueError: no such &lt;tone&gt;', page)
    assert page.count("ValueError: no such &lt;tone&gt;") == 2, "once as the reason, once in the traceback"
    assert "Tell the operator about job …." in page
    assert "The disk was full." in page


@pytest.mark.one_database
def test_nobody_but_admins_acts_on_jobs(app: Flask, add: Callable[..., int]) -> None:
    job_id = add("hum", "failed")
    for client in (app.test_client(), sign_in(app, register(app, "charlie"))):
        assert client.get("/admin/jobs").status_code == 404
        assert client.get(f"/admin/jobs/{job_id}").status_code == 404
        assert client.post("/admin/jobs", data={"act": "retry", "job": job_id}).status_code == 404
        assert client.post(f"/admin/jobs/{job_id}/retry").status_code == 404
    assert states(app, job_id) == ["failed"]
