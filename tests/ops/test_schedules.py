"""The schedule at the desk: what runs when, run now, and every edit of it where it lives in the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache
from sqlalchemy import event, select, update

from musicapp import create_app
from musicapp.accounts.models import User
from musicapp.core.db import db, utc_now
from musicapp.jobs import schedule_rows as rows
from musicapp.jobs.models import PeriodicRun
from musicapp.jobs.timing import Timing
from musicapp.ops.models import AuditEntry
from musicapp.ops.queries.schedules import schedules
from tests.people import register, sign_in
from tests.servers import RedisServer

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
CRONTAB = {"name": "sweep at nine", "task": "uploads.sweep", "kind": "crontab", "time_zone": "Europe/Berlin"}


@pytest.fixture
def editable(environ: dict[str, str], compiled_templates: FileSystemBytecodeCache) -> Iterator[Flask]:
    """A site whose schedules live in the database, filled as beat fills it."""
    app = create_app({**environ, "SCHEDULES_IN_DATABASE": "true"}, TESTING=True)
    app.jinja_env.bytecode_cache = compiled_templates
    with app.app_context():
        rows.fill(app.extensions["celery"].conf.beat_schedule)
        db.session.commit()
        db.session.remove()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    app.extensions["redis"].close()
    if "live_publisher" in app.extensions:
        app.extensions["live_publisher"].close()


def admin_of(app: Flask, zone: str = "Europe/Berlin") -> FlaskClient:
    user_id = register(app, "admin", role="admin")
    with app.app_context():
        db.session.execute(update(User).values(time_zone=zone))
        db.session.commit()
    return sign_in(app, user_id)


def note_run(app: Flask, task: str, state: str = "succeeded", **columns: Any) -> None:
    with app.app_context():
        then = columns.pop("at", utc_now())
        db.session.add(PeriodicRun(task=task, state=state, started_at=then, finished_at=then, **columns))
        db.session.commit()


def entry(app: Flask, name: str) -> rows.Entry | None:
    with app.app_context():
        found = next((each for each in rows.entries() if each.name == name), None)
        db.session.rollback()
    return found


def acts(app: Flask) -> list[tuple[str, str, dict[str, Any]]]:
    with app.app_context():
        return [(e.act, e.subject_words, e.details) for e in db.session.scalars(select(AuditEntry).order_by("id"))]


def row_of(page: str, name: str) -> str:
    """The words of an entry's row."""
    title = f">{name[:1].upper()}{name[1:]}</a>"
    found = next(row for row in re.findall(r"<tr id=.*?</tr>", page, re.DOTALL) if title in row)
    labels = " ".join(re.findall(r'aria-label="([^"]+)"', found))
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found)) + labels


@sqlite_only
def test_list_shows_last_runs_and_what_is_due_in_the_admins_zone(app: Flask) -> None:
    admin = admin_of(app, "Asia/Tokyo")
    at = utc_now() - timedelta(minutes=20)
    note_run(app, "uploads.sweep", at=at, result={"expired": 2, "abandoned": 0})
    note_run(app, "catalog.purge", "failed", error="It failed: the disk is full.", traceback="Traceback: disk")
    note_run(app, "jobs.sweep", "lost", error="The worker died meanwhile.")
    page = admin.get("/admin/schedules").text
    uploads = row_of(page, "give up unfinished uploads")
    assert "every hour" in uploads
    assert (at + timedelta(hours=1 + 9)).strftime("%H:%M") in uploads
    assert "Done" in uploads
    assert "expired 2" in uploads
    assert "abandoned" not in uploads
    assert "It failed: the disk is full." in row_of(page, "end what was deleted long ago")
    assert "Lost" in row_of(page, "replace lost job tickets")
    assert "never" in row_of(page, "remove files that no row names")
    assert "SCHEDULES_IN_DATABASE=true" in page
    assert "The clock is silent" in page
    app.extensions["redis"].set("beat-seen", utc_now().timestamp())
    assert "The clock is silent" not in admin.get("/admin/schedules/rows").text
    for path in ("/admin/schedules/new", "/admin/schedules/1"):
        assert admin.get(path).status_code == 404

    runs = admin.get("/admin/schedules/tasks/catalog.purge").text
    assert "Traceback: disk" in runs
    assert "the clock" in runs
    assert admin.get("/admin/schedules/tasks/no.such").status_code == 404


