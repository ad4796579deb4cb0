from __future__ import annotations

import io
import os
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import select

from musicapp.catalog import queries, services
from musicapp.catalog.models import Album, Artist, Artwork, Track
from musicapp.catalog.tasks import purge
from musicapp.core.db import db, utc_now
from musicapp.core.storage import store
from musicapp.jobs import runner
from musicapp.jobs.models import Job
from tests.catalog.conftest import House
from tests.servers import REPOSITORY

pytestmark = pytest.mark.one_database

SAMPLES = Path(os.environ.get("MUSICAPP_SAMPLES", REPOSITORY.parent / "shared" / "samples")) / "images"


def picture(format_name: str = "PNG", size: tuple[int, int] = (800, 600), color: str = "#c03020") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, format_name)
    return out.getvalue()


def send_cover(house: House, content: bytes) -> None:
    response = house.browser(house.alice).post(
        f"/studio/albums/{house.album}",
        data={"title": "Winter", "kind": "album", "cover": (io.BytesIO(content), "../../cover.png")},
        content_type="multipart/form-data",
    )
    assert response.status_code == 303


def work(app: Flask, kind: str = "make_album_cover") -> Job:
    """Does the waiting job as a worker would, and gives back its row."""
    with app.app_context():
        job_id = runner.run_next(kind)
        assert job_id is not None
    with app.app_context():
        return db.session.get_one(Job, job_id)


def files_in_store(app: Flask) -> list[str]:
    with app.app_context():
        root = store().root
        return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
def test_cover_is_drawn_in_all_sizes_by_a_job(house: House, format_name: str) -> None:
    send_cover(house, picture(format_name))
    alice = house.browser(house.alice)
    assert "being prepared" in alice.get(f"/studio/albums/{house.album}").text
    assert work(house.app).state == "succeeded"
    with house.app.app_context():
        artwork = db.session.scalars(select(Artwork)).one()
        assert (artwork.width, artwork.height) == (800, 600)
        assert artwork.sizes == [96, 320, 640, 1200]
        assert artwork.original_key is not None
        assert store().path(artwork.original_key).exists()
        assert db.session.get_one(Album, house.album).cover_id == artwork.id
    for suffix, mime in (("webp", "image/webp"), ("jpg", "image/jpeg")):
        response = alice.get(f"/artwork/{artwork.id}/320.{suffix}")
        assert (response.status_code, response.mimetype) == (200, mime)
        assert Image.open(io.BytesIO(response.data)).size == (320, 240)
    text = alice.get(f"/studio/albums/{house.album}").text
    assert "being prepared" not in text
    assert f"/artwork/{artwork.id}/320.webp" in text


def test_cover_of_a_draft_is_for_members_only(house: House) -> None:
    send_cover(house, picture())
    work(house.app)
    stranger, charlie, alice = house.app.test_client(), house.browser(house.charlie), house.browser(house.alice)
    address = "/artwork/1/96.webp"
    assert [browser.get(address).status_code for browser in (stranger, charlie, alice)] == [404, 404, 200]
    assert alice.get(address).headers["Cache-Control"].startswith("private")
    house.add_track()
    house.publish()
    response = stranger.get(address)
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert stranger.get(address, headers={"If-None-Match": response.headers["ETag"]}).status_code == 304
    assert stranger.get("/artwork/1/97.webp").status_code == 404
    assert stranger.get("/artwork/1/96.png").status_code == 404


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples folder is not here")
@pytest.mark.parametrize("name", ["bomb_30000x30000.png", "truncated.jpg", "tiff_640x628.tiff"])
def test_samples_that_must_be_refused_fail_with_words(house: House, name: str) -> None:
    _refused(house, (SAMPLES / name).read_bytes())


@pytest.mark.skipif(not SAMPLES.exists(), reason="the samples folder is not here")
@pytest.mark.parametrize(
    "name",
    [
        "cover_1024.jpg",
        "gif_640x628.gif",
        "jpeg_640x628.jpg",
        "picture.avif",
        "png_640x628.png",
        "png_640x628_plte.png",
    ],
)
def test_real_covers_are_drawn(house: House, name: str) -> None:
    send_cover(house, (SAMPLES / name).read_bytes())
    assert work(house.app).state == "succeeded"


def test_bomb_is_refused_before_it_is_unpacked(house: House) -> None:
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    words = _refused(house, bomb.getvalue())
    assert "million pixels" in words


