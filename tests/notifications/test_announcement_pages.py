"""The doors of announcements: who may come in, what stands there, what is refused in words; a job's page in words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update

from musicapp.catalog.services import add_member, create_artist
from musicapp.core.db import db, utc_now
from musicapp.jobs.models import Job
from musicapp.jobs.presenting import WORDS as NAMES
from musicapp.jobs.queries import job_by_id, views_of
from musicapp.jobs.registry import KINDS
from musicapp.jobs.runner import run_next
from musicapp.library.models import ArtistFollow
from musicapp.live.registry import declared
from musicapp.notifications.announcements import services
from musicapp.notifications.models import Announcement, Delivery
from musicapp.ops.models import AuditEntry
from tests.notifications.mailings import make_readers
from tests.people import register, sign_in
from tests.test_statements import statements_of

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)

WORDS = {"title": "On <tour>", "words": "We come to you.\n\nTickets: https://example.org/tour"}


@pytest.fixture
def artist_id(app: Flask) -> int:
    """Low Tide: alice owns it, dora may edit it, two people follow it."""
    alice = register(app, "alice")
    register(app, "dora")
    with app.app_context():
        artist_id = create_artist(name="Low Tide", owner_id=alice)
        add_member(artist_id, "dora", "editor")
        db.session.add_all(ArtistFollow(user_id=id_, artist_id=artist_id) for id_ in make_readers(2))
        db.session.commit()
    return artist_id


def browser_of(app: Flask, name: str) -> FlaskClient:
    ids = {"alice": 1, "dora": 2}
    return sign_in(app, ids[name])


def draft_of(client: FlaskClient, artist_id: int) -> str:
    """The address of a new draft."""
    return str(client.post("/studio/announcements/new", data={**WORDS, "artist": artist_id}).location)


def state_of(app: Flask) -> str:
    with app.app_context():
        return db.session.scalars(select(Announcement.state)).one()


def test_a_member_writes_previews_and_sends_and_each_page_says_how_it_stands(app: Flask, artist_id: int) -> None:
    dora = browser_of(app, "dora")
    assert "Say something to your listeners" in dora.get("/studio/announcements").text
    assert "To 2 followers of Low Tide" in dora.get(f"/studio/announcements/new?artist={artist_id}").text
    address = draft_of(dora, artist_id)
    page = dora.get(address).text
    assert "Low Tide writes" in page  # the notice
    assert "Subject: Low Tide: On &lt;tour&gt;" in page
    assert f'src="{address}/mail"' in page
    mail = dora.get(f"{address}/mail")
    assert "We come to you." in mail.text
    assert "frame-ancestors 'self'" in mail.headers["Content-Security-Policy"]
    assert "script-src" not in mail.headers["Content-Security-Policy"]
    answer = dora.post(f"{address}/send", data={"when": "now"}, follow_redirects=True)
    assert 'data-state="queued"' in answer.text
    assert "Place 1 in the queue" in answer.text
    assert "Take it back" in answer.text
    assert run_job(app) == "delivered"
    page = dora.get(address).text
    assert "Mails sent" in page
    assert "See it as readers do" in page
    assert "2 mails sent" in dora.get("/studio/announcements").text
    reader = sign_in(app, register(app, "bob"))
    assert 'href="https://example.org/tour"' in reader.get("/announcements/1").text
    job_page = dora.get("/jobs/1").text
    assert "Announcement “On &lt;tour&gt;”" in job_page
    assert "2 mails sent" in job_page
    assert "2 mails sent" in browser_of(app, "alice").get("/jobs/1").text, "another member of the artist"
    assert reader.get("/jobs/1").status_code == 404
    told = dora.get("/jobs/1", headers={"Accept": "application/json"}).json
    assert told is not None
    assert told["counts"] == {"total": 2, "sent": 2, "failed": 0, "suppressed": 0, "cancelled": 0, "waiting": 0}
    assert (told["state"], told["url"], told["result"]["page"]) == ("succeeded", address, 2)


def run_job(app: Flask) -> str:
    with app.app_context():
        while run_next("tell"):
            pass
    return state_of(app)


def test_nobody_else_comes_in_and_a_draft_is_read_by_nobody(app: Flask, artist_id: int) -> None:
    address = draft_of(browser_of(app, "alice"), artist_id)
    charlie = sign_in(app, register(app, "charlie"))
    admin = sign_in(app, register(app, "admin", role="admin"))
    for client in (charlie, admin):
        assert client.get(f"/studio/announcements?artist={artist_id}").status_code == 404
        assert client.get(f"/studio/announcements/new?artist={artist_id}").status_code == 404
        assert client.post("/studio/announcements/new", data={**WORDS, "artist": artist_id}).status_code == 404
        assert {client.get(address + end).status_code for end in ("", "/edit", "/mail")} == {404}
        ends = ("/edit", "/send", "/stop", "/go-on", "/delete")
        assert {client.post(address + end, data=WORDS).status_code for end in ends} == {404}
        assert client.get("/announcements/1").status_code == 404
        assert client.get("/live?topics=announcement-1").status_code == 403
    # The desk's doors open those to everybody only.
    assert admin.get("/admin/announcements/1").status_code == 404
    assert app.test_client().get(address).status_code == 303
    assert app.test_client().get("/announcements/1").status_code == 303
    assert state_of(app) == "draft"


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"title": "", "words": "So many words"}, "Give it a title"),
        ({"title": "Hello", "words": ""}, "Write what you want to say"),
        ({"title": "t" * 151, "words": "So many words"}, "151 characters, and 150 are the most"),
        ({"title": "Hello", "words": "w" * 10_001}, "10,001 characters, and 10,000 are the most"),
    ],
)
def test_a_refused_form_says_why_and_keeps_every_letter(
    app: Flask, artist_id: int, sent: dict[str, str], said: str
) -> None:
    alice = browser_of(app, "alice")
    answer = alice.post("/studio/announcements/new", data={**sent, "artist": artist_id})
    assert answer.status_code == 422
    assert said in answer.text
    assert sent["title"] in answer.text
    assert sent["words"] in answer.text
    address = draft_of(alice, artist_id)
    answer = alice.post(f"{address}/edit", data=sent)
    assert (answer.status_code, said in answer.text, sent["words"] in answer.text) == (422, True, True)


def test_a_time_is_chosen_changed_and_taken_back(app: Flask, artist_id: int) -> None:
    alice = browser_of(app, "alice")
    with app.app_context():
        db.session.execute(update(Announcement).values(state="draft"))
    address = draft_of(alice, artist_id)
    answer = alice.post(f"{address}/send", data={"when": "later", "day": "2020-01-01", "time": "08:00"})
    assert answer.status_code == 422
    assert "This moment has passed" in answer.text
    assert 'value="2020-01-01"' in answer.text
    soon = utc_now() + timedelta(days=2)
    when = {"when": "later", "day": soon.strftime("%Y-%m-%d"), "time": "18:30"}
    page = alice.post(f"{address}/send", data=when, follow_redirects=True).text
    assert 'data-state="scheduled"' in page
    assert soon.strftime("%Y-%m-%dT18:30:00Z") in page
    assert "Begins" in alice.get("/jobs/1").text
    answer = alice.post(f"{address}/edit", data={"title": "Later", "words": "Other words"}, follow_redirects=True)
    assert "Subject: Low Tide: Later" in answer.text
    assert 'data-state="draft"' in alice.post(f"{address}/stop", follow_redirects=True).text
    answer = alice.post(f"{address}/stop", follow_redirects=True)
    assert "There is nothing to stop" in answer.text
    assert "The draft is deleted." in alice.post(f"{address}/delete", follow_redirects=True).text
    assert alice.get(address).status_code == 404


def test_a_fourth_on_one_day_is_refused_in_words(app: Flask, artist_id: int) -> None:
    alice = browser_of(app, "alice")
    soon = utc_now() + timedelta(days=2)
    for hour in range(4):
        answer = alice.post(
            f"{draft_of(alice, artist_id)}/send",
            data={"when": "later", "day": soon.strftime("%Y-%m-%d"), "time": f"1{hour}:00"},
        )
    assert answer.status_code == 422
    assert "3 announcements of this artist go out on that day" in answer.text


def test_an_admin_writes_to_everybody_and_the_audit_log_has_each_act(app: Flask, artist_id: int) -> None:
    admin = sign_in(app, register(app, "admin", role="admin"))
    assert "To everybody: 5 accounts" in admin.get("/admin/announcements").text
    assert "desk-nav" in admin.get("/admin/announcements/new").text
    address = admin.post("/admin/announcements/new", data=WORDS).location
    assert address == "/admin/announcements/1"
    assert "From the people who run this site" in admin.get(address).text
    admin.post(f"{address}/edit", data=WORDS)
    admin.post(f"{address}/send", data={"when": "now"})
    admin.post(f"{address}/stop")
    admin.post(f"{address}/delete")
    with app.app_context():
        entries = db.session.execute(select(AuditEntry.act, AuditEntry.subject_words)).all()
    acts = ["write", "edit", "send", "stop", "delete"]
    assert [tuple(entry) for entry in entries] == [(f"announcement.{act}", "On <tour>") for act in acts]


def add_more(app: Flask, artist_id: int, numbers: range) -> None:
    """Drafts, and refused mails of the first job."""
    with app.app_context():
        for number in numbers:
            services.write(1, artist_id, title=f"No. {number}", words="words")
            answer = f"550 5.{number}.1 refused"
            db.session.add(Delivery(job_id=1, kind="x", reason=f"x/{number}", state="failed", smtp_answer=answer))
        db.session.commit()


def test_pages_of_announcements_run_few_statements_however_many_mails(app: Flask, artist_id: int) -> None:
    alice = browser_of(app, "alice")
    address = draft_of(alice, artist_id)
    alice.post(f"{address}/send", data={"when": "now"})
    assert run_job(app) == "delivered"
    open_draft = draft_of(alice, artist_id)
    pages = ("/studio/announcements", address, open_draft, "/jobs/1", "/announcements/1")

    def counts() -> dict[str, int]:
        found = {}
        for path in pages:
            alice.get(path)
            with statements_of(app) as ran:
                assert alice.get(path).status_code == 200
            found[path] = len(ran)
        return found

    add_more(app, artist_id, range(1))
    few = counts()
    add_more(app, artist_id, range(1, 41))
    many = counts()
    assert {path: count for path, count in many.items() if count > 12} == {}
    assert {path: (few[path], many[path]) for path in pages if many[path] > few[path]} == {}
    assert "Earlier ones" in alice.get("/studio/announcements").text


def test_every_kind_of_job_is_called_something_and_told_without_its_subject(app: Flask) -> None:
    """What it was about may be gone; the fragment of its page is drawn all the same."""
    ours = {name for name, kind in KINDS.items() if kind.run.__module__.startswith("musicapp.")}  # not those of tests
    assert ours - set(NAMES) == set()
    owner = register(app, "alice")
    with app.app_context():
        jobs = {kind: Job(kind=kind, owner_id=owner, subject_id=4711, arguments={}) for kind in KINDS}
        db.session.add_all(jobs.values())
        db.session.commit()
        ids = {kind: job.id for kind, job in jobs.items()}
    alice = sign_in(app, owner)
    for kind, job_id in ids.items():
        answer = alice.get(f"/jobs/{job_id}")
        assert answer.status_code == 200, kind
    with app.test_request_context():
        render = declared.renderer("job-1", "job")
        assert render is not None
        assert f'id="job-{ids["tell"]}"' in str(render(ids["tell"]))
        assert views_of([found for id_ in ids.values() if (found := job_by_id(id_))])
