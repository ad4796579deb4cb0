"""Artists and who may open their studios."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import ColumnElement, exists, func, select, update

from musicapp.accounts.models import User
from musicapp.catalog.errors import MembershipError
from musicapp.catalog.events import AlbumDeleted, ArtistCreated, ArtistMembersChanged, ArtistUpdated
from musicapp.catalog.models import Album, AlbumCredit, Artist, ArtistMember, TrackCredit
from musicapp.catalog.services.credits import NAME_LIMIT, new_artist_row
from musicapp.catalog.text import clean_line, clean_text, fold, shelf_key, shelf_letter, sort_name
from musicapp.core.db import db, utc_now
from musicapp.core.events import publish

BIO_LIMIT = 10_000


def create_artist(*, name: str, owner_id: int, bio: str = "") -> int:
    """A performing name with a studio that `owner_id` opens; returns its id. Publishes ArtistCreated."""
    artist = new_artist_row(clean_line(name, NAME_LIMIT))
    artist.bio = clean_text(bio, BIO_LIMIT)
    artist.members.append(ArtistMember(user_id=owner_id, role="owner"))
    db.session.flush()
    publish(ArtistCreated(artist.id))
    return artist.id


def update_artist(artist_id: int, *, name: str, bio: str) -> None:
    """Changes the profile. Credits that carried the old name carry the new one; other spellings stay as credited."""
    artist = db.session.get_one(Artist, artist_id)
    new_name = clean_line(name, NAME_LIMIT)
    if new_name != artist.name:
        for credit in (AlbumCredit, TrackCredit):
            db.session.execute(
                update(credit)
                .where(credit.artist_id == artist_id, credit.credited_as == artist.name)
                .values(credited_as=new_name)
            )
    artist.name, artist.bio = new_name, clean_text(bio, BIO_LIMIT)
    artist.sort_name, artist.search_text = sort_name(new_name, NAME_LIMIT), fold(new_name, 400)
    artist.shelf_key, artist.shelf_letter = shelf_key(artist.sort_name), shelf_letter(artist.sort_name)
    publish(ArtistUpdated(artist_id))


def add_member(artist_id: int, username: str, role: str = "editor") -> int:
    """Lets a user into the studio; returns the user's id. Raises MembershipError for nobody or a member."""
    user = db.session.scalar(
        select(User).where(User.username_key == clean_line(username, 80).casefold(), User.deleted_at.is_(None))
    )
    # Locked: the same name added twice at once would be two rows of one member.
    db.session.execute(select(Artist.id).where(Artist.id == artist_id).with_for_update())
    if user is None:
        raise MembershipError("There is no one of that username here. Check the spelling, or ask them to register.")
    if db.session.get(ArtistMember, (artist_id, user.id)) is not None:
        raise MembershipError(f"{user.username} is a member already.")
    db.session.add(ArtistMember(artist_id=artist_id, user_id=user.id, role=role))
    db.session.flush()
    publish(ArtistMembersChanged(artist_id, user.id))
    return user.id


def remove_member(artist_id: int, user_id: int) -> None:
    """Closes the studio to a user. Raises MembershipError for the last owner: somebody must keep the key."""
    # All of them, locked: two owners who remove each other at once would leave none.
    members = {
        member.user_id: member
        for member in db.session.scalars(
            select(ArtistMember).where(ArtistMember.artist_id == artist_id).with_for_update()
        )
    }
    member = members.get(user_id)
    if member is None:
        return
    owners = [kept for kept in members.values() if kept.role == "owner"]
    if owners == [member]:
        raise MembershipError("An artist needs an owner. Add another owner first, then remove this one.")
    db.session.delete(member)
    db.session.flush()
    publish(ArtistMembersChanged(artist_id, user_id))


def delete_lonely_drafts(user_id: int) -> None:
    """Deletes the drafts that nobody can open any more once this user is gone. What is published stays."""
    alone = (
        select(ArtistMember.artist_id)
        .group_by(ArtistMember.artist_id)
        .having(func.count() == 1, func.max(ArtistMember.user_id) == user_id)
    )
    _delete_drafts(Album.artist_id.in_(alone))


def delete_drafts_of_nobody(limit: int = 200) -> int:
    """Deletes drafts of artists that have no member left, at most `limit`; returns how many.

    A closing account takes its own along: these were left by whatever ended between the two.
    """
    has_members = exists().where(ArtistMember.artist_id == Album.artist_id)
    return _delete_drafts(~has_members, Album.created_at < utc_now() - timedelta(days=1), limit=limit)


def _delete_drafts(*conditions: ColumnElement[bool], limit: int | None = None) -> int:
    is_draft = (Album.published_at.is_(None), Album.deleted_at.is_(None))
    drafts = db.session.scalars(select(Album).where(*is_draft, *conditions).limit(limit)).all()
    for album in drafts:
        album.deleted_at = utc_now()
    db.session.flush()
    for album in drafts:
        publish(AlbumDeleted(album.id))
    return len(drafts)
