"""What the studio's album page says of uploads, and what can be done about them there."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from musicapp.catalog import services as catalog
from musicapp.catalog.models import Track
from musicapp.core.db import db, utc_now
from musicapp.jobs import runner
from musicapp.jobs.models import Job
from musicapp.live.frames import Partial
from musicapp.live.registry import Rendered
from musicapp.uploads import fragments, services, sweep, tasks
from musicapp.uploads.models import Upload
from musicapp.uploads.rows import Stage, UploadRow, album_uploads
from tests.uploads.conftest import (
    Cast,
    TusClient,
    accept,
    copy_of,
    only_upload,
    path_of,
    rows,
    stored_files,
    work,
)

pytestmark = pytest.mark.one_database


def shown(app: Flask, cast: Cast) -> list[UploadRow]:
    with app.app_context():
        return album_uploads(cast.album)


def rendered(app: Flask, upload_id: int) -> Rendered:
    with app.test_request_context("/live"):
        return fragments.render_upload(upload_id)


def test_waiting_file_shows_its_place_in_the_queue(app: Flask, cast: Cast, tone_mp3: Path, tmp_path: Path) -> None:
    ids = [accept(app, cast, copy_of(tone_mp3, tmp_path), f"{number}.mp3") for number in (1, 2)]
    assert [row.words for row in shown(app, cast)] == [f"Waiting, place {place} in the queue" for place in (1, 2)]
    html = rendered(app, ids[1])
    assert isinstance(html, str)
    assert f'id="upload-{ids[1]}"' in html
    assert "place 2 in the queue" in html
    assert "Cancel" in html
    assert "Try again" not in html


def test_running_job_shows_step_percent_and_attempt(app: Flask, cast: Cast, tone_mp3: Path, tmp_path: Path) -> None:
    upload_id = accept(app, cast, copy_of(tone_mp3, tmp_path))
    work(app, "probe_upload")
    [job] = [job for job in rows(app, Job) if job.kind == "encode_track"]
    with app.app_context():
        db.session.execute(
            db.update(Job)
            .where(Job.id == job.id)
            .values(state="running", step="Encoding", attempts=2, started_at=utc_now())
        )
        db.session.commit()
    redis: Redis = app.extensions["redis"]
    redis.hset(f"job:{job.id}", mapping={"percent": 42, "detail": "31×"})
    html = rendered(app, upload_id)
    assert isinstance(html, str)
    for words in ("Encoding", "42 %", "31×", "Attempt 2 of 3", 'value="42"'):
        assert words in html
    assert "style=" not in html


def test_finished_file_leaves_the_list(app: Flask, cast: Cast, tone_mp3: Path, tmp_path: Path) -> None:
    upload_id = accept(app, cast, copy_of(tone_mp3, tmp_path))
    work(app)
    assert shown(app, cast) == []
    assert rendered(app, upload_id) == Partial.remove(f"upload-{upload_id}")


def test_refused_file_says_why_until_it_is_dismissed(
    app: Flask, cast: Cast, media: Path, tmp_path: Path, alice: FlaskClient
) -> None:
    (tmp_path / "a.mp3").write_text("no music")
    upload_id = accept(app, cast, tmp_path / "a.mp3")
    work(app)
    [row] = shown(app, cast)
    assert (row.stage, row.can_retry, row.can_dismiss) == (Stage.FAILED, False, True)
    assert "No audio" in row.words
    answer = alice.post(f"/studio/uploads/{upload_id}/dismiss")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/studio/albums/{cast.album}")
    assert shown(app, cast) == []
    assert stored_files(media) == []


def test_cancelled_file_can_be_tried_again_or_dismissed_with_its_bytes(
    app: Flask, cast: Cast, media: Path, tone_mp3: Path, tmp_path: Path, alice: FlaskClient
) -> None:
    upload_id = accept(app, cast, copy_of(tone_mp3, tmp_path))
    assert alice.post(f"/studio/uploads/{upload_id}/cancel", headers={"HX-Request": "true"}).status_code == 204
    [row] = shown(app, cast)
    assert (row.stage, row.can_retry, row.can_cancel) == (Stage.CANCELLED, True, False)
    alice.post(f"/studio/uploads/{upload_id}/retry")
    assert [row.stage for row in shown(app, cast)] == [Stage.WAITING]
    alice.post(f"/studio/uploads/{upload_id}/dismiss")
    assert len(shown(app, cast)) == 1  # what is under way is cancelled first
    alice.post(f"/studio/uploads/{upload_id}/cancel")
    alice.post(f"/studio/uploads/{upload_id}/dismiss")
    assert rows(app, Upload) == []
    assert stored_files(media) == []


def test_file_after_a_dismissed_one_is_looked_at(
    app: Flask, cast: Cast, media: Path, tone_mp3: Path, tmp_path: Path, alice: FlaskClient
) -> None:
    first = accept(app, cast, copy_of(tone_mp3, tmp_path))
    alice.post(f"/studio/uploads/{first}/cancel")
    alice.post(f"/studio/uploads/{first}/dismiss")
    accept(app, cast, copy_of(tone_mp3, tmp_path))
    work(app, "probe_upload")
    assert len(rows(app, Track)) == 1


def test_dismissing_a_cancelled_encoding_keeps_the_track(
    app: Flask, cast: Cast, media: Path, tone_mp3: Path, tmp_path: Path, alice: FlaskClient
) -> None:
    upload_id = accept(app, cast, copy_of(tone_mp3, tmp_path))
    work(app, "probe_upload")
    alice.post(f"/studio/uploads/{upload_id}/cancel")
    assert "plays from the original" in shown(app, cast)[0].words
    alice.post(f"/studio/uploads/{upload_id}/dismiss")
    assert len(rows(app, Track)) == 1
    assert stored_files(media) == ["originals"]


def test_interrupted_upload_says_how_to_go_on(
    app: Flask, cast: Cast, media: Path, tus: TusClient, alice: FlaskClient
) -> None:
    address = tus.create(1000, cast.album).headers["Location"]
    tus.patch(address, 0, bytes(400))
    assert shown(app, cast) == []  # the page that sends it shows it
    upload = only_upload(app)
    minutes_ago = time.time() - 120
    os.utime(path_of(app, upload), (minutes_ago, minutes_ago))
    [row] = shown(app, cast)
    assert (row.stage, row.percent) == (Stage.INTERRUPTED, 40)
    assert "same file again" in row.words
    alice.post(f"/studio/uploads/{upload.id}/cancel")
    assert tus.head(address).status_code == 410
    assert shown(app, cast) == []
    assert stored_files(media) == []


@pytest.mark.parametrize("act", ["cancel", "retry", "dismiss"])
def test_strangers_can_do_nothing_about_an_upload(
    app: Flask, cast: Cast, tone_mp3: Path, tmp_path: Path, charlie: FlaskClient, act: str
) -> None:
    upload_id = accept(app, cast, copy_of(tone_mp3, tmp_path))
    assert charlie.post(f"/studio/uploads/{upload_id}/{act}").status_code == 404
    assert [row.stage for row in shown(app, cast)] == [Stage.WAITING]


@pytest.mark.parametrize("number", ["2147483648", "99999999999999999999"])
def test_upload_of_a_number_beyond_all_ids_is_nobodys(alice: FlaskClient, number: str) -> None:
    assert alice.post(f"/studio/uploads/{number}/cancel").status_code == 404
    assert alice.post(f"/albums/{number}/uploads").status_code == 404


def test_deleted_tracks_upload_is_not_listed(app: Flask, cast: Cast, tone_mp3: Path, tmp_path: Path) -> None:
    accept(app, cast, copy_of(tone_mp3, tmp_path))
    work(app, "probe_upload")
    with app.app_context():
        catalog.delete_track(rows(app, Track)[0].id)
        db.session.commit()
    assert shown(app, cast) == []


def count_statements(read: Callable[[], object]) -> int:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    db.event.listen(db.engine, "before_cursor_execute", note)
    read()
    db.event.remove(db.engine, "before_cursor_execute", note)
    return len(statements)


def test_list_reads_as_much_for_many_rows_as_for_few(app: Flask, cast: Cast, tone_mp3: Path, tmp_path: Path) -> None:
    counts = []
    for more in (2, 8):
        for _ in range(more):
            accept(app, cast, copy_of(tone_mp3, tmp_path))
        with app.app_context():
            counts.append(count_statements(lambda: album_uploads(cast.album)))
    assert counts[0] == counts[1]


def test_page_of_the_studio_has_the_form_and_the_list(
    app: Flask, cast: Cast, alice: FlaskClient, tone_mp3: Path, tmp_path: Path
) -> None:
    upload_id = accept(app, cast, copy_of(tone_mp3, tmp_path), "Ünë & <b>.mp3")
    html = alice.get(f"/studio/albums/{cast.album}").text
    assert f'action="/albums/{cast.album}/uploads"' in html
    assert "Audio files" in html
    assert f'id="upload-{upload_id}"' in html
    assert "Ünë &amp; &lt;b&gt;.mp3" in html


# ---- The sweep


def aged(path: Path) -> None:
    days_ago = time.time() - 2 * 24 * 3600
    os.utime(path, (days_ago, days_ago))


def test_expired_uploads_go_with_their_bytes_and_say_so(app: Flask, cast: Cast, media: Path, tus: TusClient) -> None:
    tus.patch(tus.create(1000, cast.album).headers["Location"], 0, bytes(400))
    fresh = tus.create(1000, cast.album, "fresh.mp3").headers["Location"]
    with app.app_context():
        first = db.session.scalars(db.select(Upload).order_by(Upload.id)).first()
        assert first
        first.expires_at = utc_now() - timedelta(seconds=1)
        db.session.commit()
        assert tasks.sweep_uploads()["expired"] == 1
    assert stored_files(media) == []
    [row] = shown(app, cast)
    assert "not finished in time" in row.words
    assert tus.head(fresh).status_code == 200


def test_upload_complete_on_disk_is_finished_by_the_sweep(app: Flask, cast: Cast, tus: TusClient) -> None:
    tus.create(400, cast.album)
    path = path_of(app, only_upload(app))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(400))
    with app.app_context():
        assert tasks.sweep_uploads()["finished"] == 1
        assert tasks.sweep_uploads()["finished"] == 0
    assert only_upload(app).state == "received"


def test_cancelled_file_nobody_tries_again_is_removed_in_the_end(
    app: Flask, cast: Cast, media: Path, tone_mp3: Path, tmp_path: Path, alice: FlaskClient
) -> None:
    upload_id = accept(app, cast, copy_of(tone_mp3, tmp_path))
    alice.post(f"/studio/uploads/{upload_id}/cancel")
    with app.app_context():
        assert tasks.sweep_uploads()["abandoned"] == 0
        db.session.execute(db.update(Job).values(finished_at=utc_now() - timedelta(hours=73)))
        db.session.commit()
        assert tasks.sweep_uploads()["abandoned"] == 1
    assert stored_files(media) == []


def test_only_files_that_no_row_names_are_removed(
    app: Flask, cast: Cast, media: Path, tus: TusClient, tmp_path: Path
) -> None:
    tone, cover = make_tone_with_cover(tmp_path)
    accept(app, cast, cover)
    work(app)
    tus.send(tone.read_bytes(), cast.album)
    before = {path for path in media.rglob("*") if path.is_file()}
    orphans = [
        media / "originals/00/orphan",
        media / "renditions/7/00/orphan.opus",
        media / "pictures/00/orphan.png",
        media / "artworks/00/orphan-320.webp",
        media / "avatar-sources/00/orphan",
        media / "avatars/00/orphan-96.webp",
    ]
    assert any(path.is_relative_to(media / "artworks") for path in before)
    young = media / "originals/00/young"
    for path in (*orphans, young):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    for path in (*before, *orphans):
        aged(path)
    with app.app_context():
        assert sweep.remove_orphans() == len(orphans)
    assert {path for path in media.rglob("*") if path.is_file()} == {*before, young}


def make_tone_with_cover(tmp_path: Path) -> tuple[Path, Path]:
    from tests.audio import make

    tone = make.tone(tmp_path / "tone.mp3")
    return tone, make.with_cover(tone, make.picture(tmp_path / "cover.png"), tmp_path / "with.mp3")


def test_scratch_folders_of_dead_workers_are_removed(app: Flask, media: Path) -> None:
    old, fresh = media / "scratch/old", media / "scratch/fresh"
    for folder in (old, fresh):
        folder.mkdir(parents=True)
    aged(old)
    with app.app_context():
        assert sweep.remove_scratch_folders() == 1
    assert fresh.is_dir()
    fresh.rmdir()


def test_everybody_who_waits_hears_that_the_queue_moved(app: Flask, cast: Cast, tone_mp3: Path, tmp_path: Path) -> None:
    accept(app, cast, copy_of(tone_mp3, tmp_path))
    with app.app_context():
        services.accept_upload(
            user_id=cast.bob, album_id=cast.bobs_album, filename="b.mp3", file=copy_of(tone_mp3, tmp_path)
        )
        db.session.commit()
    with Redis.from_url(app.config["REDIS_URL"]) as listener, listener.pubsub() as pubsub:
        pubsub.psubscribe("*")
        with app.app_context():
            runner.run_next("probe_upload")
        heard = b""
        while (message := pubsub.get_message(timeout=0.5)) is not None:
            heard += message["data"] if isinstance(message["data"], bytes) else b""
    assert f"studio-{cast.album}".encode() in heard
    assert f"studio-{cast.bobs_album}".encode() in heard
