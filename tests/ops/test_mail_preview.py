from __future__ import annotations

import pytest
from flask import Flask

from musicapp.notifications.letters import WRITERS
from musicapp.notifications.letters.samples import samples
from tests.people import register, sign_in

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_every_mail_can_be_looked_at(app: Flask) -> None:
    admin = sign_in(app, register(app, "admin", role="admin"))
    listing = admin.get("/admin/mail/preview/").get_data(as_text=True)
    with app.test_request_context():
        all_samples = samples()
    assert {sample.kind for sample in all_samples.values()} == set(WRITERS)
    for key in all_samples:
        assert f'href="/admin/mail/preview/{key}"' in listing
    page = admin.get("/admin/mail/preview/newsletter?width=narrow&look=dark").get_data(as_text=True)
    assert "New music: Tidal Rooms and 5 more" in page
    assert "Good morning admin," in page, "the text part"
    assert 'src="/admin/mail/preview/newsletter/html?look=dark"' in page
    assert "is-narrow" in page
    assert admin.get("/admin/mail/preview/no-such-mail").status_code == 404


def test_a_mail_in_its_frame_may_have_styles_and_nothing_else(app: Flask) -> None:
    admin = sign_in(app, register(app, "admin", role="admin"))
    light, dark, own = (
        admin.get(f"/admin/mail/preview/welcome/html{look}") for look in ("?look=light", "?look=dark", "")
    )
    policy = own.headers["Content-Security-Policy"]
    assert "style-src 'unsafe-inline'" in policy
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "prefers-color-scheme" in own.get_data(as_text=True)
    assert "@media all {" in dark.get_data(as_text=True)
    assert "@media not all {" in light.get_data(as_text=True)


def test_nobody_else_sees_the_mails(app: Flask) -> None:
    bob = sign_in(app, register(app, "bob"))
    for address in ("/admin/mail/preview/", "/admin/mail/preview/welcome", "/admin/mail/preview/welcome/html"):
        assert bob.get(address).status_code == 404
        assert app.test_client().get(address).status_code == 404
