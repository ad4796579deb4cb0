"""The ledger of mails at the desk: found by recipient, kind, state and day; sent again; an address allowed again."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, select

from musicapp.core.db import db, utc_now
from musicapp.jobs.models import Job
from musicapp.notifications.models import BouncingAddress, Delivery
from musicapp.ops.models import AuditEntry
from musicapp.ops.queries import mail as queries
from tests.people import register, sign_in

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def add_mail(app: Flask, recipient: str, state: str = "sent", **columns: object) -> int:
    with app.app_context():
        values = {"kind": "album_created", "subject": "Congratulations", "smtp_answer": "250 kept", **columns}
        mail = Delivery(recipient=recipient, state=state, reason=f"{recipient}/{utc_now()}", **values)
        db.session.add(mail)
        db.session.commit()
        return mail.id


@pytest.fixture
def admin(app: Flask) -> FlaskClient:
    return sign_in(app, register(app, "admin", role="admin"))


def addresses(page: str) -> list[str]:
    return re.findall(r'<span class="desk-below">([\w.]+@[\w.]+)', page)


def test_mails_are_found_by_recipient_kind_state_and_day(app: Flask) -> None:
    bob = register(app, "bob")
    add_mail(app, "ann@example.org", created_at=datetime(2030, 1, 31, 23, 30, tzinfo=UTC))
    add_mail(app, "ben@example.org", "failed", kind="digest")
    add_mail(app, "", "waiting", user_id=bob)

    def found(**search: object) -> list[str]:
        with app.app_context():
            rows = queries.mails(queries.MailSearch(**search)).rows  # type: ignore[arg-type]
            return [row.address for row in rows if row.address != "bob@example.org" or row.state == "waiting"]

    assert found() == ["bob@example.org", "ben@example.org", "ann@example.org"]
    assert found(text="ann@example.org") == found(text="NN@exa") == ["ann@example.org"]
    assert found(text="bob") == found(text="Bob@example.org") == ["bob@example.org"]
    assert found(kind="digest") == found(state="failed") == ["ben@example.org"]
    day = date(2030, 2, 1)
    assert found(day=day, zone="Europe/Berlin") == ["ann@example.org"]
    assert found(day=day) == found(text="an%ple") == []


@sqlite_only
def test_pages_of_the_ledger_follow_by_key_with_few_statements(app: Flask, admin: FlaskClient) -> None:
    with app.app_context():
        db.session.execute(
            db.insert(Delivery),
            [{"kind": "digest", "recipient": f"r{n}@example.org", "reason": f"r/{n}"} for n in range(70)],
        )
        db.session.commit()
        statements: list[str] = []
        event.listen(db.engine, "before_cursor_execute", lambda *args: statements.append(args[2]))
    first = admin.get("/admin/mail").text
    assert len(statements) <= 12
    [older] = re.findall(r'href="(/admin/mail\?after=\d+)"', first)
    shown = addresses(first) + addresses(admin.get(older).text)
    assert [name for name in shown if name.startswith("r")] == [f"r{n}@example.org" for n in reversed(range(70))]
    assert 'value="2030-01-31"' in admin.get("/admin/mail?day=2030-01-31&state=sent&kind=digest").text
    assert admin.get("/admin/mail?day=nonsense&after=x&kind=none").status_code == 200


@sqlite_only
def test_a_failed_mail_is_sent_again_and_that_is_written_down(app: Flask, admin: FlaskClient) -> None:
    failed = add_mail(app, "ann@example.org", "failed", smtp_answer="550 <gone>", attempts=1)
    page = admin.get(f"/admin/mail/{failed}").text
    assert "550 &lt;gone&gt;" in page
    after = admin.post(f"/admin/mail/{failed}/again", follow_redirects=True).text
    assert "It is queued again." in after
    assert f"/admin/mail/{failed}/again" not in after, "not twice"
    assert "nothing was done" in admin.post(f"/admin/mail/{failed}/again", follow_redirects=True).text
    with app.app_context():
        assert db.session.scalars(select(Job.subject_id).where(Job.kind == "mail_again")).all() == [failed]
        acts = [(entry.act, entry.subject_id) for entry in db.session.scalars(select(AuditEntry))]
        assert acts == [("mail.send_again", failed)]
    assert admin.get("/admin/mail/999").status_code == 404


@sqlite_only
def test_a_stopped_address_is_allowed_again(app: Flask, admin: FlaskClient) -> None:
    held_back = add_mail(app, "ann@example.org", "suppressed")
    with app.app_context():
        db.session.add(
            BouncingAddress(address="ann@example.org", bounces=3, last_answer="550 gone", stopped_at=utc_now())
        )
        db.session.commit()
    assert "1 stopped address" in admin.get("/admin/mail").text
    assert "ann@example.org" in admin.get("/admin/mail/addresses").text
    assert "This address is stopped" in admin.get(f"/admin/mail/{held_back}").text
    admin.post("/admin/mail/addresses/allow", data={"address": "ann@example.org"})
    page = admin.get(f"/admin/mail/{held_back}").text
    assert "This address is stopped" not in page
    assert "Send again" in page
    with app.app_context():
        assert db.session.scalars(select(BouncingAddress)).all() == []
        assert db.session.scalars(select(AuditEntry.subject_words)).all() == ["ann@example.org"]
