from __future__ import annotations

import re
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

from flask import Flask
from sqlalchemy import delete, select

from musicapp.accounts import services as accounts
from musicapp.accounts.models import User
from musicapp.accounts.tokens import read_confirm_token, read_reset_token
from musicapp.catalog.events import AlbumCreated
from musicapp.catalog.services import delete_album
from musicapp.core.db import db, reading, utc_now
from musicapp.core.events import publish
from musicapp.jobs.models import Job
from musicapp.jobs.runner import run_next
from musicapp.notifications.letters import WRITERS, Letter, Occasion
from musicapp.notifications.models import Announcement
from musicapp.notifications.posting import MAX_ATTEMPTS, retry_delay_seconds
from musicapp.playback.models import Play
from musicapp.playlists.models import PlaylistInvitation, PlaylistMember
from tests.notifications.conftest import Cast
from tests.notifications.world import World, make_world, read_mails


def _run(kind: str) -> None:
    while run_next(kind) is not None:
        pass


def _text(mail: EmailMessage, kind: str = "plain") -> str:
    part = mail.get_body((kind,))
    assert isinstance(part, EmailMessage), f"no {kind} part"
    return str(part.get_content())


def _letter(world: World, kind: str, **arguments: Any) -> Letter | None:
    """The letter of a kind as it would be written now."""
    user_id, subject_id, usual = world.occasions[kind]
    with reading():
        letter = WRITERS[kind](Occasion(kind, user_id, subject_id, f"{kind}/1", usual | arguments))
        db.session.rollback()
    return letter


def test_every_kind_of_mail_has_subject_text_and_html(context: Flask) -> None:
    world = make_world()
    assert set(world.occasions) == set(WRITERS)
    for kind in WRITERS:
        letter = _letter(world, kind)
        assert letter is not None, kind
        assert letter.subject.strip() == letter.subject != "", kind
        assert "\n" not in letter.subject
        assert len(letter.text) > 80, kind
        assert "<table" in letter.html, kind
        for leftover in ("{{", "{%", "None", "&amp;", "&#"):
            assert leftover not in letter.text + letter.subject, f"{leftover} in {kind}"
        assert "None<" not in letter.html, kind
        assert "http://localhost/" in letter.text, kind
        assert "http://localhost/" in letter.html, kind
        assert not re.search(r'(href|src)="/', letter.html), f"{kind}: an address that only a browser of ours follows"
        assert "<1>" not in letter.html, f"{kind}: a title is not escaped"


def test_mails_of_choice_say_how_to_unsubscribe_and_others_do_not(context: Flask) -> None:
    world = make_world()
    chosen = {kind for kind in WRITERS if "List-Unsubscribe" in getattr(_letter(world, kind), "headers", {})}
    assert chosen == set(WRITERS) - {"confirm_address", "reset_password", "email_changed", "new_device"}
    for kind in chosen:
        letter = _letter(world, kind)
        assert letter is not None
        link = letter.headers["List-Unsubscribe"].strip("<>")
        assert letter.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
        assert link in letter.text
        assert link in letter.html
        assert "http://localhost/settings/notifications" in letter.html
    assert "Unsubscribe" not in getattr(_letter(world, "reset_password"), "text", "")


def test_letters_say_what_they_are_about(context: Flask) -> None:
    world = make_world()

    def says(kind: str, *words: str, **arguments: Any) -> None:
        letter = _letter(world, kind, **arguments)
        assert letter is not None
        for expected in words:
            assert expected in letter.subject + "\n" + letter.text, f"{kind}: {letter.subject}\n{letter.text}"

    says("confirm_address", "Welcome to musicapp")
    says("new_device", "Firefox on Linux", "192.0.2.7", "(Europe/Berlin)", "/settings#devices")
    says("album_created", "Congratulations on “Entwurf”", "a draft that only you see", f"/albums/{world.draft.id}")
    says("album_published", "“Morgenröte <1>” is out", f"/studio/announcements/new?artist={world.artist.id}")
    says("new_release", "New by Ala & Söhne: Morgenröte <1>", f"/albums/{world.album.id}")
    says("upload_finished", "“Entwurf”: 2 tracks are ready")
    says("upload_failed", "03 Tide.flac: The file ends in the middle.", "The other 2 tracks are ready.")
    says("invited_to_playlist", "Alice invites you to “Slow mornings”", "/playlists/invitations/secret")
    says("artist_figures", "Ala & Söhne: 2 plays this week", "Listeners: 2 (0)", "1. Tide (2)")
    says("artist_inactive", "Stille has been quiet for a while", "it is 40 days now", "“Zuletzt”")
    says("newsletter", "New music: Morgenröte <1> by Ala & Söhne", "from artists you follow")
    says("announcement", "Ala & Söhne: Tonight", "https://hall.example/?a=1&b=2 <b>")
    says("digest", "Your day: 3 things are new", "Morgenröte <1>", "Tonight", "Alice: added 1 track", "Tide – ")
    says("digest", "Your week: 3 things are new", frequency="weekly")


