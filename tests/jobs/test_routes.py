from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_login import UserMixin

from musicapp.core.db import db
from musicapp.jobs import services
from musicapp.jobs.models import Job


class Person(UserMixin):  # type: ignore[misc]
    """Stands in for a signed-in viewer: this room knows no accounts."""

    def __init__(self, id: int, is_admin: bool = False) -> None:
        self.id, self.is_admin = id, is_admin
        self.username = self.display_name = f"user {id}"
        self.avatar_url = None
        self.email_confirmed = True


@pytest.fixture
def sign_in(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    def sign_in(id: int, is_admin: bool = False) -> None:
        app.before_request_funcs[None].insert(0, lambda: _login(Person(id, is_admin)))

    return sign_in


def _login(person: Any) -> None:
    from flask import g

    g._login_user = person


def failed_job(owner_id: int) -> int:
    job_id = services.add("hum", owner_id=owner_id)
    job = db.session.get(Job, job_id)
    assert job is not None
    services.change(job, "failed", error="This is a picture.")
    db.session.commit()
    return job_id


def test_job_is_told_as_json(
    app: Flask, client: FlaskClient, kinds: Callable[..., None], people: list[int], sign_in: Callable[..., None]
) -> None:
    kinds("hum", lambda _: None)
    job_id = failed_job(people[0])
    sign_in(people[0])
    answer = client.get(f"/jobs/{job_id}", headers={"Accept": "application/json"})
    assert answer.json is not None
    assert {"id", "kind", "state", "step", "percent", "attempts", "error", "result"} <= set(answer.json)
    assert answer.json["state"] == "failed"
    page = client.get(f"/jobs/{job_id}")
    assert "This is a picture." in page.text
    assert "Try again" in page.text


def test_strangers_see_no_job(
    client: FlaskClient, kinds: Callable[..., None], people: list[int], sign_in: Callable[..., None]
) -> None:
    kinds("hum", lambda _: None)
    job_id = failed_job(people[0])
    sign_in(people[2])
    assert client.get(f"/jobs/{job_id}").status_code == 404
    assert client.post(f"/jobs/{job_id}/retry").status_code == 404


def test_owner_tries_again(
    client: FlaskClient, kinds: Callable[..., None], people: list[int], sign_in: Callable[..., None]
) -> None:
    kinds("hum", lambda _: None)
    job_id = failed_job(people[0])
    sign_in(people[0])
    assert client.post(f"/jobs/{job_id}/retry").status_code == 303
    job = db.session.get(Job, job_id, populate_existing=True)
    assert job is not None
    assert job.state == "queued"
