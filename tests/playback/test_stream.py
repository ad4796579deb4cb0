from __future__ import annotations

import logging
from http.client import HTTPConnection
from threading import Thread

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from musicapp.catalog.models import Album, Rendition, Track
from musicapp.core.db import db
from musicapp.core.storage import store
from musicapp.playback.sending import PIECE_BYTES, Pieces
from tests.playback.conftest import House, content

pytestmark = pytest.mark.one_database

IN_CHROME = {"Accept": "*/*", "User-Agent": "Mozilla/5.0 Chrome/156.0.0.0 Safari/537.36"}


def test_a_published_track_streams_to_a_stranger(house: House, client: FlaskClient) -> None:
    response = client.get(f"/tracks/{house.ready}/stream", headers=IN_CHROME)
    assert response.status_code == 200
    assert response.data == content("Ready-opus_128")
    headers = response.headers
    assert headers["Content-Type"] == "audio/ogg"
    assert headers["Content-Length"] == "300000"
    assert headers["Accept-Ranges"] == "bytes"
    assert headers["Last-Modified"] == "Sun, 01 Mar 2026 12:00:00 GMT"
    assert headers["Cache-Control"] == "private, max-age=3600"
    assert headers["Content-Disposition"] == 'inline; filename="Ready.opus"'
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert {"Accept", "User-Agent"} <= set(response.vary)
    assert headers["ETag"].startswith('"')


@pytest.mark.parametrize(
    ("quality", "name"),
    [("low", "opus_64"), ("normal", "opus_128"), ("high", "mp3_256"), ("original", "original")],
)
def test_quality_is_chosen_by_the_address(house: House, client: FlaskClient, quality: str, name: str) -> None:
    response = client.get(f"/tracks/{house.ready}/stream?quality={quality}", headers=IN_CHROME)
    assert response.data == content(f"Ready-{name}")


def test_a_player_says_what_it_can_play(house: House, client: FlaskClient) -> None:
    response = client.get(f"/tracks/{house.ready}/stream?formats=mp3", headers=IN_CHROME)
    assert (response.data, response.content_type) == (content("Ready-mp3_256"), "audio/mpeg")
    response = client.get(f"/tracks/{house.ready}/stream?formats=wav", headers=IN_CHROME)
    assert response.status_code == 406
    assert "mp3" in response.text


def test_an_unknown_quality_is_refused_in_words(house: House, client: FlaskClient) -> None:
    response = client.get(f"/tracks/{house.ready}/stream?quality=best")
    assert response.status_code == 400
    assert "low, normal, high, original" in response.text


def test_a_track_plays_from_its_original_until_renditions_are_made(house: House, client: FlaskClient) -> None:
    response = client.get(f"/tracks/{house.fresh}/stream?quality=low", headers=IN_CHROME)
    assert response.data == content("Fresh-original")
    # Not kept: tomorrow the same address is a rendition.
    assert response.headers["Cache-Control"] == "private, no-cache"


def test_bytes_as_uploaded_can_never_become_a_page(house: House, client: FlaskClient) -> None:
    response = client.get(f"/tracks/{house.ready}/stream?quality=original", headers=IN_CHROME)
    assert response.headers["Content-Security-Policy"] == "sandbox"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Content-Disposition"].startswith("inline")


def test_a_track_that_nothing_can_play_yet_is_still_being_prepared(house: House, client: FlaskClient) -> None:
    response = client.get(f"/tracks/{house.preparing}/stream", headers=IN_CHROME)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) > 0
    assert "still being prepared" in response.text
    assert response.headers["Cache-Control"] == "no-store"


def test_a_range_is_a_part_of_the_file(house: House, client: FlaskClient) -> None:
    url = f"/tracks/{house.ready}/stream"
    response = client.get(url, headers={**IN_CHROME, "Range": "bytes=100000-165535"})
    assert response.status_code == 206
    assert response.data == content("Ready-opus_128")[100000:165536]
    assert response.headers["Content-Range"] == "bytes 100000-165535/300000"
    assert response.headers["Content-Length"] == "65536"
    response = client.get(url, headers={**IN_CHROME, "Range": "bytes=300000-"})
    assert response.status_code == 416
    assert response.headers["Content-Range"] == "bytes */300000"


def test_several_ranges_at_once_get_the_whole(house: House, client: FlaskClient) -> None:
    response = client.get(f"/tracks/{house.ready}/stream", headers={**IN_CHROME, "Range": "bytes=0-1,5-6"})
    assert (response.status_code, len(response.data)) == (200, 300_000)


def test_head_tells_what_get_would_send(house: House, client: FlaskClient) -> None:
    url = f"/tracks/{house.ready}/stream"
    got, asked = client.get(url, headers=IN_CHROME), client.head(url, headers=IN_CHROME)
    assert (asked.status_code, asked.data) == (200, b"")
    for name in ("Content-Length", "Content-Type", "ETag", "Last-Modified", "Accept-Ranges", "Cache-Control"):
        assert asked.headers[name] == got.headers[name]


