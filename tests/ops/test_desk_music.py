"""Albums and artists at the desk: found, taken down and given back."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from musicapp.catalog import services as catalog
from musicapp.catalog.errors import NotPublishableError
from musicapp.catalog.models import Album
from musicapp.core.db import db
from musicapp.core.storage import store
from musicapp.jobs.models import Job
from musicapp.jobs.runner import run_next
from musicapp.ops.models import AuditEntry
from musicapp.ops.queries import music as queries
from musicapp.ops.queries import storage
from tests.ops.conftest import Desk

sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def test_album_that_was_taken_down_is_gone_for_all_but_its_members_until_it_is_given_back(desk: Desk) -> None:
    address, album = f"/admin/albums/{desk.album}", f"/albums/{desk.album}"
    bob, alice = desk.browser(desk.bob), desk.browser(desk.alice)
    was_published_at = desk.get(Album, desk.album).published_at
    assert desk.admin.post(f"{address}/take-down", data={"reason": ""}).status_code == 422
    assert desk.admin.post(f"{address}/take-down", data={"reason": "Not theirs."}).status_code == 303
    assert bob.get(album).status_code == 404
    assert bob.get(f"/tracks/{desk.track}/stream").status_code == 404
    assert "Not theirs." in alice.get(f"/studio/albums/{desk.album}").text
    refused = alice.post(f"/studio/albums/{desk.album}/publish")
    assert refused.status_code == 422
    assert "took this album down" in refused.text
    # Deleting and restoring is no way around it.
    alice.post(f"/studio/albums/{desk.album}/delete")
    alice.post(f"/studio/albums/{desk.album}/restore")
    assert bob.get(album).status_code == 404
    desk.admin.post(f"{address}/give-back")
    assert bob.get(album).status_code == 200
    assert desk.get(Album, desk.album).published_at == was_published_at
    assert desk.acts() == [("album.take_down", "Winter"), ("album.give_back", "Winter")]
    with desk.app.app_context():
        told = db.session.scalars(select(Job).where(Job.kind == "tell", Job.subject_id == desk.album)).all()
        moderated = [job.arguments["about"] for job in told if job.arguments["kind"] == "album_moderated"]
    assert [about["is_down"] for about in moderated] == [True, False]


@sqlite_only
def test_pressing_twice_does_it_once(desk: Desk) -> None:
    for _ in range(2):
        desk.admin.post(f"/admin/albums/{desk.album}/take-down", data={"reason": "x"})
    for _ in range(2):
        desk.admin.post(f"/admin/albums/{desk.album}/give-back")
    assert [act for act, _ in desk.acts()] == ["album.take_down", "album.give_back"]
    for address in ("/admin/albums/999", "/admin/artists/999"):
        assert desk.admin.post(f"{address}/take-down", data={"reason": "x"}).status_code == 404
        assert desk.admin.post(f"{address}/give-back").status_code == 404


def test_all_albums_of_an_artist_go_and_come_back_together(desk: Desk) -> None:
    with desk.app.app_context():
        draft = catalog.create_album(artist_id=desk.artist, user_id=desk.alice, title="Draft")
        db.session.commit()
    desk.admin.post(f"/admin/artists/{desk.artist}/take-down", data={"reason": "All of it is stolen."})
    assert all(desk.get(Album, id).taken_down_at for id in (desk.album, draft))
    with desk.app.app_context():
        with pytest.raises(NotPublishableError):
            catalog.publish_album(draft, desk.alice)
        db.session.rollback()
        shown = queries.artist_page(desk.artist)
        assert shown is not None
        assert ({row.state for row in shown.albums}, shown.can_take_down, shown.can_give_back) == (
            {"taken_down"},
            False,
            True,
        )
    desk.admin.post(f"/admin/artists/{desk.artist}/give-back")
    assert (desk.get(Album, desk.album).is_published, desk.get(Album, draft).is_published) == (True, False)
    assert [act for act, _ in desk.acts()].count("artist.take_down") == 1
    with desk.app.app_context():
        told = db.session.scalars(select(Job).where(Job.kind == "tell").order_by(Job.id)).all()
        about = [job.arguments["about"] for job in told if job.arguments["kind"] == "album_moderated"]
    assert [(one["is_down"], one["count"]) for one in about] == [(True, 2), (False, 2)], "once for all of them"


def test_albums_and_artists_are_found_filtered_and_paged(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queries, "PER_PAGE", 1)
    with desk.app.app_context():
        spring = catalog.create_album(artist_id=desk.artist, user_id=desk.alice, title="Spring 100%")
        catalog.delete_album(catalog.create_album(artist_id=desk.artist, user_id=desk.alice, title="Gone"))
        catalog.take_down_album(spring, "x")
        db.session.commit()

        def titles(**wanted: object) -> list[str]:
            return [row.title for row in queries.albums(**wanted).rows]  # type: ignore[arg-type]

        first = queries.albums()
        assert ([row.title for row in first.rows], first.rows[0].state) == (["Gone"], "deleted")
        assert titles(after=first.next_after) == ["Spring 100%"]
        assert titles(text="win") == ["Winter"]
        assert titles(text="0%") == ["Spring 100%"]
        assert titles(text="auroras", show="published") == ["Winter"]
        assert titles(show="taken_down") == ["Spring 100%"]
        assert queries.album_counts() == {"all": 3, "published": 1, "drafts": 0, "taken_down": 1, "deleted": 1}
        winter = queries.albums(text="winter").rows[0]
        assert (winter.track_count, winter.size_bytes, winter.artist) == (1, 2_000_000, "The Auroras")
        [artist] = queries.artists(text="AURORAS", show="studios").rows
        assert (artist.members, artist.album_count) == (("alice",), 2)
        assert queries.artists(show="names").rows == []
        shown = queries.album_page(desk.album)
        assert shown is not None
        assert (shown.created_by, [person.username for person in shown.members]) == ("alice", ["alice"])


def test_storage_is_summed_and_the_files_are_counted_by_a_job(desk: Desk) -> None:
    with desk.app.app_context():
        file = store().path(store().new_key("originals"))
        file.write_bytes(b"x" * 5000)
    desk.admin.post("/admin/storage/measure")
    desk.admin.post("/admin/storage/measure")
    with desk.app.app_context():
        assert len(db.session.scalars(select(Job).where(Job.kind == storage.MEASURE)).all()) == 1
        assert storage.storage_page().running is not None
        run_next(storage.MEASURE)
        shown = storage.storage_page()
        assert shown.known.originals == (2_000_000, 1)
        assert [(keeper.username, keeper.bytes) for keeper in shown.keepers] == [("alice", 2_000_000)]
        assert shown.measured is not None
        assert shown.measured.folders["originals"] == (5000, 1)
        assert shown.running is None
        catalog.delete_album(desk.album)
        db.session.commit()
        assert storage.known().deleted_originals == (2_000_000, 1)
        assert db.session.scalars(select(AuditEntry.act)).all() == ["storage.measure"]
    page = desk.admin.get("/admin/storage").text
    assert "5 kB" in page
    assert "alice" in page
