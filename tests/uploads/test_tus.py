"""The tus endpoint as a client meets it."""

from __future__ import annotations

import fcntl
import io
import os
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from musicapp.core.db import db, utc_now
from musicapp.jobs.models import Job
from musicapp.uploads import incoming
from musicapp.uploads.models import Upload
from tests.uploads.conftest import Cast, TusClient, only_upload, path_of, rows, stored_files

pytestmark = pytest.mark.one_database

BODY = bytes(range(256)) * 40


def test_options_say_what_the_server_can_do_without_asking_who_it_is(client: FlaskClient) -> None:
    answer = client.options("/uploads/")
    assert answer.status_code == 204
    assert answer.headers["Tus-Resumable"] == answer.headers["Tus-Version"] == "1.0.0"
    assert {"creation", "termination", "expiration"} <= set(answer.headers["Tus-Extension"].split(","))
    assert int(answer.headers["Tus-Max-Size"]) == 2 * 1024**3


def test_whole_file_arrives_and_becomes_a_job(tus: TusClient, cast: Cast, app: Flask, media: Path) -> None:
    created = tus.create(len(BODY), cast.album, "Ünë 音.mp3")
    assert created.status_code == 201
    assert created.headers["Location"].startswith("http://localhost/uploads/")
    assert parsedate_to_datetime(created.headers["Upload-Expires"]) > utc_now() + timedelta(hours=71)
    answer = tus.patch(created.headers["Location"], 0, BODY)
    assert answer.status_code == 204
    assert answer.headers["Upload-Offset"] == str(len(BODY))
    upload = only_upload(app)
    assert (upload.state, upload.filename, upload.offset_bytes) == ("received", "Ünë 音.mp3", len(BODY))
    assert path_of(app, upload).read_bytes() == BODY
    [job] = rows(app, Job)
    assert (job.kind, job.subject_id, job.owner_id) == ("probe_upload", upload.id, cast.alice)


def test_piece_may_be_longer_than_any_other_form(tus: TusClient, cast: Cast, app: Flask, media: Path) -> None:
    content = os.urandom(app.config["MAX_CONTENT_LENGTH"] + 1)
    tus.send(content, cast.album)
    assert path_of(app, only_upload(app)).read_bytes() == content


def test_file_arrives_in_pieces_and_head_says_where_to_go_on(tus: TusClient, cast: Cast, app: Flask) -> None:
    address = tus.create(len(BODY), cast.album).headers["Location"]
    assert tus.patch(address, 0, BODY[:1000]).headers["Upload-Offset"] == "1000"
    head = tus.head(address)
    assert head.status_code == 200
    assert (head.headers["Upload-Offset"], head.headers["Upload-Length"]) == ("1000", str(len(BODY)))
    assert head.headers["Cache-Control"] == "no-store"
    assert "filename" in head.headers["Upload-Metadata"]
    assert only_upload(app).offset_bytes == 1000
    assert tus.patch(address, 1000, BODY[1000:]).status_code == 204
    assert path_of(app, only_upload(app)).read_bytes() == BODY


def test_bytes_on_disk_are_the_truth_where_the_row_knows_less(tus: TusClient, cast: Cast, app: Flask) -> None:
    address = tus.create(len(BODY), cast.album).headers["Location"]
    path_of(app, only_upload(app)).write_bytes(BODY[:3000])  # what a killed server left
    assert tus.head(address).headers["Upload-Offset"] == "3000"
    assert tus.patch(address, 3000, BODY[3000:]).status_code == 204
    assert path_of(app, only_upload(app)).read_bytes() == BODY


def test_server_killed_after_the_last_byte_finishes_when_the_client_asks(
    tus: TusClient, cast: Cast, app: Flask
) -> None:
    address = tus.create(len(BODY), cast.album).headers["Location"]
    path_of(app, only_upload(app)).write_bytes(BODY)
    assert tus.head(address).headers["Upload-Offset"] == str(len(BODY))
    assert only_upload(app).state == "received"
    assert tus.head(address).status_code == 200
    assert len(rows(app, Job)) == 1


def test_client_that_goes_away_midway_keeps_what_has_arrived(tus: TusClient, cast: Cast, app: Flask) -> None:
    address = tus.create(len(BODY), cast.album).headers["Location"]
    path = address.removeprefix("http://localhost")
    headers = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0", "Content-Type": "application/offset+octet-stream"}
    tus.client.open(
        path,
        method="PATCH",
        input_stream=io.BytesIO(BODY[:4321]),
        headers={**headers, "Content-Length": str(len(BODY))},
    )
    assert tus.head(address).headers["Upload-Offset"] == "4321"
    assert only_upload(app).offset_bytes == 4321


def test_wrong_offset_is_a_conflict(tus: TusClient, cast: Cast) -> None:
    address = tus.create(len(BODY), cast.album).headers["Location"]
    tus.patch(address, 0, BODY[:10])
    answer = tus.patch(address, 0, BODY[:10])
    assert answer.status_code == 409
    assert "HEAD" in answer.json["error"]  # type: ignore[index]
    assert tus.head(address).headers["Upload-Offset"] == "10"