@sqlite_only
def test_run_now_tells_a_worker_and_is_audited(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(app.extensions["celery"], "send_task", lambda name, **told: sent.append((name, told)))
    admin = admin_of(app)
    answer = admin.post("/admin/schedules/tasks/uploads.sweep/run", follow_redirects=True)
    assert "A worker is told." in answer.text
    assert [(name, told["kwargs"]["started_by"], told["queue"]) for name, told in sent] == [
        ("uploads.sweep", "admin", "default")
    ]
    assert acts(app) == [("schedule.run", "uploads.sweep", {})]
    assert admin.post("/admin/schedules/tasks/jobs.work/run").status_code == 404


@sqlite_only
def test_run_now_says_so_when_redis_is_away(environ: dict[str, str], own_redis: RedisServer) -> None:
    app = create_app({**environ, "REDIS_URL": own_redis.url}, TESTING=True)
    admin = admin_of(app)
    own_redis.stop()
    answer = admin.post("/admin/schedules/tasks/uploads.sweep/run", follow_redirects=True)
    assert "Redis is away, so no worker can be told." in answer.text
    assert acts(app) == []
    with app.app_context():
        db.engine.dispose()
    app.extensions["redis"].close()


def test_admin_adds_changes_switches_and_removes_entries(editable: Flask) -> None:
    admin = admin_of(editable)
    assert "every hour" in row_of(admin.get("/admin/schedules").text, "give up unfinished uploads")

    made = admin.post("/admin/schedules/new", data={**CRONTAB, "line": "0 9 * * *"}, follow_redirects=True)
    assert "Saved. The clock knows it within a few seconds." in made.text
    assert "every day at 09:00 (Europe/Berlin)" in row_of(made.text, "sweep at nine")
    assert " 09:00 " in row_of(made.text, "sweep at nine")
    first = entry(editable, "sweep at nine")
    assert first is not None
    assert first.timing == Timing("crontab", line="0 9 * * *", time_zone="Europe/Berlin")
    assert 'value="0 9 * * *"' in admin.get(f"/admin/schedules/{first.id}").text

    often = {"name": "sweep often", "task": "uploads.sweep", "kind": "interval", "every": "15", "period": "minutes"}
    changed = admin.post(f"/admin/schedules/{first.id}", data=often, follow_redirects=True)
    assert "every 15 minutes" in row_of(changed.text, "sweep often")
    assert entry(editable, "sweep at nine") is None
    second = entry(editable, "sweep often")
    assert second is not None

    off = admin.post(f"/admin/schedules/{second.id}/switch", data={"on": "0"}, follow_redirects=True)
    assert "Off" in row_of(off.text, "sweep often")
    assert "Switch on: sweep often" in row_of(off.text, "sweep often")
    admin.post(f"/admin/schedules/{second.id}/switch", data={"on": "1"})
    admin.post(f"/admin/schedules/{second.id}/switch", data={"on": "1"})  # a second tab

    once = {"name": "once", "task": "uploads.sweep", "kind": "moment", "at": "2099-01-31T08:00"}
    assert "31 Jan 2099, 08:00" in row_of(
        admin.post("/admin/schedules/new", data=once, follow_redirects=True).text, "once"
    )

    gone = admin.post(f"/admin/schedules/{second.id}/remove", follow_redirects=True)
    assert "sweep often" not in re.sub("“.*?”", "", gone.text)
    assert [act[:2] for act in acts(editable)] == [
        ("schedule.add", "sweep at nine"),
        ("schedule.change", "sweep often"),
        ("schedule.switch_off", "sweep often"),
        ("schedule.switch_on", "sweep often"),
        ("schedule.add", "once"),
        ("schedule.remove", "sweep often"),
    ]
    assert acts(editable)[1][2] == {
        "was": "uploads.sweep, cron 0 9 * * * Europe/Berlin",
        "now": "uploads.sweep, every 15 minutes",
    }


@sqlite_only
@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"line": "61 9 * * *"}, "“61” can&#39;t be the minute. Write 0–59"),
        ({"line": "9 o'clock"}, "Write five parts"),
        ({"line": "0 0 30 2 *"}, "That day never comes"),
        ({"line": "0 9 * * *", "time_zone": "Mars/Base"}, "Choose a time zone of the list"),
        ({"line": "0 9 * * *", "name": " "}, "Give it a name."),
        ({"line": "0 9 * * *", "name": "x" * 121}, "At most 120 letters."),
        ({"line": "0 9 * * *", "task": "os.system"}, "Choose a task of the list."),
        ({"line": "0 9 * * *", "name": "send digests"}, "Another entry has this name."),
        ({"kind": "interval", "every": "0", "period": "hours"}, "Write a whole number from 1 to 100,000."),
        ({"kind": "interval", "every": "²", "period": "hours"}, "Write a whole number from 1 to 100,000."),
        ({"kind": "interval", "every": "5", "period": "moons"}, "Write a whole number from 1 to 100,000."),
        ({"kind": "moment", "at": "2001-01-01T00:00"}, "This moment is over."),
        ({"kind": "moment", "at": "soon"}, "Choose a day and a time"),
        ({"kind": "sometimes"}, "Choose when it runs."),
    ],
)
def test_bad_time_is_422_with_clear_words_and_what_was_typed(editable: Flask, typed: dict[str, str], said: str) -> None:
    answer = admin_of(editable).post("/admin/schedules/new", data={**CRONTAB, **typed})
    assert answer.status_code == 422
    assert said in answer.text
    for kept in ({"line", "name"} & set(typed)) - {"name"} if typed.get("line") else ():
        assert typed[kept].replace("'", "&#39;") in answer.text
    assert acts(editable) == []


def test_page_asks_the_same_few_questions_however_long_the_list(editable: Flask) -> None:
    statements: list[str] = []
    with editable.app_context():

        @event.listens_for(db.engine, "before_cursor_execute")
        def _note(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
            statements.append(statement)

        schedules()
        few = len(statements)
        for number in range(30):
            rows.put_entry(f"entry {number}", "uploads.sweep", Timing("interval", every=number + 1))
            db.session.add(PeriodicRun(task=f"task {number}", state="succeeded", finished_at=utc_now()))
        db.session.commit()
        statements.clear()
        assert len(schedules().rows) > 40
        assert len(statements) == few <= 4
        db.session.rollback()
