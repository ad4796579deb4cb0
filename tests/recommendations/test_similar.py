from __future__ import annotations

import numpy as np
import pytest
from flask import Flask
from sqlalchemy import select

from musicapp.catalog.models import Artist
from musicapp.core.db import db, utc_now
from musicapp.library.models import AlbumLike, ArtistFollow, TrackLike
from musicapp.playback.models import Play
from musicapp.recommendations import similarity
from musicapp.recommendations.models import SimilarArtist
from musicapp.recommendations.queries import fans_also_like
from musicapp.recommendations.similarity import similar
from musicapp.recommendations.tasks import find_similar_artists
from tests.notifications.world import add_album, add_artist, add_plays, add_track, add_user


def _pairs(*pairs: tuple[int, int]) -> tuple[similarity.Ids, similarity.Ids]:
    both = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return both[:, 0], both[:, 1]


def _as_counted_by_hand(pairs: set[tuple[int, int]]) -> dict[int, list[tuple[int, float]]]:
    hearers: dict[int, set[int]] = {}
    for listener, artist in pairs:
        hearers.setdefault(artist, set()).add(listener)
    found = {}
    for artist, own in hearers.items():
        near = [
            (other, round(len(own & theirs) / (len(own) * len(theirs)) ** 0.5, 9))
            for other, theirs in hearers.items()
            if other != artist and len(own & theirs) >= 2
        ]
        if near:
            found[artist] = sorted(near, key=lambda pair: (-pair[1], pair[0]))[:12]
    return found


def test_neighbours_are_the_cosines_of_listeners() -> None:
    rng = np.random.default_rng(7)
    pairs = {(int(rng.integers(1, 60)), int(rng.integers(100, 140))) for _ in range(700)}
    listeners, artists = _pairs(*sorted(pairs), *sorted(pairs)[:50])  # some come twice
    found = {
        artist: [(neighbour.artist_id, round(neighbour.score, 9)) for neighbour in neighbours]
        for artist, neighbours in similar(listeners, artists)
    }
    assert found == _as_counted_by_hand(pairs)
    assert list(similar(*_pairs())) == []
    assert list(similar(*_pairs((1, 1), (1, 2)))) == [], "one person's taste is told to nobody"


def test_a_large_audience_is_known_by_a_sample_and_still_finds_its_neighbours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(similarity, "MOST_LISTENERS", 50)
    twins = [(listener, artist) for listener in range(1000) for artist in (1, 2)]
    strangers = [(listener, 3) for listener in range(1000, 2000)]
    found = dict(similar(*_pairs(*twins, *strangers)))
    assert [(n.artist_id, n.score) for n in found[1]] == [(2, 1.0)], "the same sample of both"
    assert 3 not in found


def test_what_the_same_people_play_like_and_follow_is_suggested(context: Flask) -> None:
    anna, ben, cleo = (add_user(name) for name in ("anna", "ben", "cleo"))
    artists = [add_artist(name) for name in ("Heard", "Liked", "Followed", "Draft", "Alone")]
    heard, liked, followed, draft, alone = artists
    tracks = {}
    for artist in artists:
        album = add_album(artist, artist.name, published_at=None if artist is draft else utc_now())
        tracks[artist.id] = add_track(album, artist.name, artist.id)
        db.session.add(AlbumLike(user_id=anna.id, album_id=album.id))
    for user in (anna, ben):
        add_plays(tracks[heard.id], utc_now(), user)
        db.session.add(TrackLike(user_id=user.id, track_id=tracks[liked.id].id))
        db.session.add(ArtistFollow(user_id=user.id, artist_id=followed.id))
        db.session.add(ArtistFollow(user_id=user.id, artist_id=draft.id))
    db.session.add(ArtistFollow(user_id=cleo.id, artist_id=followed.id))
    add_plays(tracks[alone.id], utc_now(), ben)
    db.session.query(Play).filter_by(track_id=tracks[alone.id].id).update({"deleted_at": utc_now()})
    db.session.commit()

    result = find_similar_artists()
    assert result == {"pairs": 14, "artists": 4, "suggestions": 12, "gone": 0}
    assert [card.name for card in fans_also_like(heard.id)] == ["Liked", "Followed"], "nearest first, no drafts"
    assert fans_also_like(alone.id) == [], "what was taken out of a history is no one's"
    assert find_similar_artists() == result, "made again, the same"

    db.session.query(ArtistFollow).delete()
    db.session.get_one(Artist, liked.id).deleted_at = utc_now()
    db.session.commit()
    assert find_similar_artists()["gone"] == 2
    assert set(db.session.scalars(select(SimilarArtist.artist_id))) == {heard.id, liked.id}
    assert fans_also_like(heard.id) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_an_artists_page_says_whom_fans_also_like(app: Flask) -> None:
    with app.app_context():
        artist, other, draft = (add_artist(name) for name in ("Home", "Neighbour", "Nobody yet"))
        for shown in (artist, other):
            add_album(shown, "Album", published_at=utc_now())
        db.session.add_all(
            SimilarArtist(artist_id=artist.id, place=place, other_id=id_, score=0.5)
            for place, id_ in enumerate((draft.id, other.id))
        )
        db.session.commit()
        ids = artist.id, other.id
    page = app.test_client().get(f"/artists/{ids[0]}").get_data(as_text=True)
    similar = page.partition("Fans also like")[2]
    assert f'href="/artists/{ids[1]}"' in similar
    assert "Nobody yet" not in page
    assert "Fans also like" not in app.test_client().get(f"/artists/{ids[1]}").get_data(as_text=True)