def test_words_of_others_stay_words(context: Flask) -> None:
    world = make_world()
    letter = _letter(world, "announcement")
    assert letter is not None
    assert 'href="https://hall.example/?a=1&amp;b=2"' in letter.html
    assert "&lt;b&gt;" in letter.html
    db.session.get_one(Announcement, world.occasions["announcement"][1]).title = "Line\r\nBcc: everybody@example.org"
    db.session.commit()
    letter = _letter(world, "announcement")
    assert letter is not None
    assert "Bcc" not in letter.subject, "a line break ends the subject"


def test_covers_come_as_jpeg_of_published_albums_only(context: Flask) -> None:
    world = make_world()
    published, draft = _letter(world, "album_published"), _letter(world, "album_created")
    assert published is not None
    assert 'src="http://localhost/artwork/1/640.jpg"' in published.html
    assert 'alt="Cover of Morgenröte &lt;1&gt;"' in published.html
    assert draft is not None
    assert "<img" not in draft.html
    context.config["PUBLIC_LISTENING"] = False
    closed = _letter(world, "album_published")
    assert closed is not None
    assert "<img" not in closed.html, "a mail program has no account"


def test_letters_that_lost_their_point_are_not_written(context: Flask) -> None:
    world = make_world()
    world.album.published_at = None
    world.draft.deleted_at = world.carol.email_confirmed_at = world.bob.suspended_at = utc_now()
    invitation = db.session.get_one(PlaylistInvitation, world.occasions["invited_to_playlist"][1])
    invitation.answered_at = utc_now()
    db.session.execute(delete(PlaylistMember).where(PlaylistMember.user_id == world.bob.id))
    db.session.execute(delete(Announcement))
    db.session.execute(delete(Play))
    db.session.commit()
    for kind in set(WRITERS) - {"email_changed", "new_device", "artist_inactive", "report_decided"}:
        assert _letter(world, kind, artist_ids=[]) is None, kind


def test_a_letter_is_in_its_readers_language_and_names_the_site(context: Flask) -> None:
    world = make_world()
    world.bob.locale = "de"
    db.session.commit()
    context.config["SITE_NAME"] = "Waldradio"
    letter = _letter(world, "new_device")
    assert letter is not None
    assert '<html lang="de">' in letter.html
    assert "Waldradio" in letter.text
    assert "November" in letter.text or "2026" in letter.text


def test_a_device_not_seen_before_is_told_of_by_mail(context: Flask, cast: Cast) -> None:
    def sign_in(device: str) -> list[Any]:
        accounts.open_session(cast.user_id, device=device, ip_address="192.0.2.7")
        db.session.commit()
        return list(db.session.scalars(select(Job.arguments).where(Job.kind == "mail_new_device").order_by(Job.id)))

    assert sign_in("Firefox on Linux") == [], "an account's first device is its own"
    assert sign_in("Firefox on Linux") == []
    assert sign_in("Safari on iPhone") == [{"session_id": 3}]
    assert len(sign_in("Safari on iPhone")) == 1
    accounts.revoke_sessions(cast.user_id)
    assert len(sign_in("Firefox on Linux")) == 1, "a device that signed out is known still"
    _run("mail_new_device")
    (mail,) = read_mails(context)
    assert mail["Subject"] == "New sign-in: Safari on iPhone"
    assert mail["To"] == "alice@example.com"


