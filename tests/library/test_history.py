from __future__ import annotations

import re
from datetime import timedelta

from flask.testing import FlaskClient

from musicapp.catalog import services as catalog
from musicapp.catalog.models import Track
from musicapp.core.db import db, utc_now
from musicapp.library import queries
from musicapp.library.queries import RecentlyPlayed
from musicapp.playback import forgetting
from musicapp.playback.models import ListeningEvent, Play
from musicapp.playback.queries import plays_of_user
from musicapp.playback.tasks import forget_deleted_plays
from musicapp.playlists.models import Playlist
from tests.library.conftest import House, new_album, play, statements

HOUR = timedelta(hours=1)


def play_ids(client: FlaskClient, address: str = "/library/history") -> list[int]:
    return [int(id) for id in re.findall(r'id="play-([0-9]+)"', client.get(address).text)]


def test_history_says_when_where_from_and_on_what(house: House) -> None:
    album, track = new_album(house, "Summer", ("Heat",))
    with house.context():
        playlist = Playlist(
            owner_id=house.bob, name="Mornings", sort_name="Mornings", link_token="x", visibility="public"
        )
        hidden = Playlist(owner_id=house.alice, name="Secret list", sort_name="Secret list", link_token="y")
        db.session.add_all([playlist, hidden])
        db.session.commit()
        mornings, secret = playlist.id, hidden.id
    sources = (f"album-{album}", f"playlist-{mornings}", f"playlist-{secret}", "library-likes", "search", "")
    made = [play(house, house.bob, track, ago=HOUR * n, source=source) for n, source in enumerate(sources)]
    bob = house.browser(house.bob)
    text = bob.get("/library/history").text
    assert play_ids(bob) == made
    assert f'from <a href="/albums/{album}">Summer</a> · Firefox on Linux' in text
    assert f'from <a href="/playlists/{mornings}">Mornings</a>' in text
    assert 'from <a href="/library">your library</a>' in text
    assert "from a playlist" in text
    assert "Secret list" not in text
    assert text.count("Heat</a>") == len(made)


def test_history_shows_days_of_the_readers_zone(house: House) -> None:
    track = house.add_track()
    house.publish()
    for days in (0, 1, 9):
        play(house, house.bob, track, ago=timedelta(days=days))
    text = house.browser(house.bob).get("/library/history").text
    heads = re.findall(r'<h3 id="day-[^"]+">([^<]+)<', text)
    assert heads[:2] == ["Today", "Yesterday"]
    assert str((utc_now() - timedelta(days=9)).year) in heads[2]


def test_nobody_sees_or_deletes_what_another_has_heard(house: House) -> None:
    track = house.add_track()
    house.publish()
    heard = play(house, house.bob, track)
    charlie = house.browser(house.charlie)
    assert play_ids(charlie) == []
    charlie.post(f"/library/history/{heard}/delete")
    charlie.post("/library/history/delete", data={"span": "all"})
    assert play_ids(house.browser(house.bob)) == [heard]


def test_a_hidden_track_has_no_name_in_the_history(house: House) -> None:
    album, track = new_album(house, "Summer", ("Heat",))
    play(house, house.bob, track, source=f"album-{album}", album_id=album)
    with house.context():
        catalog.unpublish_album(album)
        db.session.commit()
    text = house.browser(house.bob).get("/library/history").text
    assert "not here any more" in text
    assert "Heat" not in text
    assert "Summer" not in text


