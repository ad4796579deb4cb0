"""One number follows the work: from the press of a button through the worker to the mail, in logs of real processes."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

from tests.servers import MailSink, Site, wait_for

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]


def lines_of(site: Site) -> list[dict[str, Any]]:
    """What web and worker wrote about the site; what others print is no JSON."""
    written = site.log_file.read_text(errors="replace").splitlines()
    return [json.loads(line) for line in written if line.startswith("{")]


def test_an_operator_follows_a_request_to_its_mail_and_no_token_stands_in_the_log(
    site: Site, mail_sink: MailSink
) -> None:
    site.environ |= {"LOG_JSON": "true", "MAIL_SERVER": "127.0.0.1", "MAIL_PORT": str(mail_sink.port)}
    site.migrate()
    site.start_web(processes=1)
    site.start_worker("default")
    browser = requests.Session()
    account = {"username": "alice", "email": "alice@example.org", "password": "three green kettles"}
    assert browser.post(f"{site.url}/register", data=account, timeout=20).ok

    answer = requests.post(f"{site.url}/forgot", data={"email": "alice@example.org"}, timeout=20)
    number = (answer.history or [answer])[0].headers["X-Request-ID"]
    mail = wait_for(lambda: mail_sink.to("alice@example.org", "password"), 40, "the mail with the link")[0]

    def followed() -> list[dict[str, Any]]:
        found = [line for line in lines_of(site) if line.get("request_id") == number]
        return found if any(line["message"].endswith("is succeeded now") for line in found) else []

    found = wait_for(followed, 20, "the job's end in the log")
    asked = next(line for line in found if line["logger"] == "musicapp.access")
    assert (asked["method"], asked["path"], asked["route"]) == ("POST", "/forgot", "/forgot")
    left = next(line for line in found if "has left" in line["message"])
    assert str(mail["Message-ID"]) in left["message"]
    assert left["job_kind"] == "mail_reset_password"
    assert left["job_id"]
    assert left["task_id"]
    assert left["process"] != asked["process"], "the worker wrote it"
    assert number not in mail.as_string(), "the mail says nothing of it"

    body = mail.get_body(("plain",))
    assert body is not None
    link = re.search(r"http://\S+/reset/(\S+)", body.get_content())
    assert link is not None
    opened = browser.get(link[0], timeout=20)
    assert opened.ok
    by_id = wait_for(
        lambda: [each for each in lines_of(site) if each.get("request_id") == opened.headers["X-Request-ID"]],
        what="its line",
    )
    assert by_id[0]["path"] == "/reset/…"
    assert by_id[0]["user_id"] >= 1
    written = site.log_file.read_text(errors="replace")
    assert link[1] not in written
    assert "three green kettles" not in written
    assert "alice@example.org" not in written