def test_second_request_for_the_same_file_is_locked_out(
    tus: TusClient, cast: Cast, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "LOCK_WAIT_SECONDS", 0.1)
    address = tus.create(len(BODY), cast.album).headers["Location"]
    tus.patch(address, 0, BODY[:10])
    other = os.open(path_of(app, only_upload(app)), os.O_WRONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    assert tus.patch(address, 10, BODY[10:]).status_code == 423
    os.close(other)
    assert tus.patch(address, 10, BODY[10:]).status_code == 204


def test_wrong_version_is_refused(tus: TusClient, cast: Cast) -> None:
    answer = tus.create(5, cast.album, **{"Tus-Resumable": "0.2.2"})
    assert answer.status_code == 412
    assert answer.headers["Tus-Version"] == "1.0.0"


def test_other_bodies_than_bytes_are_refused(tus: TusClient, cast: Cast) -> None:
    address = tus.create(5, cast.album).headers["Location"]
    assert tus.patch(address, 0, b"12345", **{"Content-Type": "application/json"}).status_code == 415


@pytest.mark.parametrize("length", ["", "-1", "1.5", "x", "9" * 30])
def test_length_that_is_no_number_is_refused(tus: TusClient, cast: Cast, length: str) -> None:
    assert tus.create(0, cast.album, **{"Upload-Length": length}).status_code == 400


@pytest.mark.parametrize("metadata", ["album_id", "album_id %%%", "", "filename b25l", "album_id Li4v"])
def test_metadata_without_a_usable_album_is_refused(tus: TusClient, cast: Cast, metadata: str) -> None:
    assert tus.create(5, cast.album, **{"Upload-Metadata": metadata}).status_code == 400


def test_more_bytes_than_announced_are_refused(tus: TusClient, cast: Cast) -> None:
    address = tus.create(5, cast.album).headers["Location"]
    assert tus.patch(address, 0, b"123456").status_code == 413
    assert tus.head(address).headers["Upload-Offset"] == "0"


def test_delete_removes_bytes_and_the_address_is_gone(tus: TusClient, cast: Cast, media: Path) -> None:
    address = tus.create(len(BODY), cast.album).headers["Location"]
    tus.patch(address, 0, BODY[:100])
    assert tus.delete(address).status_code == 204
    assert stored_files(media) == []
    assert tus.head(address).status_code == 410
    assert tus.patch(address, 100, BODY[100:]).status_code == 410


def test_expired_upload_is_gone(tus: TusClient, cast: Cast, app: Flask) -> None:
    address = tus.create(len(BODY), cast.album).headers["Location"]
    with app.app_context():
        db.session.execute(db.update(Upload).values(expires_at=utc_now() - timedelta(seconds=1)))
        db.session.commit()
    assert tus.head(address).status_code == 410


def test_strangers_and_other_users_find_nothing(
    tus: TusClient, charlie: FlaskClient, client: FlaskClient, cast: Cast
) -> None:
    address = tus.create(len(BODY), cast.album).headers["Location"]
    assert TusClient(charlie).head(address).status_code == 404
    assert TusClient(charlie).patch(address, 0, BODY).status_code == 404
    assert TusClient(charlie).delete(address).status_code == 404
    assert TusClient(charlie).create(5, cast.album).status_code == 404
    assert TusClient(client).create(5, cast.album).status_code == 401
    assert tus.head(address).headers["Upload-Offset"] == "0"


def test_other_sites_page_can_not_upload(tus: TusClient, cast: Cast) -> None:
    assert tus.create(5, cast.album, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_method_override_is_understood(tus: TusClient, cast: Cast, app: Flask) -> None:
    path = tus.create(5, cast.album).headers["Location"].removeprefix("http://localhost")
    headers = {
        "Tus-Resumable": "1.0.0",
        "X-HTTP-Method-Override": "PATCH",
        "Upload-Offset": "0",
        "Content-Type": "application/offset+octet-stream",
    }
    assert tus.client.post(path, data=b"12345", headers=headers).status_code == 204
    assert only_upload(app).state == "received"


def test_complete_upload_answers_a_client_that_missed_the_answer(tus: TusClient, cast: Cast) -> None:
    address = tus.send(BODY, cast.album)
    assert tus.head(address).headers["Upload-Offset"] == str(len(BODY))
    assert tus.patch(address, len(BODY), b"").status_code == 204
    assert tus.patch(address, 0, b"x").status_code == 409


def test_too_large_a_file_is_refused_with_the_limit_in_words(tus: TusClient, cast: Cast, app: Flask) -> None:
    app.config["UPLOAD_MAX_BYTES"] = 1000
    answer = tus.create(1001, cast.album)
    assert answer.status_code == 413
    assert "at most 1 kB" in answer.json["error"]  # type: ignore[index]


def test_open_uploads_count_against_the_quota(tus: TusClient, cast: Cast, app: Flask) -> None:
    app.config["USER_QUOTA_BYTES"] = 1000
    first = tus.create(700, cast.album)
    answer = tus.create(700, cast.album)
    assert answer.status_code == 413
    assert "300 B left" in answer.json["error"]  # type: ignore[index]
    tus.delete(first.headers["Location"])
    assert tus.create(700, cast.album).status_code == 201


def test_disk_without_room_is_507_in_words(tus: TusClient, cast: Cast, app: Flask) -> None:
    kept = app.extensions["store"]
    app.extensions["store"] = type(kept)(kept.root, 2**60)
    answer = tus.create(700, cast.album)
    assert answer.status_code == 507
    assert "disk" in answer.json["error"]  # type: ignore[index]


def test_disk_that_fills_midway_keeps_what_came(tus: TusClient, cast: Cast, app: Flask) -> None:
    address = tus.create(len(BODY), cast.album).headers["Location"]
    tus.patch(address, 0, BODY[:100])
    kept = app.extensions["store"]
    app.extensions["store"] = type(kept)(kept.root, 2**60)
    answer = tus.patch(address, 100, BODY[100:])
    assert answer.status_code == 507
    assert "kept" in answer.json["error"]  # type: ignore[index]
    app.extensions["store"] = kept
    assert tus.head(address).headers["Upload-Offset"] == "100"
    assert tus.patch(address, 100, BODY[100:]).status_code == 204
