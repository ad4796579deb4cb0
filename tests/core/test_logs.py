"""What web processes and workers write about themselves."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from musicapp.core.db import db
from musicapp.core.logs import log_formatter, without_secrets
from musicapp.core.tracing import request_id, trace_ids, traced
from musicapp.jobs import runner, services
from musicapp.jobs.models import Job
from musicapp.jobs.registry import KINDS, JobKind
from tests.servers import REPOSITORY

SAY = """
import logging
from {module} import *
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("musicapp.jobs").exception("job %s is \\u201clost\\u201d", 7)
"""

one_database = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def said(module: str, folder: Path, as_json: str) -> str:
    environ = {"INSTANCE_PATH": str(folder), "SECRET_KEY": "x", "LOG_JSON": as_json, "PATH": "/usr/bin"}
    done = subprocess.run(
        [sys.executable, "-c", SAY.format(module=module)],
        cwd=REPOSITORY,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr


@pytest.mark.parametrize("module", ["wsgi", "celery_worker"])
def test_log_lines_are_json_where_the_setting_says_so(module: str, tmp_path: Path) -> None:
    line = json.loads(said(module, tmp_path, "true"))
    assert (line["level"], line["logger"], line["message"]) == ("ERROR", "musicapp.jobs", "job 7 is “lost”")
    assert line["exception"].endswith("ZeroDivisionError: division by zero")


def test_log_lines_say_when_and_who(tmp_path: Path) -> None:
    first = said("wsgi", tmp_path, "false").splitlines()[0]
    assert first.endswith("musicapp.jobs: job 7 is “lost”")
    assert first[:4].isdigit()


class Lines:
    """What the process would have written, as objects."""

    def __init__(self) -> None:
        self.written = io.StringIO()

    def all(self, logger: str = "") -> list[dict[str, Any]]:
        found = [json.loads(line) for line in self.written.getvalue().splitlines()]
        return [line for line in found if line["logger"].startswith(logger)]


@pytest.fixture
def lines() -> Iterator[Lines]:
    lines = Lines()
    handler = logging.StreamHandler(lines.written)
    handler.setFormatter(log_formatter(as_json=True))
    logger = logging.getLogger("musicapp")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lines
    logger.removeHandler(handler)
    logger.setLevel(before)


@one_database
def test_a_request_is_one_line_with_its_number_route_status_and_time(app: Flask, lines: Lines) -> None:
    response = app.test_client().get("/albums/4?token=secret", headers={"X-Request-ID": "not-from-a-proxy"})
    (line,) = lines.all("musicapp.access")
    assert (line["method"], line["path"], line["status"]) == ("GET", "/albums/4", 404)
    assert line["request_id"] == response.headers["X-Request-ID"] != "not-from-a-proxy"
    assert line["route"].startswith("/albums/<")
    assert line["ms"] >= 0


@one_database
def test_a_proxys_number_is_taken_over_if_it_looks_like_one(environ: dict[str, str], lines: Lines) -> None:
    from musicapp import create_app

    client = create_app({**environ, "TRUSTED_PROXY_COUNT": "1"}, TESTING=True).test_client()
    assert client.get("/login", headers={"X-Request-ID": "0af7651916cd43dd"}).headers["X-Request-ID"] == (
        "0af7651916cd43dd"
    )
    for strange in ("x", "a" * 65, "12345678 forged=1"):
        assert client.get("/login", headers={"X-Request-ID": strange}).headers["X-Request-ID"] != strange
    assert lines.all("musicapp.access")[0]["request_id"] == "0af7651916cd43dd"


@one_database
def test_static_files_health_checks_and_the_middle_of_a_track_are_no_lines(app: Flask, lines: Lines) -> None:
    client = app.test_client()
    for quiet in ("/static/icons.svg", "/healthz", "/readyz"):
        client.get(quiet).close()
    client.get("/tracks/1/stream", headers={"Range": "bytes=70000-"}).close()
    assert lines.all("musicapp.access") == []
    client.get("/tracks/1/stream", headers={"Range": "bytes=0-"}).close()
    assert len(lines.all("musicapp.access")) == 1


@one_database
def test_an_error_page_and_the_log_show_the_same_number(environ: dict[str, str], lines: Lines) -> None:
    from musicapp import create_app
    from musicapp.core.security import public

    app = create_app(environ)

    @app.get("/broken/<token>")
    @public
    def broken(token: str) -> str:
        raise ZeroDivisionError(f"/reset/{token}")

    response = app.test_client().get("/broken/abc")
    number = response.headers["X-Request-ID"]
    assert response.status_code == 500
    assert f"<code>{number}</code>" in response.text
    assert "abc" not in "".join(line.get("exception", "") for line in lines.all()), "the exception names the token"
    failures = [line for line in lines.all() if line["level"] in {"ERROR", "WARNING"}]
    assert {line["request_id"] for line in failures} == {number}
    assert any("ZeroDivisionError" in line.get("exception", "") for line in failures)


@one_database
def test_no_address_that_opens_something_is_ever_written(app: Flask) -> None:
    with_token = [rule for rule in app.url_map.iter_rules() if rule.arguments & {"token", "key", "code"}]
    with_token = [rule for rule in with_token if not rule.rule.startswith("/admin/mail/preview/")]  # a kind of mail
    assert with_token, "the site has links in mails"
    for rule in with_token:
        address = str(rule.rule)
        for name in rule.arguments:
            address = address.replace(f"<{name}>", "S3cret-token")
        assert "S3cret" not in without_secrets(f"Exception on {address} [GET]"), address


@pytest.mark.parametrize(
    "text",
    [
        "GET /register?invitation=S3cret&next=/",
        "/playlists/3?key=S3cret",
        "redis://:S3cret@127.0.0.1/0",
        "postgresql://musicapp:S3cret@db/musicapp",
        "MAIL_PASSWORD='S3cret'",
        "Cookie: session=S3cret",
    ],
)
def test_passwords_and_keys_are_taken_out_of_every_line(text: str) -> None:
    assert "S3cret" not in without_secrets(text)
    assert without_secrets("album 4 of alice@example.org: 12 tracks, see /albums/4") == (
        "album 4 of alice@example.org: 12 tracks, see /albums/4"
    )


def test_ids_end_with_the_work_even_where_a_thread_kept_its_context() -> None:
    import contextvars

    with traced(request_id="r1"), traced(job_id=4, task_id=None):
        assert trace_ids() == {"request_id": "r1", "job_id": 4}
        kept = contextvars.copy_context()
    assert request_id() is None
    assert kept.run(trace_ids) == {}


def follow(job: Any) -> None:
    logging.getLogger("musicapp.test").info("at work")
    if job.arguments.get("again"):
        services.add("test_follow")
        db.session.commit()


def test_a_job_knows_the_request_that_began_it_and_so_do_the_jobs_it_adds(
    app: Flask, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(KINDS, "test_follow", JobKind("test_follow", "default", 3, follow))
    with app.app_context():
        with traced(request_id="0123456789abcdef"):
            services.add("test_follow", arguments={"again": True})
        db.session.commit()
        runner.run_next("test_follow")
        runner.run_next("test_follow")
        assert [job.request_id for job in db.session.query(Job)] == ["0123456789abcdef"] * 2
    work = lines.all("musicapp.test")
    assert [line["request_id"] for line in work] == ["0123456789abcdef"] * 2
    assert [line["job_kind"] for line in work] == ["test_follow"] * 2
    assert work[0]["job_id"] != work[1]["job_id"]
