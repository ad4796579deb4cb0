from __future__ import annotations

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from musicapp.catalog import services as catalog
from musicapp.catalog.models import Track
from musicapp.core.db import db
from musicapp.library import queries, services
from musicapp.library.models import TrackLike
from musicapp.playback.play_queue import queries as play_queue
from tests.library.conftest import House, keep, moment, new_album


def shown(client: FlaskClient, address: str) -> list[str]:
    """Titles of the rows, or of the cards, in the order of the page."""
    text = client.get(address).text
    return re.findall(r'class="(?:row-title|album-card-title)"[^>]*>([^<]+)<', text)


def set_liked_ago(house: House, *ages: tuple[int, int]) -> None:
    with house.context():
        for track_id, minutes in ages:
            like = db.session.query(TrackLike).filter_by(track_id=track_id).one()
            like.created_at = moment(timedelta(minutes=minutes))
        db.session.commit()


@pytest.fixture
def library(house: House) -> House:
    """bob likes three tracks of two albums, and one of the albums."""
    first = new_album(house, "Étude", ("zebra", "Ängste"), genres=("Dream pop",))
    second = new_album(house, "Big Band", ("Monk",), genres=("Jazz",))
    keep(house, house.bob, tracks=(*first[1:], second[1]), albums=(first[0],))
    set_liked_ago(house, (first[1], 3), (first[2], 2), (second[1], 1))
    with house.context():
        db.session.get_one(Track, first[2]).play_count = 7
        db.session.get_one(Track, first[1]).play_count = 2
        db.session.commit()
    return house


def test_each_sort_has_its_order(library: House) -> None:
    bob = library.browser(library.bob)
    assert shown(bob, "/library") == ["Monk", "Ängste", "zebra"]
    assert shown(bob, "/library?sort=title") == ["Ängste", "Monk", "zebra"]
    assert shown(bob, "/library?sort=plays") == ["Ängste", "zebra", "Monk"]
    assert shown(bob, "/library?sort=artist") == ["Ängste", "Monk", "zebra"]
    assert shown(bob, "/library?sort=nonsense&kind=nonsense") == ["Monk", "Ängste", "zebra"]
    for sort in ("added", "title", "artist", "plays"):
        assert shown(bob, f"/library?kind=albums&sort={sort}") == ["Étude"]


def test_filters_find_folded_words_of_title_album_and_artist(library: House) -> None:
    bob = library.browser(library.bob)
    assert shown(bob, "/library?q=angste") == ["Ängste"]
    assert shown(bob, "/library?q=ETUDE+auroras&sort=title") == ["Ängste", "zebra"]
    assert shown(bob, "/library?q=100%25") == []
    assert shown(bob, "/library?genre=jazz") == ["Monk"]
    assert shown(bob, "/library?genre=jazz&q=zebra") == []
    assert shown(bob, "/library?kind=albums&genre=dream-pop") == ["Étude"]
    assert "Nothing here matches" in bob.get("/library?q=nowhere").text
    text = bob.get("/library").text
    assert ">Jazz</option>" in text
    assert ">Dream pop</option>" in text


def test_followed_artists_have_their_genres_too(library: House) -> None:
    with library.context():
        services.follow_artist(library.bob, library.artist)
        db.session.commit()
    bob = library.browser(library.bob)
    assert shown(bob, "/library?kind=artists") == ["The Auroras"]
    assert shown(bob, "/library?kind=artists&genre=jazz&q=aurora&sort=title") == ["The Auroras"]
    assert shown(bob, "/library?kind=artists&genre=folk") == []
    assert ">Jazz</option>" in bob.get("/library?kind=artists").text


