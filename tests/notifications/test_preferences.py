"""What people choose to hear of: the page, what it keeps, and links in mails that change it without a sign-in."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from musicapp.accounts import services as accounts
from musicapp.core.db import db
from musicapp.notifications import preferences
from musicapp.notifications.kinds import DAILY, KINDS, MAIL, NOW, OFF, PAGE, WEEKLY
from musicapp.notifications.models import DigestEntry
from musicapp.notifications.unsubscribing import unsubscribe_headers, unsubscribe_link
from musicapp.playlists import services as playlists
from musicapp.playlists.models import PlaylistMember
from tests.notifications.world import add_user
from tests.people import register, sign_in

SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ONE_CLICK = {"List-Unsubscribe": "One-Click"}


@pytest.fixture
def bob(app: Flask) -> int:
    return register(app, "bob")


def chosen(app: Flask, user_id: int) -> dict[str, str]:
    """`<kind>.<outlet>` -> frequency of what is not the kind's own default."""
    with app.app_context():
        choices = preferences.choices_of(user_id)
        return {
            choice.field: choice.chosen
            for of_kind in choices.values()
            for choice in of_kind.values()
            if choice.chosen != choice.outlet.default(choice.kind)
        }


def path_of(app: Flask, user_id: int, kind: str) -> str:
    with app.app_context():
        return unsubscribe_link(user_id, kind).removeprefix(app.config["SITE_URL"])


# ---- The page


@SQLITE
def test_plain_form_keeps_what_is_chosen_and_shows_it(app: Flask, bob: int) -> None:
    browser = sign_in(app, bob)
    form = {
        "new_release.mail": WEEKLY,
        "announcement.page": OFF,
        "playlist_changed.mail": DAILY,
        "newsletter.mail": DAILY,
    }
    answer = browser.post("/settings/notifications", data=form)
    assert (answer.status_code, answer.location) == (303, "/settings/notifications")
    assert chosen(app, bob) == {
        "new_release.mail": WEEKLY,
        "announcement.page": OFF,
        "playlist_changed.mail": DAILY,
    }
    html = browser.get("/settings/notifications").text
    select = re.search(r'<select[^>]*name="new_release.mail".*?</select>', html)
    assert select is not None
    assert '<option value="weekly" selected>' in select[0]
    assert 'href="/settings/notifications"' in browser.get("/settings").text


@SQLITE
def test_whose_address_is_not_confirmed_reads_why_few_mails_come(app: Flask, bob: int) -> None:
    with app.app_context():
        carol = add_user("carol", email_confirmed_at=None).id
        db.session.commit()
    words = "Your address is not confirmed yet"
    assert words in sign_in(app, carol).get("/settings/notifications").text
    assert words not in sign_in(app, bob).get("/settings/notifications").text


@SQLITE
def test_only_people_with_a_studio_are_asked_about_it(app: Flask, bob: int) -> None:
    alice = register(app, "alice", artist_name="The Auroras")
    fields = {
        name: set(re.findall(r'name="(\w+\.\w+)"', sign_in(app, id_).get("/settings/notifications").text))
        for name, id_ in (("bob", bob), ("alice", alice))
    }
    asked = fields["alice"] - fields["bob"]
    assert {field.partition(".")[0] for field in asked} <= {kind.name for kind in KINDS.values() if kind.for_artists}
    assert {"artist_figures.mail", "album_created.page", "upload_failed.mail"} <= asked
    assert {"new_release.mail", "new_release.page", "newsletter.mail"} <= fields["bob"]
    assert "newsletter.page" not in fields["alice"], "a kind has only the outlets that it may reach"


@SQLITE
@pytest.mark.parametrize("form", [{"newsletter.mail": "hourly"}, {"newsletter.page": NOW}, {"nonsense.mail": OFF}])
def test_choice_that_is_not_offered_is_refused_in_words(app: Flask, bob: int, form: dict[str, str]) -> None:
    answer = sign_in(app, bob).post("/settings/notifications", data={"new_release.mail": OFF, **form})
    assert answer.status_code == 422
    assert "Choose again" in answer.text
    assert chosen(app, bob) == {}


def test_what_waits_for_a_digest_follows_the_choice(app: Flask, bob: int) -> None:
    with app.app_context():
        preferences.save(bob, {("new_release", MAIL): DAILY, ("announcement", MAIL): DAILY})
        for number, kind in enumerate(("new_release", "announcement")):
            db.session.add(DigestEntry(user_id=bob, outlet=MAIL, frequency=DAILY, kind=kind, reason=f"{kind}/{number}"))
        preferences.save(bob, {("new_release", MAIL): WEEKLY, ("announcement", MAIL): OFF})
        db.session.commit()
        waiting = db.session.query(DigestEntry.kind, DigestEntry.frequency).all()
        assert [tuple(row) for row in waiting] == [("new_release", WEEKLY)]


