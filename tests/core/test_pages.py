from __future__ import annotations

import errno
from datetime import UTC, datetime

import pytest
from flask import Flask, g, request
from flask.testing import FlaskClient
from flask_babel import force_locale

from musicapp.core.pages import _translations, duration_words, mark_time, size_words, title_hue
from musicapp.core.security import public

pytestmark = pytest.mark.one_database


def test_htmx_gets_the_inside_and_its_navigation_the_whole_page(client: FlaskClient) -> None:
    assert "<!doctype html>" in client.get("/login").text
    assert "<!doctype html>" not in client.get("/login", headers={"HX-Request": "true"}).text
    boosted = client.get("/login", headers={"HX-Request": "true", "HX-Boosted": "true"})
    assert "<!doctype html>" in boosted.text
    assert "HX-Request" in boosted.headers["Vary"]


def test_words_follow_a_language_that_is_forced_for_a_while(app: Flask) -> None:
    with app.test_request_context():
        own = _translations()
        assert _translations() is own
        with force_locale("de"):
            _translations()
            assert str(g.translations[0]) == "de"
        _translations()
        assert str(g.translations[0]) == "en"


def test_error_is_a_page_for_people_and_json_for_programs(client: FlaskClient) -> None:
    page = client.get("/nothing-here", headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert "<main" in page.text
    program = client.get("/nothing-here", headers={"Accept": "application/json"})
    assert program.json is not None
    assert "error" in program.json


@pytest.mark.parametrize(
    ("duration_ms", "words"), [(None, "–"), (0, "0:00"), (187_900, "3:07"), (3_723_000, "1:02:03")]
)
def test_durations_are_read_as_on_a_record(duration_ms: int | None, words: str) -> None:
    assert duration_words(duration_ms) == words


def test_made_covers_of_many_titles_use_all_eight_hues() -> None:
    titles = [f"{first} {second}" for first in ("Low", "Night", "Élan", "海") for second in range(15)]
    assert {title_hue(title) for title in titles} == set(range(8))


@pytest.mark.parametrize(("size_bytes", "words"), [(0, "0 B"), (999, "999 B"), (12_300_000, "12.3 MB")])
def test_sizes_are_read_as_in_a_file_manager(size_bytes: int, words: str) -> None:
    assert size_words(size_bytes) == words


def test_instant_is_marked_for_the_browser_to_write() -> None:
    assert 'datetime="2026-03-01T12:00:00Z"' in mark_time(datetime(2026, 3, 1, 12, tzinfo=UTC))
    assert mark_time(None) == ""


def test_full_disk_is_said_and_another_failure_stays_one(app: Flask) -> None:
    def fail() -> str:
        raise OSError(getattr(errno, request.args["name"]), "words of the system")

    app.add_url_rule("/fail", view_func=public(fail))
    app.testing = False
    full = app.test_client().get("/fail?name=ENOSPC", headers={"Accept": "text/html"})
    assert (full.status_code, "disk is full" in full.text) == (503, True)
    assert app.test_client().get("/fail?name=EACCES").status_code == 500
