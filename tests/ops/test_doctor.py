"""The doctor: each part is broken in turn, and what it says must name it and say how to mend it."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import text

from musicapp import create_app
from musicapp.core.db import db, utc_now
from musicapp.core.redis import redis_client
from musicapp.core.storage import store
from musicapp.jobs.models import FAILED, Job
from musicapp.jobs.reports import BEAT_SEEN
from musicapp.ops.doctor import CHECKS, OK, PROBLEM, WARNING, Finding, examine, machine, parts
from tests.servers import MailSink, free_port

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def said(name: str, status: str) -> str:
    """Words and mending of the findings of one check; the worst of them must have this status."""
    found = examine([name])
    worst = max(found, key=lambda each: [OK, WARNING, PROBLEM].index(each.status))
    assert worst.status == status, found
    assert all(each.mend for each in found if each.status != OK), "what is not well can be mended"
    return " ".join(f"{each.words} {each.mend}" for each in found)


@one_database
@pytest.mark.parametrize(
    ("name", "settings", "status", "words"),
    [
        ("SECRET_KEY", {"SECRET_KEY": "changeme"}, PROBLEM, "secrets.token_urlsafe"),
        ("SECRET_KEY", {"SECRET_KEY": "a" * 40}, PROBLEM, "can be guessed"),
        ("SITE_URL", {"SITE_URL": "music.example.org"}, PROBLEM, "https://music.example.org"),
        ("SITE_URL", {"SITE_URL": "http://music.invalid"}, WARNING, "not encrypted"),
        ("SITE_URL", {"SITE_URL": f"http://127.0.0.1:{free_port()}"}, WARNING, "does not answer from here"),
        ("proxies", {"SITE_URL": "https://a.example", "TRUSTED_PROXY_COUNT": 0}, PROBLEM, "TRUSTED_PROXY_COUNT"),
        ("proxies", {"USE_X_ACCEL_REDIRECT": True}, PROBLEM, "USE_X_ACCEL_REDIRECT=false"),
        ("proxies", {"TRUSTED_PROXY_COUNT": 1, "SITE_URL": "http://a:8000"}, WARNING, "forge an address"),
        ("proxies", {"TRUSTED_PROXY_COUNT": 1, "SITE_URL": "https://a.example"}, OK, "1 trusted"),
        ("numbers and lists", {"RENDITIONS": "opus_64,mp4_1"}, PROBLEM, "mp4_1"),
        ("numbers and lists", {"LOGIN_RATE_LIMIT": "often"}, PROBLEM, "10 per minute"),
        ("numbers and lists", {"SESSION_DAYS": -1}, PROBLEM, "SESSION_DAYS is below zero"),
        ("numbers and lists", {"MAIL_DEFAULT_SENDER": "My Music"}, PROBLEM, "music@example.org"),
        ("media store", {"DISK_RESERVE_BYTES": 10**18}, PROBLEM, "uploads are refused"),
        ("instance folder", {"DISK_RESERVE_BYTES": 10**18}, PROBLEM, "Make room"),
        ("ffmpeg", {"FFMPEG_BINARY": "/nowhere/ffmpeg"}, PROBLEM, "Leave FFMPEG_BINARY out"),
        ("ffmpeg", {"FFMPEG_BINARY": "/bin/false"}, PROBLEM, "ends with 1"),
        ("ffmpeg", {"FFMPEG_BINARY": "/bin/true"}, PROBLEM, "has no libmp3lame, libopus"),
        ("ffmpeg", {}, OK, "has all encoders"),
        ("open files", {"LIVE_MAX_STREAMS": 10**9}, WARNING, "LimitNOFILE"),
        ("mail", {}, WARNING, "Set MAIL_SERVER"),
    ],
)
def test_a_setting_that_can_not_work_is_named_with_what_to_write(
    context: Flask, name: str, settings: dict[str, object], status: str, words: str
) -> None:
    context.config.update(settings)
    assert words in said(name, status)


@one_database
def test_a_key_that_others_can_read_is_a_problem(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    kept = Path(context.instance_path) / "secret_key"
    kept.write_text("x")
    kept.chmod(0o644)
    context.config["SECRET_KEY"] = "0123456789abcdefghijklmnopq"
    assert f"chmod 600 {kept}" in said("SECRET_KEY", PROBLEM)


@one_database
def test_a_misspelt_setting_is_found(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "none is misspelt" in said("names of settings", OK)
    monkeypatch.setenv("MAIL_SEVER", "mail.example.org")
    assert "Did you mean MAIL_SERVER?" in said("names of settings", WARNING)


@pytest.fixture
def neighbour() -> Iterator[str]:
    """The address of a web server that is not musicapp."""

    class Other(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"welcome to nginx")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.HTTPServer(("127.0.0.1", 0), Other)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@one_database
def test_another_server_at_the_sites_address_is_found(context: Flask, neighbour: str) -> None:
    context.config["SITE_URL"] = neighbour
    assert "Something else answers" in said("SITE_URL", PROBLEM)


def test_a_database_is_looked_at_for_writing_and_migrations(context: Flask) -> None:
    assert "can be written" in said("database", OK)
    assert "at the newest" in said("migrations", OK)
    for revision, words in (("0001", "flask --app wsgi db upgrade"), ("9999", "a newer one")):
        db.session.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})
        db.session.commit()
        assert words in said("migrations", PROBLEM)
    assert "none is late" in said("jobs", OK)
    db.session.add(Job(kind="x", run_at=utc_now() - timedelta(hours=1)))
    db.session.add(Job(kind="x", state=FAILED, finished_at=utc_now()))
    db.session.commit()
    words = said("jobs", WARNING)
    assert "1 jobs have waited" in words
    assert "/admin/jobs" in words


@one_database
def test_a_database_that_is_not_there_or_is_locked_says_so(environ: dict[str, str], tmp_path: Path) -> None:
    app = create_app({**environ, "DATABASE_URL": f"sqlite:///{tmp_path / 'no' / 'folder.db'}"})
    with app.app_context():
        assert "must exist and belong to" in said("database", PROBLEM)
        assert "db upgrade" in said("migrations", PROBLEM)
    app = create_app(environ)
    with app.app_context():
        path = Path(str(db.engine.url.database))
        assert "answers" in said("database", OK)
        path.chmod(0o444)
        if os.geteuid():  # root may write everything
            assert "can't be written" in said("database", PROBLEM)


@one_database
def test_redis_workers_and_the_clock_are_well_or_say_what_to_start(context: Flask) -> None:
    client = redis_client()
    assert "make worker QUEUES=media" in said("workers", PROBLEM)
    assert "make beat" in said("clock of periodic work", PROBLEM)
    client.set(BEAT_SEEN, time.time() - 3600)
    client.set("worker-seen:default", time.time() - 90)
    assert "has sent nothing for 3600 s" in said("clock of periodic work", PROBLEM)
    assert "No worker of the queue default has reported for 90 s" in said("workers", PROBLEM)
    client.set(BEAT_SEEN, time.time())
    for queue in ("default", "media"):
        client.set(f"worker-seen:{queue}", time.time())
    for name in ("workers", "clock of periodic work", "Redis", "clocks"):
        said(name, OK)
    try:
        client.config_set("maxmemory-policy", "allkeys-lru")
        assert "CONFIG SET maxmemory-policy noeviction" in said("Redis", PROBLEM)
    finally:
        client.config_set("maxmemory-policy", "noeviction")


@pytest.mark.parametrize(
    ("facts", "settings", "words"),
    [
        ({"redis_version": "5.0.7"}, {}, "install a newer one"),
        ({"aof_enabled": 0, "rdb_last_save_time": 0}, {}, "appendonly yes"),
        ({"aof_enabled": 0}, {}, "CONFIG SET appendonly yes"),
        ({"used_memory": 95}, {"maxmemory": "100"}, "Raise maxmemory"),
    ],
)
def test_what_a_redis_says_of_itself_is_understood(
    facts: dict[str, object], settings: dict[str, str], words: str
) -> None:
    whole = {"redis_version": "7.4.1", "used_memory": 5, "aof_enabled": 1, "rdb_last_save_time": 9, **facts}
    assert any(words in each.mend for each in parts.redis_findings(whole, settings))


def test_clocks_apart_are_a_warning_and_then_a_problem() -> None:
    assert parts.skew("Redis", 0.4).status == OK
    assert "5.0 s behind" in parts.skew("Redis", -5).words
    assert parts.skew("the database", 60).status == PROBLEM
    assert "timedatectl" in parts.skew("the database", 60).mend


@one_database
def test_without_redis_every_part_that_needs_it_says_what_to_start(environ: dict[str, str], tmp_path: Path) -> None:
    app = create_app({**environ, "REDIS_URL": f"unix://{tmp_path / 'none.sock'}"})
    with app.app_context():
        assert "REDIS_URL" in said("Redis", PROBLEM)
        for name in ("workers", "clock of periodic work", "clocks"):
            assert "make run" in said(name, WARNING)


@one_database
def test_the_mail_server_is_greeted_and_nothing_is_sent(context: Flask, mail_sink: MailSink) -> None:
    context.config.update(MAIL_SERVER="127.0.0.1", MAIL_PORT=mail_sink.port, MAIL_TIMEOUT_SECONDS=2)
    mail = context.extensions["mail"]
    mail.server, mail.port = "127.0.0.1", mail_sink.port
    assert "nothing was sent" in said("mail", OK)
    mail.use_tls = context.config["MAIL_USE_TLS"] = True
    assert "MAIL_PORT=587" in said("mail", PROBLEM)
    mail.use_tls = context.config["MAIL_USE_TLS"] = False
    mail.username = context.config["MAIL_USERNAME"] = "musicapp"
    mail.password = "secret"
    assert "secret" not in said("mail", PROBLEM)
    mail.username = context.config["MAIL_USERNAME"] = None
    with socket.socket() as hangs:  # takes connections and says nothing
        hangs.bind(("127.0.0.1", 0))
        hangs.listen()
        mail.port = hangs.getsockname()[1]
        context.config["MAIL_TIMEOUT_SECONDS"] = 0.2
        assert "MAIL_SERVER and MAIL_PORT" in said("mail", PROBLEM)
    assert mail_sink.messages == []


@pytest.mark.parametrize(
    ("answer", "mend"),
    [
        ("The mail server answered 535 5.7.8 authentication failed", "MAIL_PASSWORD"),
        ("certificate verify failed: Hostname mismatch", "the name in the server's certificate"),
        ("STARTTLS extension not supported by server.", "587"),
        ("timed out", "blocks the port"),
    ],
)
def test_answers_of_mail_servers_lead_to_the_setting_that_mends_them(answer: str, mend: str) -> None:
    assert mend in parts.smtp_mend(answer)


@one_database
def test_a_store_that_can_not_be_written_and_what_was_left_behind_are_found(context: Flask) -> None:
    assert "none" in said("leftovers", OK)
    old = store().root / "scratch" / "old"
    old.mkdir(parents=True)
    os.utime(old, (0, 0))
    (Path(context.instance_path) / "before-restore-1.musicapp").touch()
    words = said("leftovers", WARNING)
    assert "tasks run uploads.sweep" in words
    assert "before-restore-*" in words
    shutil.rmtree(store().root)
    store().root.write_text("a file where the folder should be")
    assert "MEDIA_PATH" in said("media store", PROBLEM)


@one_database
def test_the_command_ends_with_one_where_something_is_wrong(context: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    run = context.test_cli_runner()
    monkeypatch.setattr("musicapp.ops.doctor.registry.CHECKS", {"one": lambda: Finding(WARNING, "dust", "sweep")})
    well = run.invoke(args=["doctor"])
    assert well.exit_code == 0
    assert "warning  one: dust\n           -> sweep" in well.output

    def breaks() -> Finding:
        raise ZeroDivisionError("redis://:hidden@host")

    monkeypatch.setattr("musicapp.ops.doctor.registry.CHECKS", {"two": breaks})
    ill = run.invoke(args=["doctor", "--json"])
    assert ill.exit_code == 1
    (finding,) = json.loads(ill.output)
    assert (finding["status"], finding["name"]) == (PROBLEM, "two")
    assert "ZeroDivisionError" in finding["words"]
    assert "hidden" not in ill.output


def test_settings_come_first_and_every_part_is_looked_at() -> None:
    assert next(iter(CHECKS)) == "SECRET_KEY"
    assert {"database", "migrations", "Redis", "workers", "mail", "ffmpeg", "media store", "open files"} <= set(CHECKS)
    assert machine.FEW_FILES < 20000