def test_a_deleted_play_stays_counted_and_can_be_put_back(house: House) -> None:
    track = house.add_track()
    house.publish()
    one, two = play(house, house.bob, track, ago=HOUR), play(house, house.bob, track)
    with house.context():
        db.session.get_one(Track, track).play_count = 2
        db.session.commit()
    bob = house.browser(house.bob)
    back = bob.post(f"/library/history/{one}/delete").location
    assert play_ids(bob, back) == [two]
    assert "One play was deleted." in bob.get(back).text
    with house.context():
        assert db.session.get_one(Track, track).play_count == 2
        assert len(plays_of_user(house.bob)) == 1
        db.session.rollback()
    deleted = re.search(r'name="deleted" value="([^"]+)"', bob.get(back).text)
    assert deleted
    bob.post("/library/history/restore", data={"deleted": deleted[1]})
    assert play_ids(bob) == [two, one]
    for none in ("nonsense", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"):
        assert bob.post("/library/history/restore", data={"deleted": none}).status_code == 303


def test_spans_and_days_are_deleted_and_wrong_ones_are_explained(house: House) -> None:
    track = house.add_track()
    house.publish()
    ages = (timedelta(minutes=5), timedelta(hours=5), timedelta(days=5), timedelta(days=15), timedelta(days=100))
    made = [play(house, house.bob, track, ago=age) for age in ages]
    bob = house.browser(house.bob)
    wrong = bob.post("/library/history/delete", data={"span": "days", "first_on": "2026-03-02", "last_on": ""})
    assert wrong.status_code == 422
    assert "Choose both days" in wrong.text
    assert "2026-03-02" in wrong.text
    swapped = {"span": "days", "first_on": "2026-03-02", "last_on": "2026-03-01"}
    assert "Swap them" in bob.post("/library/history/delete", data=swapped).text
    assert bob.post("/library/history/delete", data={}).status_code == 422
    for span, left in (("hour", made[1:]), ("day", made[2:]), ("week", made[3:]), ("month", made[4:])):
        assert bob.post("/library/history/delete", data={"span": span}).status_code == 303
        assert play_ids(bob) == left, span
    day = (utc_now() - ages[-1]).date().isoformat()
    bob.post("/library/history/delete", data={"span": "days", "first_on": day, "last_on": day})
    assert play_ids(bob) == []
    assert "Nothing heard yet" in bob.get("/library/history").text


def test_everything_deleted_leaves_no_reports_but_those_of_what_plays_now(house: House) -> None:
    one, two = house.add_track("One"), house.add_track("Two")
    house.publish()
    with house.context():
        for number, (track_id, ago) in enumerate(((one, HOUR * 30), (two, timedelta(minutes=1)))):
            db.session.add(
                ListeningEvent(
                    event_id=str(number),
                    listener=f"user-{house.bob}",
                    track_id=track_id,
                    kind="play",
                    position_ms=0,
                    at=utc_now() - ago,
                )
            )
        db.session.commit()
    house.browser(house.bob).post("/library/history/delete", data={"span": "all"})
    with house.context():
        assert [event.track_id for event in db.session.query(ListeningEvent)] == [two]


def test_a_day_later_nobody_knows_whose_play_it_was(house: House) -> None:
    track = house.add_track()
    house.publish()
    deleted, kept = play(house, house.bob, track, ago=HOUR * 48), play(house, house.bob, track, ago=HOUR * 40)
    with house.context():
        for number, play_id in enumerate((deleted, kept)):
            db.session.add(
                ListeningEvent(
                    event_id=str(number),
                    listener=f"user-{house.bob}",
                    track_id=track,
                    kind="play",
                    position_ms=0,
                    at=db.session.get_one(Play, play_id).started_at,
                )
            )
        forgetting.delete_plays(house.bob, [deleted])
        db.session.commit()
        forget_deleted_plays()
        assert db.session.get_one(Play, deleted).user_id == house.bob
        db.session.get_one(Play, deleted).deleted_at = utc_now() - forgetting.UNDO_TIME - HOUR
        db.session.commit()
        forget_deleted_plays()
        row = db.session.get_one(Play, deleted)
        assert (row.user_id, row.listener, row.source, row.device) == (None, forgetting.FORGOTTEN, "", "")
        assert db.session.get_one(Play, kept).user_id == house.bob
        assert [event.event_id for event in db.session.query(ListeningEvent)] == ["1"]


def test_history_is_paged_by_key(house: House) -> None:
    track = house.add_track()
    house.publish()
    made = [play(house, house.bob, track, ago=HOUR * number) for number in range(1, 8)]
    with house.context():
        first = queries.history(house.bob, limit=3)
        assert [row.id for row in first.rows] == made[:3]
    play(house, house.bob, track)
    with house.context():
        assert [row.id for row in queries.history(house.bob, limit=9, before=first.next_key).rows] == made[3:]
        assert len(queries.history(house.bob, limit=9, before="nonsense").rows) == 8


def test_recently_played_names_each_album_and_playlist_once(house: House) -> None:
    track = house.add_track()
    house.publish()
    for number, (album, source) in enumerate(
        ((1, "album-1"), (2, "playlist-9"), (3, "playlist-9"), (1, "search"), (4, ""), (5, "playlist-99999999999"))
    ):
        play(house, house.bob, track, ago=HOUR * number, album_id=album, source=source)
    with house.context():
        found = queries.recently_played(house.bob, 4)
    assert [(one.kind, one.id) for one in found] == [("album", 1), ("playlist", 9), ("album", 4), ("album", 5)]
    assert isinstance(found[0], RecentlyPlayed)


def test_a_long_history_costs_as_few_statements_as_a_short_one(house: House) -> None:
    _, track = new_album(house, "Summer", ("Heat",))
    bob = house.browser(house.bob)
    counted = []
    for count in (3, 60):
        for number in range(count):
            play(house, house.bob, track, source=("album-1", "playlist-1", "artist-1")[number % 3])
        bob.get("/library/history")
        with house.app.app_context(), statements() as ran:
            assert bob.get("/library/history").status_code == 200
        counted.append(len(ran))
    assert counted[0] == counted[1] <= 12, counted
