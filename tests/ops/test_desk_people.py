"""What admins see of accounts and do with them."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from musicapp.accounts import oversight
from musicapp.accounts.models import User, UserSession
from musicapp.accounts.queries import sign_in_facts
from musicapp.core.db import db
from musicapp.jobs.models import Job
from musicapp.ops.queries import users as queries
from musicapp.uploads.queries import kept_by
from tests.ops.conftest import Desk
from tests.people import register

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def names(**wanted: Any) -> list[str]:
    return [row.username for row in queries.users(**wanted).rows]


def test_users_are_found_by_part_of_name_or_address_filtered_and_paged(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {name: register(app, name) for name in ("anna", "Bernd", "clara_100%")}
    register(app, "root", role="admin")
    monkeypatch.setattr(queries, "PER_PAGE", 2)
    with app.app_context():
        oversight.suspend_user(ids["anna"], "Spam.")
        db.session.get_one(User, ids["Bernd"]).email_confirmed_at = None
        db.session.commit()
        first = queries.users()
        assert [row.username for row in first.rows] == ["root", "clara_100%"]
        assert names(after=first.next_after) == ["Bernd", "anna"]
        assert queries.users(after=first.next_after).next_after is None
        assert names(text="BERN") == ["Bernd"]
        assert names(text="anna@example") == ["anna"]
        assert names(text="100%") == ["clara_100%"]
        assert names(text="%") == ["clara_100%"]
        db.session.get_one(User, ids["anna"]).display_name = "Änne"
        db.session.commit()
        assert names(text="Änn") == ["anna"]
        assert [names(show=show) for show in ("admins", "suspended", "unconfirmed")] == [["root"], ["anna"], ["Bernd"]]
        assert queries.user_counts() == {"all": 4, "admins": 1, "suspended": 1, "unconfirmed": 1}


def test_account_page_tells_what_belongs_to_it(desk: Desk) -> None:
    desk.browser(desk.alice)
    desk.admin.post(f"/admin/users/{desk.alice}/quotas", data={"gigabytes": "0.5", "hours": ""})
    page = desk.admin.get(f"/admin/users/{desk.alice}").text
    for words in ("alice@example.org", "The Auroras", "2.0 MB of 500.0 MB", "127.0.0.1", "changed the quotas of"):
        assert words in page
    assert desk.admin.get("/admin/users/999").status_code == 404


@sqlite_only
def test_suspended_person_is_out_at_once_reads_why_and_comes_back(desk: Desk) -> None:
    bob = desk.browser(desk.bob)
    address = f"/admin/users/{desk.bob}"
    assert bob.get("/settings").status_code == 200
    refused = desk.admin.post(f"{address}/suspend", data={"reason": " "})
    assert refused.status_code == 422
    assert "Write why" in refused.text
    assert desk.admin.post(f"{address}/suspend", data={"reason": "Spam, three times."}).status_code == 303
    assert bob.get("/settings").status_code == 303
    assert desk.admin.get("/people/bob").status_code == 404
    with desk.app.app_context():
        assert db.session.scalar(select(UserSession.revoked_at).where(UserSession.user_id == desk.bob)) is not None
        facts = sign_in_facts("bob")
        assert facts is not None
        assert (facts.is_suspended, facts.suspended_reason) == (True, "Spam, three times.")
    assert "Spam, three times." in desk.admin.get(address).text
    desk.admin.post(f"{address}/unsuspend")
    assert desk.browser(desk.bob).get("/settings").status_code == 200
    assert desk.acts() == [("user.suspend", "bob"), ("user.unsuspend", "bob")]


def test_admins_are_made_and_dismissed_but_the_last_one_stays(desk: Desk) -> None:
    bobs = f"/admin/users/{desk.bob}"
    bob = desk.browser(desk.bob)
    assert bob.get("/admin/").status_code == 404
    desk.admin.post(f"{bobs}/role", data={"role": "admin"})
    assert bob.get("/admin/").status_code == 200
    desk.admin.post(f"{bobs}/role", data={"role": "user"})
    assert bob.get("/admin/").status_code == 404
    own = desk.admin.post(f"/admin/users/{desk.admin_id}/role", data={"role": "user"})
    assert own.status_code == 422
    assert "your own account" in own.text
    with desk.app.app_context():
        with pytest.raises(oversight.OversightError, match="last admin"):
            oversight.set_role(desk.admin_id, "user")
        db.session.rollback()
        with pytest.raises(oversight.OversightError, match="last admin"):
            oversight.suspend_user(desk.admin_id, "x")
        db.session.rollback()
    assert [act for act, _ in desk.acts()] == ["user.make_admin", "user.dismiss_admin"]


@sqlite_only
def test_who_is_not_confirmed_or_suspended_can_not_become_an_admin(desk: Desk) -> None:
    with desk.app.app_context():
        db.session.get_one(User, desk.bob).email_confirmed_at = None
        db.session.commit()
    bobs = f"/admin/users/{desk.bob}"
    assert desk.admin.post(f"{bobs}/role", data={"role": "admin"}).status_code == 422
    desk.admin.post(f"{bobs}/confirm")
    assert desk.get(User, desk.bob).email_confirmed_at is not None
    assert desk.admin.post(f"{bobs}/role", data={"role": "admin"}).status_code == 303


@sqlite_only
def test_quotas_are_set_in_gigabytes_and_hours_and_given_back_to_the_site(desk: Desk) -> None:
    address = f"/admin/users/{desk.alice}/quotas"
    for wrong in ("-1", "lots", "nan", "1e999", "9999999999"):
        refused = desk.admin.post(address, data={"gigabytes": wrong, "hours": "2"})
        assert refused.status_code == 422
        assert "Write a number" in refused.text
        assert f'value="{wrong}"' in refused.text
    desk.admin.post(address, data={"gigabytes": "1,5", "hours": "0.5"})
    with desk.app.app_context():
        kept = kept_by(desk.alice)
        assert (kept.quota_bytes, kept.quota_ms) == (1_500_000_000, 1_800_000)
    assert 'value="1.5"' in desk.admin.get(f"/admin/users/{desk.alice}").text
    desk.admin.post(address, data={"gigabytes": "", "hours": ""})
    alice = desk.get(User, desk.alice)
    assert (alice.quota_bytes, alice.quota_seconds) == (None, None)


@sqlite_only
def test_reset_link_and_sign_out_everywhere(desk: Desk) -> None:
    bob = desk.browser(desk.bob)
    desk.admin.post(f"/admin/users/{desk.bob}/reset")
    desk.admin.post(f"/admin/users/{desk.bob}/sign-out")
    assert bob.get("/settings").status_code == 303
    with desk.app.app_context():
        kinds = db.session.scalars(select(Job.kind).where(Job.subject_id == desk.bob)).all()
    assert "mail_reset_password" in kinds
    assert [act for act, _ in desk.acts()] == ["user.send_reset_link", "user.sign_out"]
    assert desk.admin.post("/admin/users/999/sign-out").status_code == 404
