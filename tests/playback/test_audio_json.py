from __future__ import annotations

import pytest
from flask.testing import FlaskClient
from sqlalchemy import update

from musicapp.catalog.models import Original, Rendition
from musicapp.core.db import db
from tests.playback.conftest import House

pytestmark = pytest.mark.one_database

IN_CHROME = {"Accept": "*/*", "User-Agent": "Mozilla/5.0 Chrome/156.0.0.0 Safari/537.36"}


@pytest.mark.parametrize(
    "asked", ["", "quality=low", "quality=high", "quality=original", "formats=mp3", "formats=opus"]
)
def test_the_facts_are_those_of_the_file_that_the_stream_sends(house: House, client: FlaskClient, asked: str) -> None:
    facts = client.get(f"/tracks/{house.ready}/audio.json?{asked}", headers=IN_CHROME)
    stream = client.head(f"/tracks/{house.ready}/stream?{asked}", headers=IN_CHROME)
    assert facts.status_code == stream.status_code == 200
    assert facts.json is not None
    assert facts.json["mime"] == stream.content_type
    assert facts.json["size_bytes"] == stream.content_length
    assert facts.json["is_original"] == (asked == "quality=original")
    assert facts.headers["Cache-Control"] == stream.headers["Cache-Control"]
    assert set(facts.vary) >= set(stream.vary)


def test_delay_and_padding_are_those_found_when_the_file_came_in(house: House, client: FlaskClient) -> None:
    with house.app.app_context():
        found = {"encoder_delay_samples": 576, "encoder_padding_samples": 1234}
        db.session.execute(
            update(Rendition).where(Rendition.track_id == house.ready, Rendition.codec == "mp3").values(found)
        )
        db.session.execute(
            update(Original)
            .where(Original.track_id == house.fresh)
            .values(encoder_delay_samples=1105, encoder_padding_samples=7)
        )
        db.session.commit()
    assert client.get(f"/tracks/{house.ready}/audio.json?formats=mp3").json == {
        "codec": "mp3",
        "mime": "audio/mpeg",
        "is_original": False,
        "size_bytes": 300_000,
        "bitrate_kbps": 253,
        "duration_ms": 200_000,
        "encoder_delay_samples": 576,
        "encoder_padding_samples": 1234,
    }
    fresh = client.get(f"/tracks/{house.fresh}/audio.json", headers=IN_CHROME).json
    assert fresh is not None
    assert fresh["is_original"]
    assert (fresh["encoder_delay_samples"], fresh["encoder_padding_samples"]) == (1105, 7)
    assert fresh["duration_ms"] == 200_000


def test_who_may_not_hear_a_track_learns_nothing_about_its_files(house: House, client: FlaskClient) -> None:
    assert client.get(f"/tracks/{house.draft}/audio.json").status_code == 404
    assert house.signed_in(house.bob).get(f"/tracks/{house.draft}/audio.json").status_code == 404
    assert house.signed_in(house.alice).get(f"/tracks/{house.draft}/audio.json").status_code == 200
    preparing = client.get(f"/tracks/{house.preparing}/audio.json", headers=IN_CHROME)
    assert (preparing.status_code, preparing.headers["Retry-After"]) == (503, "10")
    assert client.get(f"/tracks/{house.ready}/audio.json?formats=wav").status_code == 406
    house.app.config["PUBLIC_LISTENING"] = False
    assert client.get(f"/tracks/{house.ready}/audio.json").status_code == 401