def test_cut_off_picture_is_refused(house: House) -> None:
    whole = io.BytesIO()
    Image.effect_noise((600, 600), 80).save(whole, "JPEG")
    _refused(house, whole.getvalue()[: len(whole.getvalue()) // 2])


def _refused(house: House, content: bytes) -> str:
    """The job fails in words that the page shows; the album stays, and nothing is left in the store."""
    with house.app.app_context():
        stream = io.BytesIO(content)
        key = services.keep_picture(stream, ".png")
        services.ask_for_album_cover(house.album, key, owner_id=house.alice)
        db.session.commit()
    job = work(house.app)
    assert job.state == "failed"
    assert job.error
    text = house.browser(house.alice).get(f"/studio/albums/{house.album}").text
    assert job.error.split(".")[0] in text.replace("&#39;", "'")
    with house.app.app_context():
        assert queries.album_page(house.album) is not None
        assert db.session.get_one(Album, house.album).cover_id is None
    assert files_in_store(house.app) == []
    return job.error


def test_embedded_cover_does_not_replace_a_chosen_one(house: House) -> None:
    send_cover(house, picture())
    work(house.app)
    with house.app.app_context():
        key = services.keep_picture(io.BytesIO(picture(color="#0000ff")), ".png")
        services.ask_for_album_cover(house.album, key, owner_id=house.alice, only_if_none=True)
        db.session.commit()
    assert work(house.app).state == "succeeded"
    with house.app.app_context():
        assert db.session.get_one(Album, house.album).cover_id == 1
        assert not store().path(key).exists()


def test_artist_gets_a_picture(house: House) -> None:
    house.browser(house.alice).post(
        f"/studio/artists/{house.artist}",
        data={"name": "The Auroras", "picture": (io.BytesIO(picture("JPEG")), "me.jpg")},
        content_type="multipart/form-data",
    )
    assert work(house.app, "make_artist_picture").state == "succeeded"
    with house.app.app_context():
        picture_id = db.session.get_one(Artist, house.artist).picture_id
    assert house.app.test_client().get(f"/artwork/{picture_id}/96.jpg").status_code == 200


def test_pictures_of_a_site_without_public_listening_are_for_its_people(house: House) -> None:
    send_cover(house, picture())
    work(house.app)
    house.add_track()
    house.publish()
    stranger, bob = house.app.test_client(), house.browser(house.bob)
    assert stranger.get("/artwork/1/96.webp").headers["Cache-Control"].startswith("public")
    house.app.config["PUBLIC_LISTENING"] = False
    assert stranger.get("/artwork/1/96.webp").status_code == 404
    assert bob.get("/artwork/1/96.webp").headers["Cache-Control"].startswith("private")


def test_cover_can_be_taken_away(house: House) -> None:
    send_cover(house, picture())
    work(house.app)
    house.browser(house.alice).post(
        f"/studio/albums/{house.album}", data={"title": "Winter", "kind": "album", "remove_cover": "1"}
    )
    with house.app.app_context():
        assert db.session.get_one(Album, house.album).cover_id is None


def test_replaced_cover_and_long_deleted_album_are_purged(house: House) -> None:
    send_cover(house, picture())
    work(house.app)
    send_cover(house, picture(color="#00ff00"))
    work(house.app)
    old = utc_now() - timedelta(days=31)
    with house.app.app_context():
        gone = services.create_album(artist_id=house.artist, user_id=house.alice, title="Gone")
        fresh = services.create_album(artist_id=house.artist, user_id=house.alice, title="Fresh")
        db.session.commit()
        track = house.add_track(album_id=gone)
        db.session.get_one(Album, gone).deleted_at = old
        db.session.get_one(Album, fresh).deleted_at = utc_now()
        db.session.get_one(Artwork, 1).created_at = old
        db.session.get_one(Artwork, 2).created_at = old
        kept = db.session.get_one(Artwork, 2)
        kept_files = {f"{kept.key}-{size}.{suffix}" for size in kept.sizes for suffix in ("webp", "jpg")}
        kept_files.add(str(kept.original_key))
        db.session.commit()
        assert purge() == {"rows": 1, "pictures": 2}
        assert db.session.get(Album, gone) is None
        assert db.session.get(Track, track) is None
        assert db.session.get(Album, fresh) is not None
        assert [artwork.id for artwork in db.session.scalars(select(Artwork))] == [2]
    assert set(files_in_store(house.app)) == kept_files