def test_changes_of_playlists_are_told_from_the_choice_on(app: Flask, bob: int) -> None:
    with app.app_context():
        playlist_id = playlists.create_playlist(bob, name="Ours").id
        playlists.edit_playlist(playlist_id, bob, name="Theirs", description="", visibility="private")
        member = db.session.get_one(PlaylistMember, (playlist_id, bob))
        member.digested_version = 0
        preferences.save(bob, {("playlist_changed", PAGE): NOW})
        db.session.expire_all()
        assert member.digested_version == 2
        member.digested_version = 0
        preferences.save(bob, {("playlist_changed", MAIL): WEEKLY})
        db.session.expire_all()
        assert member.digested_version == 0, "one outlet more changes nothing about what was told"
        wanting = db.session.scalars(preferences.who_wants("playlist_changed")).all()
        assert wanting == [bob]


# ---- Links in mails


@SQLITE
def test_a_mail_program_unsubscribes_with_one_click_without_cookie_or_sign_in(app: Flask, bob: int) -> None:
    with app.app_context():
        headers = unsubscribe_headers(bob, "new_release")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r'"[ -~]+" <new-release\.localhost>', headers["List-Id"])
    path = headers["List-Unsubscribe"].strip("<>").removeprefix("http://localhost")
    elsewhere = {"Sec-Fetch-Site": "cross-site", "Origin": "https://mail.example"}
    answer = app.test_client().post(path, data=ONE_CLICK, headers=elsewhere)
    assert answer.status_code == 200, "no redirect: RFC 8058"
    assert "Set-Cookie" not in answer.headers
    assert chosen(app, bob) == {"new_release.mail": OFF}
    assert app.test_client().post(path, data=ONE_CLICK, headers=elsewhere).status_code == 200


@SQLITE
def test_other_doors_still_refuse_what_other_sites_post(app: Flask, bob: int) -> None:
    answer = sign_in(app, bob).post("/settings/notifications/no-mails", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert chosen(app, bob) == {}


@SQLITE
def test_a_get_only_asks_and_the_page_it_shows_takes_things_back(app: Flask, bob: int, client: FlaskClient) -> None:
    with app.app_context():
        preferences.save(bob, {("new_release", MAIL): WEEKLY})
        db.session.commit()
    path = path_of(app, bob, "new_release")
    asked = client.get(path)
    assert asked.status_code == 200
    assert "New albums of artists you follow" in asked.text
    assert client.head(path).status_code == 200
    assert chosen(app, bob) == {"new_release.mail": WEEKLY}

    done = client.post(path, data={"what": "kind"}).text
    assert chosen(app, bob) == {"new_release.mail": OFF}
    back = dict(re.findall(r'type="hidden" name="([\w.]+)" value="(\w+)"', done))
    assert back == {"what": "again", "of": "kind", "was.new_release": "weekly"}
    assert "again" in client.post(path, data=back).text
    assert chosen(app, bob) == {"new_release.mail": WEEKLY}, "as it was before"

    done = client.post(path, data={"what": "all"}).text
    mails = {f"{name}.mail" for name, kind in KINDS.items() if kind.defaults.get(MAIL, OFF) != OFF}
    assert chosen(app, bob) == dict.fromkeys(mails, OFF)
    client.post(path, data=dict(re.findall(r'type="hidden" name="([\w.]+)" value="(\w+)"', done)))
    assert chosen(app, bob) == {"new_release.mail": WEEKLY}


@SQLITE
def test_link_of_a_digest_ends_what_comes_in_digests_and_nothing_else(
    app: Flask, bob: int, client: FlaskClient
) -> None:
    with app.app_context():
        preferences.save(bob, {("new_release", MAIL): DAILY, ("playlist_changed", MAIL): WEEKLY})
        db.session.commit()
    client.post(path_of(app, bob, "digest"), data=ONE_CLICK)
    assert chosen(app, bob) == {"new_release.mail": OFF}


@SQLITE
def test_link_outlives_a_password_but_not_the_account(app: Flask, bob: int, client: FlaskClient) -> None:
    path = path_of(app, bob, "newsletter")
    with app.app_context():
        accounts.set_password(bob, "another")
        db.session.commit()
    assert client.post(path, data=ONE_CLICK).status_code == 200
    with app.app_context():
        accounts.delete_account(bob)
        db.session.commit()
    for answer in (
        client.get(path),
        client.post(path, data=ONE_CLICK),
        client.post(f"{path}x"),
        client.get("/unsubscribe/x"),
    ):
        assert answer.status_code == 404
        assert "This link does not work" in answer.text


def test_unsubscribing_of_everything_leaves_no_mail_of_choice(app: Flask, bob: int) -> None:
    with app.app_context():
        preferences.save(bob, {("playlist_changed", MAIL): DAILY})
        ended = preferences.unsubscribe(bob, "all")
        assert ended["playlist_changed"] == DAILY
        assert not any(
            preferences.gets_mail(bob, name) for name in (*KINDS, "digest", "all") if name != "picture_ready"
        )
        preferences.resubscribe(bob, "all", {})
        assert not preferences.gets_mail(bob, "playlist_changed"), "its default is off"
        assert preferences.gets_mail(bob, "newsletter")
