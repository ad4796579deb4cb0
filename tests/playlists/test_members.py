from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from musicapp.accounts import services as accounts
from musicapp.core.db import db, utc_now
from musicapp.live import services as live
from musicapp.playlists import queries, services
from musicapp.playlists.errors import (
    PlaylistForbiddenError,
    PlaylistInvitationError,
    PlaylistMemberError,
    PlaylistNotFoundError,
)
from musicapp.playlists.models import PlaylistInvitation
from musicapp.search.queries import search
from tests.playlists.conftest import Lists


def roles(playlist_id: int) -> list[tuple[str, str]]:
    return [(row.person.username, row.role) for row in queries.members(playlist_id)]


def test_invited_by_name_joins_by_accepting(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    invitation = services.invite_user(playlist_id, lists.alice, " CHARLIE ", "editor")
    assert queries.role_of(lists.charlie, playlist_id) is None
    (waiting_for_charlie,) = queries.invitations_for(lists.charlie)
    assert waiting_for_charlie.invited_by is not None
    assert (waiting_for_charlie.playlist_name, waiting_for_charlie.invited_by.username) == ("Evening", "alice")
    with pytest.raises(PlaylistInvitationError):
        services.accept_invitation(invitation.id, lists.dave)
    with pytest.raises(PlaylistInvitationError):
        services.accept_invitation(invitation.token, lists.dave)
    assert services.accept_invitation(invitation.id, lists.charlie).id == playlist_id
    assert queries.role_of(lists.charlie, playlist_id) == "editor"
    assert queries.invitations_for(lists.charlie) == queries.open_invitations(playlist_id) == []
    with pytest.raises(PlaylistInvitationError, match="withdrawn, used or is too old"):
        services.accept_invitation(invitation.id, lists.charlie)


def test_invitation_says_what_is_wrong_with_the_name(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    for name, words in (("nobody", 'Nobody here is called "nobody"'), ("bob", "bob has joined"), ("alice", "is you")):
        with pytest.raises(PlaylistInvitationError, match=words):
            services.invite_user(playlist_id, lists.alice, name, "editor")
    with pytest.raises(PlaylistInvitationError, match="edit, or only look"):
        services.invite_user(playlist_id, lists.alice, "charlie", "owner")


def test_inviting_again_changes_the_role_and_keeps_one_invitation(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    services.invite_user(playlist_id, lists.alice, "charlie", "viewer")
    services.invite_user(playlist_id, lists.alice, "charlie", "editor")
    (invitation,) = queries.open_invitations(playlist_id)
    assert invitation.role == "editor"
    services.decline_invitation(invitation.id, lists.charlie)
    assert queries.open_invitations(playlist_id) == []
    services.invite_user(playlist_id, lists.alice, "charlie", "viewer")
    assert len(queries.open_invitations(playlist_id)) == 1


def test_link_lets_many_in_until_it_is_revoked(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    link = services.invite_by_link(playlist_id, lists.alice, "editor")
    shown = queries.invitation_by_token(link.token)
    assert shown is not None
    assert (shown.playlist_id, shown.role, shown.person) == (playlist_id, "editor", None)
    with pytest.raises(PlaylistInvitationError):
        services.accept_invitation(link.id, lists.charlie)  # its number is no secret
    services.accept_invitation(link.token, lists.charlie)
    services.accept_invitation(link.token, lists.dave)
    assert roles(playlist_id)[0] == ("alice", "owner")
    assert sorted(roles(playlist_id)[1:]) == [("bob", "editor"), ("charlie", "editor"), ("dave", "editor")]
    services.accept_invitation(link.token, lists.alice)
    assert queries.role_of(lists.alice, playlist_id) == "owner"
    services.revoke_invitation(playlist_id, lists.alice, link.id)
    services.leave(playlist_id, lists.charlie)
    with pytest.raises(PlaylistInvitationError):
        services.accept_invitation(link.token, lists.charlie)


def test_old_invitation_lets_nobody_in(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    link = services.invite_by_link(playlist_id, lists.alice, "viewer")
    assert timedelta(days=29) < link.expires_at - utc_now() < timedelta(days=31)
    db.session.execute(update(PlaylistInvitation).values(expires_at=utc_now() - timedelta(seconds=1)))
    with pytest.raises(PlaylistInvitationError):
        services.accept_invitation(link.token, lists.charlie)
    assert queries.open_invitations(playlist_id) == []


def test_removed_member_is_shut_out_and_no_link_brings_them_back(
    lists: Lists, context: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[tuple[int | None, str | None]] = []
    monkeypatch.setattr(live, "rights_changed", lambda user_id=None, topic=None: ended.append((user_id, topic)))
    playlist_id = lists.playlist(1)
    link = services.invite_by_link(playlist_id, lists.alice, "editor")
    services.remove_member(playlist_id, lists.alice, lists.bob)
    assert (lists.bob, f"playlist-{playlist_id}") in ended
    with pytest.raises(PlaylistNotFoundError):
        services.add_tracks(playlist_id, lists.bob, lists.tracks[:1])
    with pytest.raises(PlaylistInvitationError):
        services.accept_invitation(link.token, lists.bob)
    assert roles(playlist_id) == [("alice", "owner"), ("dave", "viewer")]
    with pytest.raises(PlaylistNotFoundError, match="hasn't joined"):
        services.remove_member(playlist_id, lists.alice, lists.bob)


def test_viewer_becomes_editor_and_back(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    services.change_role(playlist_id, lists.alice, lists.dave, "editor")
    services.add_tracks(playlist_id, lists.dave, lists.tracks[1:2])
    services.change_role(playlist_id, lists.alice, lists.dave, "viewer")
    with pytest.raises(PlaylistForbiddenError):
        services.add_tracks(playlist_id, lists.dave, lists.tracks[1:2])


def test_owner_leaves_only_after_handing_over(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    refused: list[Callable[[], object]] = [
        lambda: services.leave(playlist_id, lists.alice),
        lambda: services.remove_member(playlist_id, lists.alice, lists.alice),
        lambda: services.change_role(playlist_id, lists.alice, lists.alice, "viewer"),
        lambda: services.hand_over(playlist_id, lists.alice, lists.alice),
    ]
    for act in refused:
        with pytest.raises(PlaylistMemberError):
            act()
    with pytest.raises(PlaylistNotFoundError):
        services.hand_over(playlist_id, lists.alice, lists.charlie)
    services.hand_over(playlist_id, lists.alice, lists.dave)
    assert roles(playlist_id)[0] == ("dave", "owner")
    with pytest.raises(PlaylistForbiddenError):
        services.delete_playlist(playlist_id, lists.alice)
    services.leave(playlist_id, lists.alice)
    assert roles(playlist_id) == [("dave", "owner"), ("bob", "editor")]


def test_who_may_see_what(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1)
    token = queries.link_token_of(playlist_id)
    people = (None, lists.charlie, lists.dave, lists.bob, lists.alice)
    for visibility, without, with_link in (
        ("private", [False, False, True, True, True], [False, False, True, True, True]),
        ("unlisted", [False, False, True, True, True], [True] * 5),
        ("public", [True] * 5, [True] * 5),
    ):
        services.edit_playlist(playlist_id, lists.alice, name="Evening", description="", visibility=visibility)
        assert [queries.may_see(who, playlist_id) for who in people] == without
        assert [queries.may_see(who, playlist_id, link_token=token) for who in people] == with_link
        assert not queries.may_see(None, playlist_id, link_token="wrong") or visibility == "public"
    services.edit_playlist(playlist_id, lists.alice, name="Evening", description="", visibility="unlisted")
    renewed = services.renew_link(playlist_id, lists.alice)
    assert not queries.may_see(None, playlist_id, link_token=token)
    assert queries.may_see(None, playlist_id, link_token=renewed)


def test_following_keeps_it_in_the_library_and_tells_news(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, visibility="public")
    with pytest.raises(PlaylistNotFoundError):
        services.follow(lists.playlist(2), lists.charlie)
    services.follow(playlist_id, lists.charlie)
    services.follow(playlist_id, lists.charlie)
    services.follow(playlist_id, lists.bob)  # has joined: nothing to follow
    (card,) = queries.playlists_of(lists.charlie)
    assert (card.is_followed, card.has_news, card.role, card.follower_count) == (True, False, None, 1)
    services.add_tracks(playlist_id, lists.bob, lists.tracks[1:2])
    assert queries.playlists_of(lists.charlie)[0].has_news
    services.mark_seen(playlist_id, lists.charlie)
    assert not queries.playlists_of(lists.charlie)[0].has_news
    assert queries.following(lists.charlie, playlist_id).is_followed
    services.edit_playlist(playlist_id, lists.alice, name="Evening", description="", visibility="private")
    assert queries.playlists_of(lists.charlie) == []
    services.unfollow(playlist_id, lists.charlie)
    services.unfollow(playlist_id, lists.charlie)
    head = queries.playlist_head(playlist_id)
    assert head is not None
    assert head.follower_count == 0


def test_follower_who_joins_follows_no_more(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, visibility="public")
    services.follow(playlist_id, lists.charlie)
    invitation = services.invite_user(playlist_id, lists.alice, "charlie", "viewer")
    services.accept_invitation(invitation.id, lists.charlie)
    (card,) = queries.playlists_of(lists.charlie)
    assert (card.role, card.is_followed, card.follower_count) == ("viewer", False, 0)


def test_closed_account_passes_its_playlists_on(lists: Lists, context: Flask) -> None:
    shared, followed = lists.playlist(1, 2, name="Shared"), lists.playlist(3, name="Bob's", visibility="public")
    services.hand_over(followed, lists.alice, lists.bob)
    services.leave(followed, lists.alice)
    services.follow(followed, lists.alice)
    alone = services.create_playlist(lists.alice, "Alone", track_ids=lists.tracks[:1]).id
    services.invite_user(shared, lists.alice, "charlie", "editor")
    accounts.delete_account(lists.alice)
    services.forget_user(lists.alice)
    db.session.commit()
    assert roles(shared) == [("bob", "owner"), ("dave", "viewer")]
    assert queries.playlist_head(alone) is None
    head = queries.playlist_head(followed)
    assert head is not None
    assert head.follower_count == 0
    assert [row.added_by for row in queries.rows(shared, lists.bob)] == [None, None]
    assert queries.history(shared, lists.bob)[0].by is None
    assert queries.invitations_for(lists.charlie) == []
    services.delete_playlist(shared, lists.bob)


def test_playlist_is_found_by_the_name_that_its_owner_has_now(lists: Lists, context: Flask) -> None:
    playlist_id = lists.playlist(1, name="Zephyr", visibility="public")

    def finds(words: str) -> bool:
        return [hit.subject_id for hit in search(words).hits.get("playlist", [])] == [playlist_id]

    assert finds("zephyr alice")
    services.hand_over(playlist_id, lists.alice, lists.bob)
    assert finds("zephyr bob")
    assert not finds("zephyr alice")
    accounts.update_profile(lists.bob, display_name="Quentin", bio="", time_zone="UTC", locale="en")
    assert finds("zephyr quentin")