def test_the_first_sign_in_after_a_long_time_is_told_of(context: Flask, cast: Cast) -> None:
    db.session.get_one(User, cast.user_id).created_at = utc_now() - timedelta(days=400)
    accounts.open_session(cast.user_id, device="Edge on Windows", ip_address="192.0.2.7")
    db.session.commit()
    assert db.session.scalar(select(Job.id).where(Job.kind == "mail_new_device"))


def test_a_created_album_is_congratulated_once(context: Flask, cast: Cast) -> None:
    _run("tell")
    (mail,) = read_mails(context)
    assert mail["Subject"] == "Congratulations on “Morgenröte”"
    assert f"http://localhost/albums/{cast.album_id}" in _text(mail)
    assert "Ala & Söhne" in _text(mail)
    assert "Ala &amp; Söhne" in _text(mail, "html")
    publish(AlbumCreated(cast.album_id, cast.user_id))
    db.session.commit()
    assert run_next("tell") is None


def test_an_album_that_is_not_stored_has_no_mail(context: Flask, cast: Cast) -> None:
    from musicapp.catalog.services import create_album

    before = len(db.session.scalars(select(Job.id)).all())
    create_album(artist_id=1, title="Draft", user_id=cast.user_id)
    db.session.rollback()
    assert len(db.session.scalars(select(Job.id)).all()) == before


def test_a_mail_sent_again_after_a_crash_is_the_same_mail(context: Flask, cast: Cast) -> None:
    _run("mail_album_created")
    (first,) = read_mails(context)
    job = db.session.scalars(select(Job).where(Job.kind == "mail_album_created")).one()
    job.state = "queued"  # the worker died between handing over and writing that down
    db.session.commit()
    _run("mail_album_created")
    (second,) = read_mails(context)
    assert first["Message-ID"] == second["Message-ID"]


def test_a_deleted_album_is_not_congratulated(context: Flask, cast: Cast) -> None:
    delete_album(cast.album_id)
    db.session.commit()
    _run("mail_album_created")
    assert read_mails(context) == []
    assert db.session.scalars(select(Job).where(Job.kind == "mail_album_created")).one().result == {"sent": False}


def test_links_carry_tokens_that_are_stored_nowhere(context: Flask, cast: Cast) -> None:
    accounts.request_email_confirmation(cast.user_id)
    accounts.request_password_reset("ALICE@example.com")
    db.session.commit()
    _run("mail_confirm_address")
    _run("mail_reset_password")
    confirm, reset = "", ""
    for mail in read_mails(context):
        confirm = confirm or "".join(re.findall(r"/confirm/(\S+)", _text(mail)))
        reset = reset or "".join(re.findall(r"/reset/(\S+)", _text(mail)))
    assert read_confirm_token(confirm) == (cast.user_id, "alice@example.com")
    found = read_reset_token(reset)
    assert found is not None
    assert found[0] == cast.user_id
    stored = [str((job.arguments, job.result, job.error)) for job in db.session.scalars(select(Job))]
    assert not [row for row in stored if confirm in row or reset in row]


def test_a_confirmed_address_gets_no_link(context: Flask, cast: Cast) -> None:
    accounts.request_email_confirmation(cast.user_id)
    db.session.get_one(User, cast.user_id).email_confirmed_at = utc_now()
    db.session.commit()
    _run("mail_confirm_address")
    assert read_mails(context) == []


def test_a_new_address_gets_the_link_and_the_old_one_a_note(context: Flask, cast: Cast) -> None:
    accounts.request_email_change(cast.user_id, "new@example.com")
    db.session.commit()
    _run("mail_confirm_address")
    (link,) = read_mails(context)
    assert link["To"] == "new@example.com"
    assert accounts.confirm_email(cast.user_id, "new@example.com")
    db.session.commit()
    _run("mail_email_changed")
    note = next(mail for mail in read_mails(context) if mail["To"] == "alice@example.com")
    assert "new@example.com" in _text(note)


def test_mails_are_tried_again_for_two_days() -> None:
    delays = [retry_delay_seconds(attempt) for attempt in range(1, MAX_ATTEMPTS)]
    assert delays[0] == 10
    assert max(delays) == 3600
    assert timedelta(days=2) < timedelta(seconds=sum(delays)) < timedelta(days=3)
