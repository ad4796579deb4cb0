from __future__ import annotations

import pytest
from sqlalchemy import func, select

from musicapp.accounts import services as accounts
from musicapp.accounts.models import User
from musicapp.catalog import queries, services
from musicapp.catalog.errors import AlbumGoneError, MembershipError, NotPublishableError
from musicapp.catalog.models import Album, Artist, ArtistMember, Genre, Original, Rendition, Track
from musicapp.core.db import db
from musicapp.jobs.models import Job
from tests.catalog.conftest import House, facts, outcome

pytestmark = pytest.mark.usefixtures("context")


def titles(album_id: int) -> list[str]:
    return [row.title for row in queries.track_rows(album_id)]


def test_registering_as_a_musician_opens_a_studio(house: House) -> None:
    artist = db.session.get_one(Artist, house.artist)
    assert (artist.name, artist.sort_name, artist.search_text) == ("The Auroras", "Auroras, The", "the auroras")
    member = db.session.get_one(ArtistMember, (house.artist, house.alice))
    assert member.role == "owner"
    assert queries.artists_of_user(house.bob) == []


def test_album_creation_asks_for_one_congratulation_mail(house: House) -> None:
    jobs = db.session.scalars(select(Job).where(Job.kind == "tell")).all()
    assert [(job.unique_key, job.owner_id) for job in jobs] == [(f"tell/album_created/{house.album}", house.alice)]


def test_genres_of_one_spelling_are_shared(house: House) -> None:
    second = services.create_album(
        artist_id=house.artist, user_id=house.alice, title="B", genres=["dream POP", "Dream pop", "", "演歌"]
    )
    album = db.session.get_one(Album, second)
    assert sorted(genre.name for genre in album.genres) == ["Dream pop", "演歌"]
    assert db.session.scalar(select(func.count()).select_from(Genre)) == 2


def test_album_without_a_playing_track_is_not_published(house: House) -> None:
    with pytest.raises(NotPublishableError, match="No track of this album plays yet"):
        services.publish_album(house.album, house.alice)
    track = house.add_track(browser_playable=False)
    with pytest.raises(NotPublishableError):
        services.publish_album(house.album, house.alice)
    services.set_track_ready(track, outcome(track))
    services.publish_album(house.album, house.alice)
    assert queries.may_see_album(None, house.album)


def test_album_is_publishable_from_its_original_alone(house: House) -> None:
    house.add_track(browser_playable=True)
    services.publish_album(house.album, house.alice)
    assert queries.may_see_album(None, house.album)


def test_deleted_track_does_not_make_an_album_publishable(house: House) -> None:
    services.delete_track(house.add_track())
    with pytest.raises(NotPublishableError):
        services.publish_album(house.album, house.alice)


def test_publishing_twice_keeps_the_first_moment(house: House) -> None:
    house.add_track()
    services.publish_album(house.album, house.alice)
    album = db.session.get_one(Album, house.album)
    first = album.published_at
    services.publish_album(house.album, house.alice)
    assert album.published_at == first


def test_setting_asks_for_a_confirmed_address(house: House) -> None:
    house.add_track()
    user = db.session.get_one(User, house.alice)
    user.email_confirmed_at = None
    with pytest.raises(NotPublishableError, match="confirm your e-mail"):
        services.publish_album(house.album, house.alice, needs_confirmed_email=True)
    services.publish_album(house.album, house.alice, needs_confirmed_email=False)


def test_unpublished_and_deleted_albums_leave_and_come_back(house: House) -> None:
    house.add_track()
    services.publish_album(house.album, house.alice)
    at = db.session.get_one(Album, house.album).published_at
    services.delete_album(house.album)
    assert queries.latest_albums() == []
    assert [card.id for card in queries.drafts_and_albums_of(house.alice, deleted=True)] == [house.album]
    services.restore_album(house.album)
    assert [card.published_at for card in queries.latest_albums()] == [at]
    services.unpublish_album(house.album)
    assert queries.latest_albums() == []


def test_tracks_stand_by_their_numbers_however_they_arrive(house: House) -> None:
    house.add_track("Three", track_number=3)
    house.add_track("Disc two", track_number=1, disc_number=2)
    house.add_track("One", track_number=1)
    house.add_track("No number")
    house.add_track("Two", track_number=2)
    assert titles(house.album) == ["One", "Two", "Three", "No number", "Disc two"]


def test_untagged_track_is_named_from_the_fallback_and_is_the_artists(house: House) -> None:
    track = services.add_track(
        house.album,
        facts(None),
        services.NewOriginal("originals/x", "04 x.mp3", 1, house.alice),
        fallback_title="Snow",
        fallback_track_number=4,
    )
    row = queries.track_row_by_id(track)
    assert row is not None
    assert (row.title, row.artists, row.credits[0].artist_id) == ("Snow", "The Auroras", house.artist)
    assert db.session.get_one(Track, track).track_number == 4


def test_names_in_tags_never_reach_somebody_elses_studio(house: House) -> None:
    track = house.add_track(artists=("Charlie & Sons", "THE AURORAS"))
    row = queries.track_row_by_id(track)
    assert row is not None
    stranger, own = row.credits
    assert stranger.artist_id != house.charlies_artist
    assert own.artist_id == house.artist
    again = queries.track_row_by_id(house.add_track("Two", artists=("charlie & sons",)))
    assert again is not None
    assert again.credits[0].artist_id == stranger.artist_id, "one name is one artist"


