"""The plain form, as a browser without scripts sends it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from musicapp.uploads.models import Upload
from tests.uploads.conftest import Cast, flashed, multipart, only_upload, path_of, rows, send_form, stored_files

pytestmark = pytest.mark.one_database

FORM = "multipart/form-data; boundary=frontier"


def test_files_of_a_form_are_accepted(app: Flask, cast: Cast, media: Path, alice: FlaskClient) -> None:
    contents = [os.urandom(5_000_000), b"two"]
    send_form(alice, cast, ("one.mp3", contents[0]), ("two.flac", contents[1]))
    uploads = rows(app, Upload)
    assert [(u.filename, u.state, u.size_bytes) for u in uploads] == [
        ("one.mp3", "received", 5_000_000),
        ("two.flac", "received", 3),
    ]
    assert [path_of(app, upload).read_bytes() for upload in uploads] == contents
    assert "Your files are here" in flashed(alice)


def test_no_file_chosen_is_said(app: Flask, cast: Cast, media: Path, alice: FlaskClient) -> None:
    send_form(alice, cast, ("", b""))
    assert rows(app, Upload) == []
    assert "Choose at least one" in flashed(alice)


def test_file_over_the_limit_is_refused_and_the_others_are_kept(
    app: Flask, cast: Cast, media: Path, alice: FlaskClient
) -> None:
    app.config["UPLOAD_MAX_BYTES"] = 1000
    send_form(alice, cast, ("big.mp3", bytes(1001)), ("fits.mp3", bytes(1000)))
    assert only_upload(app).filename == "fits.mp3"
    assert "big.mp3: It is larger than 1 kB" in flashed(alice)


def test_form_that_breaks_off_leaves_nothing(app: Flask, cast: Cast, media: Path, alice: FlaskClient) -> None:
    body = multipart(("one.mp3", bytes(200_000)))[:-20]
    answer = alice.post(f"/albums/{cast.album}/uploads", data=body, content_type=FORM)
    assert answer.status_code == 400
    assert rows(app, Upload) == []
    assert stored_files(media) == []


def test_other_peoples_albums_are_not_there(
    app: Flask, cast: Cast, media: Path, charlie: FlaskClient, alice: FlaskClient
) -> None:
    body = multipart(("one.mp3", b"x"))
    assert charlie.post(f"/albums/{cast.album}/uploads", data=body, content_type=FORM).status_code == 404
    assert alice.post(f"/albums/{cast.bobs_album}/uploads", data=body, content_type=FORM).status_code == 404
    assert rows(app, Upload) == []


def test_five_hundred_refusals_fit_into_the_answer(app: Flask, cast: Cast, media: Path, alice: FlaskClient) -> None:
    app.config["UPLOAD_MAX_BYTES"] = 1
    send_form(alice, cast, *((f"{number}.mp3", b"too long") for number in range(500)))
    assert "496 more files were refused" in flashed(alice)