def test_an_unchanged_file_is_not_sent_again(house: House, client: FlaskClient) -> None:
    url = f"/tracks/{house.ready}/stream"
    first = client.get(url, headers=IN_CHROME)
    again = client.get(url, headers={**IN_CHROME, "If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    assert again.headers["Cache-Control"] == first.headers["Cache-Control"]
    since = client.get(url, headers={**IN_CHROME, "If-Modified-Since": first.headers["Last-Modified"]})
    assert since.status_code == 304


def test_every_file_of_a_track_has_its_own_etag(house: House, client: FlaskClient) -> None:
    etags = {
        client.head(f"/tracks/{house.ready}/stream?quality={quality}", headers=IN_CHROME).headers["ETag"]
        for quality in ("low", "normal", "high", "original")
    }
    assert len(etags) == 4


def test_a_player_goes_on_with_the_file_it_began_with(house: House, client: FlaskClient) -> None:
    url = f"/tracks/{house.fresh}/stream"
    began = client.get(url, headers={**IN_CHROME, "Range": "bytes=0-99999"})
    with house.app.app_context():
        key = store().new_key("renditions")
        store().path(key).write_bytes(content("late"))
        rendition = Rendition(track_id=house.fresh, profile="opus_128", key=key, codec="opus", mime="audio/ogg")
        rendition.bitrate_kbps, rendition.size_bytes, rendition.duration_ms = 128, 300_000, 200_000
        db.session.add(rendition)
        db.session.commit()
    assert client.get(url, headers=IN_CHROME).data == content("late")
    goes_on = {**IN_CHROME, "Range": "bytes=100000-", "If-Range": began.headers["ETag"]}
    rest = client.get(url, headers=goes_on)
    assert rest.status_code == 206
    assert began.data + rest.data == content("Fresh-original")


def test_a_lost_file_does_not_silence_a_track(
    house: House, client: FlaskClient, caplog: pytest.LogCaptureFixture
) -> None:
    with house.app.app_context():
        key = db.session.scalars(db.select(Rendition.key).filter_by(track_id=house.ready, profile="opus_128")).one()
        store().delete(key)
    with caplog.at_level(logging.ERROR):
        response = client.get(f"/tracks/{house.ready}/stream", headers=IN_CHROME)
    assert response.data == content("Ready-opus_64")
    assert key in caplog.text


@pytest.mark.parametrize("what", ["stream", "waveform", "preview"])
def test_a_draft_is_heard_by_members_only(house: House, client: FlaskClient, what: str) -> None:
    url = f"/tracks/{house.draft}/{what}"
    assert client.get(url).status_code == 404
    assert house.signed_in(house.bob).get(url).status_code == 404
    response = house.signed_in(house.alice).get(url)
    assert response.status_code == 200
    assert (response.headers["Cache-Control"], len(response.data) > 0) == ("private, no-cache", True)


@pytest.mark.parametrize("what", ["stream", "waveform", "preview"])
def test_listening_needs_an_account_where_the_site_says_so(house: House, client: FlaskClient, what: str) -> None:
    house.app.config["PUBLIC_LISTENING"] = False
    for track_id in (house.ready, house.draft, 999_999):
        response = client.get(f"/tracks/{track_id}/{what}")
        assert response.status_code == 401
        assert "Log in" in response.text
    assert house.signed_in(house.bob).get(f"/tracks/{house.ready}/{what}").data


def test_what_is_deleted_or_never_was_is_not_there(house: House, client: FlaskClient) -> None:
    with house.app.app_context():
        db.session.get_one(Track, house.fresh).deleted_at = db.session.get_one(Track, house.fresh).created_at
        db.session.commit()
    for track_id in (house.fresh, 999_999, 2147483648, 10**30):
        assert client.get(f"/tracks/{track_id}/stream").status_code == 404
    with house.app.app_context():
        album = db.session.get_one(Album, house.album)
        album.deleted_at = album.created_at
        db.session.commit()
    assert client.get(f"/tracks/{house.ready}/stream").status_code == 404
    assert house.signed_in(house.alice).get(f"/tracks/{house.ready}/stream").status_code == 404


def test_nginx_sends_the_bytes_where_the_setting_says_so(house: House, client: FlaskClient) -> None:
    house.app.config["USE_X_ACCEL_REDIRECT"] = True
    response = client.get(f"/tracks/{house.ready}/stream", headers={**IN_CHROME, "Range": "bytes=0-9"})
    assert (response.status_code, response.data) == (200, b"")
    key = response.headers["X-Accel-Redirect"].removeprefix("/_media/")
    with house.app.app_context():
        assert store().path(key).read_bytes() == content("Ready-opus_128")
    assert response.headers["Content-Type"] == "audio/ogg"
    assert response.headers["Cache-Control"] == "private, max-age=3600"
    assert client.get(f"/tracks/{house.draft}/stream").status_code == 404


def test_behind_nginx_a_player_goes_on_with_the_file_it_began_with(house: House, client: FlaskClient) -> None:
    house.app.config["USE_X_ACCEL_REDIRECT"] = True
    with house.app.app_context():
        path = store().path(db.session.get_one(Track, house.ready).original.key)  # type: ignore[union-attr]
        path.write_bytes(path.read_bytes() + b"1234567")
        etag_of_nginx = f'"{int(path.stat().st_mtime):x}-{path.stat().st_size:x}"'
    began = client.get(f"/tracks/{house.ready}/stream", headers={**IN_CHROME, "If-Range": etag_of_nginx})
    with house.app.app_context():
        assert store().path(began.headers["X-Accel-Redirect"].removeprefix("/_media/")) == path


@pytest.mark.parametrize(
    ("title", "disposition"),
    [
        ("Plain", 'inline; filename="Plain.mp3"'),
        ('../a"b\r\nX: y', 'inline; filename="_a_b__X_ y.mp3"'),
        ("Ænima été", "inline; filename=\"nima ete.mp3\"; filename*=UTF-8''%C3%86nima%20%C3%A9t%C3%A9.mp3"),
        ("音楽", "inline; filename=\"track.mp3\"; filename*=UTF-8''%E9%9F%B3%E6%A5%BD.mp3"),
        ("...", 'inline; filename="track.mp3"'),
    ],
)
def test_a_title_makes_a_safe_file_name(house: House, client: FlaskClient, title: str, disposition: str) -> None:
    with house.app.app_context():
        db.session.get_one(Track, house.fresh).title = title
        db.session.commit()
    assert client.head(f"/tracks/{house.fresh}/stream").headers["Content-Disposition"] == disposition


def test_waveform_and_preview_come_with_their_types(house: House, client: FlaskClient) -> None:
    waveform = client.get(f"/tracks/{house.ready}/waveform")
    assert (waveform.data, waveform.content_type) == (content("Ready-waveform", 100), "application/json")
    assert "immutable" in waveform.headers["Cache-Control"]
    again = client.get(f"/tracks/{house.ready}/waveform", headers={"If-None-Match": waveform.headers["ETag"]})
    assert again.status_code == 304
    preview = client.get(f"/tracks/{house.ready}/preview")
    assert (preview.data, preview.content_type) == (content("Ready-preview", 1000), "audio/mpeg")
    for what in ("waveform", "preview"):
        missing = client.get(f"/tracks/{house.fresh}/{what}")
        assert missing.status_code == 404
        assert missing.headers["Cache-Control"] == "no-store"


def test_no_database_connection_is_held_while_bytes_go_out(house: House, app: Flask) -> None:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    connections = [HTTPConnection("127.0.0.1", server.port, timeout=10) for _ in range(12)]
    try:
        responses = []
        for connection in connections:
            connection.request("GET", f"/tracks/{house.ready}/stream", headers=IN_CHROME)
            responses.append(connection.getresponse())
        assert [response.read(10) for response in responses] == [content("Ready-opus_128")[:10]] * 12
        with app.app_context():
            assert db.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
        assert all(len(response.read()) == 299_990 for response in responses)
    finally:
        for connection in connections:
            connection.close()
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_stream_takes_one_query_and_one_more_for_a_draft(house: House, client: FlaskClient) -> None:
    taken: list[object] = []
    with house.app.app_context():
        db.event.listen(db.engine, "checkout", lambda connection, *_: taken.append(connection))
    client.get(f"/tracks/{house.ready}/stream", headers=IN_CHROME)
    assert len(taken) == 1
    member = house.signed_in(house.alice)
    member.get(f"/tracks/{house.draft}/stream", headers=IN_CHROME)  # who it is, is cached from here on
    taken.clear()
    member.get(f"/tracks/{house.draft}/stream", headers=IN_CHROME)
    assert len(taken) == 2


def test_rights_are_looked_up_for_every_request(house: House, client: FlaskClient) -> None:
    url = f"/tracks/{house.ready}/stream"
    for is_published, status in ((True, 200), (False, 404), (True, 200)):
        with house.app.app_context():
            album = db.session.get_one(Album, house.album)
            album.published_at = album.created_at if is_published else None
            db.session.commit()
        assert client.head(url).status_code == status


def test_a_file_cut_on_disk_ends_the_connection_instead_of_lying(house: House, client: FlaskClient) -> None:
    with house.app.app_context():
        path = store().path(db.session.scalars(db.select(Rendition.key).limit(1)).one())
    file = path.open("rb", buffering=0)
    pieces = Pieces(file, 0, path.stat().st_size + PIECE_BYTES)
    with pytest.raises(OSError, match="the stored file ends at byte 300000"):
        list(pieces)
    pieces.close()
    assert file.closed