def test_a_member_of_both_studios_credits_the_real_artist(house: House) -> None:
    services.add_member(house.charlies_artist, "alice")
    row = queries.track_row_by_id(house.add_track(artists=("Charlie & Sons",)))
    assert row is not None
    assert row.credits[0].artist_id == house.charlies_artist


def test_long_and_odd_tags_are_kept_within_their_columns(house: House) -> None:
    track = house.add_track(
        "x" * 600, artists=("y" * 400,), genres=("z" * 300,), isrc="USRC17607839EXTRA", disc_number=0
    )
    kept = db.session.get_one(Track, track)
    assert len(kept.title) == 500
    assert len(kept.credits[0].credited_as) == 200
    assert kept.disc_number == 1
    db.session.commit()


def test_track_for_a_deleted_album_is_refused(house: House) -> None:
    services.delete_album(house.album)
    db.session.commit()
    with pytest.raises(AlbumGoneError, match="deleted"):
        house.add_track()


def test_second_encoding_replaces_the_first_and_names_what_is_unused(house: House) -> None:
    track = house.add_track()
    assert services.set_track_ready(track, outcome(track)) == ()
    unused = services.set_track_ready(track, outcome(track, profiles=("opus_64",), version=2))
    assert set(unused) == {f"renditions/{track}/opus_64-1", f"waveforms/{track}-1.json"}
    keys = db.session.scalars(select(Rendition.key).where(Rendition.track_id == track)).all()
    assert set(keys) == {f"renditions/{track}/opus_64-2", f"renditions/{track}/mp3_256-1"}


def test_encoding_without_renditions_never_loses_the_track(house: House) -> None:
    track = house.add_track()
    services.set_track_ready(track, outcome(track, profiles=()))
    row = queries.track_row_by_id(track)
    assert row is not None
    assert (row.state, row.playable, row.duration_ms) == ("original", True, 241_000)


def test_refused_track_leaves_nothing_behind(house: House) -> None:
    track = house.add_track()
    services.set_track_ready(track, outcome(track))
    keys = services.remove_refused_track(track)
    db.session.commit()
    assert f"renditions/{track}/opus_64-1" in keys
    assert "originals/1" in keys
    for table in (Track, Original, Rendition):
        assert db.session.scalar(select(func.count()).select_from(table)) == 0
    assert services.remove_refused_track(track) == ()


def test_reordering_keeps_discs_and_passes_over_strangers(house: House) -> None:
    one, two, three = (house.add_track(title) for title in ("One", "Two", "Three"))
    other = house.add_track("Side B", disc_number=2)
    services.reorder_tracks(house.album, [other, three, 999_999, one])
    assert titles(house.album) == ["Three", "One", "Two", "Side B"]
    services.move_track(two, -1)
    assert titles(house.album) == ["Three", "Two", "One", "Side B"]
    services.move_track(three, -1)
    services.move_track(other, 1)
    assert titles(house.album) == ["Three", "Two", "One", "Side B"]


def test_deleted_track_returns_to_its_place(house: House) -> None:
    tracks = [house.add_track(title) for title in ("One", "Two", "Three")]
    services.delete_track(tracks[1])
    assert titles(house.album) == ["One", "Three"]
    services.restore_track(tracks[1])
    assert titles(house.album) == ["One", "Two", "Three"]


def test_renamed_artist_is_renamed_in_credits_but_not_in_other_spellings(house: House) -> None:
    same = house.add_track("One", artists=("The Auroras",))
    other = house.add_track("Two", artists=("THE AURORAS",))
    services.update_artist(house.artist, name="Polar Lights", bio="")
    db.session.expire_all()
    rows = {row.id: row.artists for row in queries.track_rows(house.album)}
    assert rows == {same: "Polar Lights", other: "THE AURORAS"}


def test_last_owner_stays(house: House) -> None:
    services.add_member(house.artist, "BOB", "editor")
    with pytest.raises(MembershipError, match="needs an owner"):
        services.remove_member(house.artist, house.alice)
    services.remove_member(house.artist, house.bob)
    assert queries.member_ids(house.artist) == [house.alice]
    with pytest.raises(MembershipError, match="no one of that username"):
        services.add_member(house.artist, "nobody")
    with pytest.raises(MembershipError, match="already"):
        services.add_member(house.artist, "alice")


def test_drafts_nobody_can_open_go_with_their_user(house: House) -> None:
    shared = services.create_artist(name="Shared", owner_id=house.alice)
    services.add_member(shared, "bob")
    shared_draft = services.create_album(artist_id=shared, user_id=house.alice, title="Shared draft")
    published = services.create_album(artist_id=house.artist, user_id=house.alice, title="Out")
    house.add_track(album_id=published)
    services.publish_album(published, house.alice)
    accounts.delete_account(house.alice)
    gone = {id_ for id_ in (house.album, shared_draft, published) if db.session.get_one(Album, id_).deleted_at}
    assert gone == {house.album}


def test_export_names_artists_albums_and_tracks(house: House) -> None:
    house.add_track("Snow")
    from musicapp.catalog.queries import albums_for_export, artists_for_export

    assert [artist["name"] for artist in artists_for_export(house.alice)] == ["The Auroras"]
    albums = albums_for_export(house.alice)
    assert [track["title"] for track in albums[0]["tracks"]] == ["Snow"]
    assert albums_for_export(house.bob) == []
