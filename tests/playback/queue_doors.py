"""What the play queue's tests do through its doors."""

from __future__ import annotations

from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import insert

from musicapp.catalog.models import Track
from musicapp.core.db import db, utc_now
from tests.playback.conftest import House

LAPTOP, PHONE = "laptop-1", "phone-2"
JSON = {"Accept": "application/json"}
FIREFOX = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}


def add_songs(house: House, count: int) -> list[int]:
    with house.app.app_context():
        rows = [
            {"album_id": house.album, "title": f"Song {at}", "sort_title": f"song {at}", "position": 100 + at}
            | {"duration_ms": 200_000, "ready_at": utc_now(), "created_at": utc_now()}
            for at in range(count)
        ]
        ids = list(db.session.scalars(insert(Track).returning(Track.id), rows))
        db.session.commit()
    return sorted(ids)


def post(client: FlaskClient, door: str, status: int = 200, **fields: Any) -> dict[str, Any]:
    response = client.post(f"/queue/{door}", data=fields, headers=JSON | FIREFOX)
    assert response.status_code == status, response.text
    answer: dict[str, Any] = response.get_json()
    return answer


def whole(client: FlaskClient) -> dict[str, Any]:
    answer: dict[str, Any] = client.get("/queue.json", headers=JSON).get_json()
    return answer


def playing(client: FlaskClient) -> list[int]:
    """The tracks in playing order."""
    return [track_id for _, track_id, _ in whole(client)["order"]]


def replace(client: FlaskClient, tracks: list[int], **fields: Any) -> list[int]:
    added: list[int] = post(client, "replace", track_id=tracks, **fields)["added"]
    return added