def test_what_becomes_a_draft_leaves_the_library_and_comes_back(house: House) -> None:
    album, track = new_album(house, "Summer", ("Heat",))
    keep(house, house.bob, tracks=(track,), albums=(album,))
    bob = house.browser(house.bob)

    def kept() -> list[list[str]]:
        return [shown(bob, "/library"), shown(bob, "/library?kind=albums")]

    assert kept() == [["Heat"], ["Summer"]]
    with house.context():
        catalog.unpublish_album(album)
        db.session.commit()
    assert kept() == [[], []]
    with house.context():
        assert queries.kept_counts(house.bob) == {"tracks": 0, "albums": 0, "artists": 0}
        catalog.publish_album(album, house.alice)
        db.session.commit()
    assert kept() == [["Heat"], ["Summer"]]
    with house.context():
        catalog.delete_track(track)
        db.session.commit()
    assert kept() == [[], ["Summer"]]


@pytest.mark.parametrize("sort", queries.SORTS["tracks"])
def test_pages_follow_each_other_while_somebody_adds_and_removes(house: House, sort: str) -> None:
    # Titles and figures that are alike must not be lost between two pages.
    tracks = new_album(house, "Long", tuple(f"Same {number % 3}" for number in range(9)))[1:]
    keep(house, house.bob, tracks=tuple(tracks))
    wanted = queries.Wanted(sort=sort)
    with house.context():
        whole = queries.kept(house.bob, wanted, limit=100).ids
        first = queries.kept(house.bob, wanted, limit=4)
        assert first.ids == whole[:4]
        # What stood last on the first page goes, and something new comes first.
        services.unlike_track(house.bob, first.ids[-1])
        db.session.commit()
    late = house.add_track("Same 0", album_id=house.album)
    house.publish()
    keep(house, house.bob, tracks=(late,))
    with house.context():
        second = queries.kept(house.bob, wanted, limit=100, after=first.next_key)
        assert [id for id in second.ids if id != late] == whole[4:]
        assert second.next_key is None
        for nonsense in ("x", "5", "5.x", ".", "999999999999999999999.9", "1.99999999999999999999999"):
            assert queries.kept(house.bob, wanted, limit=100, after=nonsense).ids is not None


def test_playing_the_library_fills_the_play_queue_with_the_whole_view(library: House) -> None:
    bob = library.browser(library.bob)
    assert bob.post("/library/play", data={"sort": "title"}).location == "/queue"
    with library.context():
        ids = queries.kept(library.bob, queries.Wanted(sort="title"), limit=9).ids
        assert play_queue.track_ids(library.bob) == ids
        assert play_queue.state(library.bob).source == "library-likes"
        db.session.rollback()
    assert bob.post("/library/play", data={"shuffle": "1"}, headers={"Accept": "application/json"}).json == {}
    with library.context():
        assert play_queue.state(library.bob).is_shuffled
        assert sorted(play_queue.track_ids(library.bob)) == sorted(ids)
        db.session.rollback()
    bob.post("/library/play", data={"q": "angste"})
    with library.context():
        assert len(play_queue.track_ids(library.bob)) == 1


def test_empty_libraries_invite(house: House) -> None:
    bob = house.browser(house.bob)
    assert "Press the heart beside a track" in bob.get("/library").text
    assert "Albums you like live here" in bob.get("/library?kind=albums").text
    assert "Follow somebody" in bob.get("/library?kind=artists").text


def test_the_menu_of_a_track_offers_what_can_be_done_with_it(house: House) -> None:
    track = house.add_track("Duet", artists=("The Auroras", "Guest"))
    assert house.browser(house.bob).get(f"/tracks/{track}/menu").status_code == 404
    house.publish()
    keep(house, house.bob, tracks=(track,))
    text = house.browser(house.bob).get(f"/tracks/{track}/menu").text
    for words in (
        "Play next",
        "Add to queue",
        "Add to playlist",
        "Like",
        "Go to the album",
        "Go to Guest",
        "Copy link",
    ):
        assert words in text, words
    assert 'aria-pressed="true"' in text
    assert 'aria-pressed="false"' in house.app.test_client().get(f"/tracks/{track}/menu").text
