"""Nobody but admins learns that there is a desk."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.routing import Rule

from musicapp.ops.navigation import groups
from tests.people import register, sign_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def desk_rules(app: Flask) -> list[tuple[Rule, str]]:
    """(rule, method) of every door of the desk."""
    return [
        (rule, method)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/admin")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
    ]


def address(rule: Rule) -> str:
    """An address that the rule takes, with 1 for every part that varies."""
    # Werkzeug's own converter of a choice knows which words it takes.
    values = {name: next(iter(getattr(found, "items", {1}))) for name, found in rule._converters.items()}
    _, path = rule.build(values, append_unknown=False) or ("", "")
    return path


def knock(app: Flask, client: FlaskClient) -> dict[str, int]:
    return {
        f"{method} {path}": client.open(path, method=method).status_code
        for rule, method in desk_rules(app)
        if (path := address(rule))
    }


def test_to_strangers_and_users_no_address_of_the_desk_exists(app: Flask) -> None:
    bob = sign_in(app, register(app, "bob"))
    assert "GET /admin/" in knock(app, bob)
    for client in (app.test_client(), bob):
        assert {door: status for door, status in knock(app, client).items() if status != 404} == {}


def test_admins_reach_every_page_from_the_navigation_and_the_desk_from_the_site(app: Flask) -> None:
    admin = sign_in(app, register(app, "admin", role="admin"))
    assert 'href="/admin/"' in admin.get("/").text
    assert 'href="/admin/"' not in sign_in(app, register(app, "bob")).get("/").text
    with app.test_request_context("/admin/"):
        addresses = [link.url for _, links in groups() for link in links]
    assert {url: admin.get(url).status_code for url in addresses} == dict.fromkeys(addresses, 200)
