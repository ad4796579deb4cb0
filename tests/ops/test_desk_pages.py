"""All pages of people and music: what they cost, what they survive, what is written down."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from musicapp.accounts.identity import STRANGER, Viewer
from musicapp.core.db import db, utc_now
from musicapp.core.redis import redis_client
from musicapp.jobs import services as jobs
from musicapp.jobs.models import Job
from musicapp.live.registry import declared
from musicapp.ops.models import AuditEntry, Report
from musicapp.ops.queries import audit as queries
from tests.ops.conftest import Desk
from tests.people import register
from tests.test_statements import statements_of

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
OPS = Path(__file__).resolve().parents[2] / "musicapp" / "ops"
MOST = 12


def pages(desk: Desk) -> list[str]:
    addresses = ["/admin/", "/admin/overview", "/admin/storage", "/admin/audit", "/admin/reports", "/admin/reports/1"]
    addresses += ["/admin/users", "/admin/users?q=a&show=admins", f"/admin/users/{desk.alice}"]
    addresses += ["/admin/artists", "/admin/artists?q=a&show=studios", f"/admin/artists/{desk.artist}"]
    return [*addresses, "/admin/albums", "/admin/albums?q=w&show=published", f"/admin/albums/{desk.album}"]


def fill(desk: Desk, number: int) -> None:
    """`number` of everything that these pages list."""
    ids = [register(desk.app, f"user{number}x{i}", artist_name=f"Band {number} {i}") for i in range(number)]
    with desk.app.app_context():
        for i, user_id in enumerate(ids):
            db.session.add(Report(reporter_id=user_id, subject_kind="album", subject_id=desk.album, reason="spam"))
            for kind, id in (("user", desk.alice), ("album", desk.album), ("artist", desk.artist)):
                db.session.add(
                    AuditEntry(actor_name="admin", act=f"{kind}.x", subject_kind=kind, subject_id=id, details={"n": i})
                )
            jobs.add("mail_confirm_address", subject_id=desk.alice, owner_id=desk.alice)
        db.session.commit()


@sqlite_only
def test_no_page_runs_many_statements_nor_more_where_more_is_shown(desk: Desk) -> None:
    found: list[dict[str, int]] = []
    desk.admin.get("/admin/")  # who asks, and what they have not read yet, is kept from here on
    for number in (1, 12):
        fill(desk, number)
        counts = {}
        for address in pages(desk):
            with statements_of(desk.app) as statements:
                assert desk.admin.get(address).status_code == 200, address
            counts[address] = len(statements)
        found.append(counts)
    assert found[0] == found[1]
    assert {address: count for address, count in found[1].items() if count > MOST} == {}


@sqlite_only
def test_wrong_filters_and_keys_show_a_page(desk: Desk) -> None:
    for address in ("users", "albums", "artists", "audit", "reports"):
        for query in ("after=x", "after=-1", "after=99999999999", "show=nothing", "state=nothing", "q=%25%00_'"):
            assert desk.admin.get(f"/admin/{address}?{query}").status_code == 200, (address, query)


def test_audit_log_is_filtered_by_who_and_what_and_paged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PER_PAGE", 2)
    desk.admin.post(f"/admin/users/{desk.bob}/confirm")
    desk.admin.post(f"/admin/users/{desk.bob}/sign-out")
    desk.admin.post(f"/admin/albums/{desk.album}/take-down", data={"reason": "x"})
    desk.admin.post(f"/admin/albums/{desk.album}/give-back")
    with desk.app.app_context():
        first = queries.audit_log()
        assert [row.act for row in first.rows] == ["album.give_back", "album.take_down"]
        assert [row.act for row in queries.audit_log(after=first.next_after).rows] == ["user.sign_out"]
        assert [row.act for row in queries.audit_log(room="user").rows] == ["user.sign_out"]
        assert [row.act for row in queries.audit_log(text="BOB").rows] == ["user.sign_out"]
        assert queries.audit_log(actor="nobody").rows == []
        assert queries.actors() == ["admin"]
        assert [row.act for row in queries.entries_about("album", desk.album, limit=1)] == ["album.give_back"]
        entry = db.session.scalars(select(AuditEntry).where(AuditEntry.act == "album.take_down")).one()
        assert (entry.actor_id, entry.ip_address, entry.details) == (desk.admin_id, "127.0.0.1", {"reason": "x"})


@sqlite_only
def test_lists_ask_for_themselves_again_as_they_were_asked_for(desk: Desk) -> None:
    addresses = [f"/admin/{name}" for name in ("users", "artists", "albums", "reports", "mail", "mail/addresses")]
    for address in [*addresses, "/admin/storage", "/admin/users?q=a&amp;show=admins", "/admin/audit?room=user"]:
        page = desk.admin.get(address.replace("&amp;", "&")).text
        assert f'hx-get="{address}" hx-trigger="every ' in page, address


@sqlite_only
def test_lines_of_the_audit_log_lead_to_what_they_are_about(desk: Desk) -> None:
    lines = {
        ("mail.send_again", "mail", 7, "Hello"): "/admin/mail/7",
        ("mail.allow_address", "address", None, "ann@example.org"): "/admin/mail?q=ann@example.org",
        ("schedule.run", "schedule", None, "uploads.sweep"): "/admin/schedules/tasks/uploads.sweep",
        ("job.retry_all", "job", None, "tell"): "/admin/jobs?kind=tell",
        ("user.suspend", "user", desk.bob, "bob"): f"/admin/users/{desk.bob}",
    }
    with desk.app.app_context():
        for act, kind, subject_id, words in lines:
            db.session.add(
                AuditEntry(actor_name="x", act=act, subject_kind=kind, subject_id=subject_id, subject_words=words)
            )
        db.session.commit()
    page = desk.admin.get("/admin/audit").text
    for (_act, _kind, _id, words), address in lines.items():
        assert f'<a href="{address}">{words}</a>' in page


@sqlite_only
def test_overview_names_what_needs_somebody_and_is_heard_by_admins_only(desk: Desk) -> None:
    for queue in ("default", "media"):
        redis_client_set(desk.app, queue)
    fill(desk, 1)
    with desk.app.app_context():
        job_id = jobs.add("mail_confirm_address", subject_id=desk.bob, owner_id=desk.bob)
        job = db.session.get_one(Job, job_id)
        job.state, job.finished_at = "failed", utc_now()
        db.session.commit()
    page = desk.admin.get("/admin/overview").text
    for words in ("1 job failed in the last day.", "1 report waits for you.", 'hx-trigger="every 5s"', "Plays since"):
        assert words in page
    admin, bob = Viewer(is_authenticated=True, id=1, is_admin=True), Viewer(is_authenticated=True, id=2)
    assert [declared.may_hear(*asked) for asked in ((admin, "desk"), (bob, "desk"), (STRANGER, "desk"))] == [
        True,
        False,
        False,
    ]


def redis_client_set(app: Flask, queue: str) -> None:
    with app.app_context():
        redis_client().set(f"worker-seen:{queue}", utc_now().timestamp())


def functions() -> dict[str, set[str]]:
    """Name of a function of the desk -> every name that its body speaks of."""
    found: dict[str, set[str]] = {}
    for path in [*OPS.rglob("*.py"), OPS.parent / "notifications" / "announcements" / "doors.py"]:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef):
                found.setdefault(node.name, set()).update(names_in(node))
    return found


def names_in(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Name):
            yield part.id
        elif isinstance(part, ast.Attribute):
            yield part.attr


def leads_to_audit(name: str, bodies: dict[str, set[str]], seen: set[str]) -> bool:
    if name == "audit":
        return True
    if name in seen or name not in bodies:
        return False
    seen.add(name)
    return any(leads_to_audit(other, bodies, seen) for other in bodies[name])


@sqlite_only
def test_every_door_of_the_desk_that_changes_something_leads_to_the_audit_log(app: Flask) -> None:
    bodies = functions()
    # What a table of functions names is called by its key.
    bodies["DEEDS"] = {"_take_down", "_suspend"}
    rules = [
        rule for rule in app.url_map.iter_rules() if rule.rule.startswith("/admin") and "POST" in (rule.methods or ())
    ]
    assert len(rules) > 10
    named = {rule.endpoint: app.view_functions[rule.endpoint].__name__ for rule in rules}
    for endpoint in named:
        # The doors of announcements are the methods of a class, under endpoints that say what they are about.
        if endpoint.endswith("_announcement"):
            named[endpoint] = endpoint.removeprefix("ops.").removesuffix("_announcement").removesuffix("_with")
    assert [endpoint for endpoint, name in named.items() if not leads_to_audit(name, bodies, set())] == []
