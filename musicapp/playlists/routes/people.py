"""Who makes a playlist together: invitations, roles, followers, and who is looking right now."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import signed_in_id
from musicapp.catalog.forms import Form
from musicapp.core.db import db, reading
from musicapp.core.pages import page
from musicapp.live import services as live
from musicapp.playlists import forms, presence, queries, services
from musicapp.playlists.access import access_to, kept_key, open_for_members, open_for_owner, open_playlist
from musicapp.playlists.errors import PlaylistInvitationError
from musicapp.playlists.routes.blueprint import ID, blueprint, to_playlist

USER = "<int(max=2147483647):user_id>"


@reading()
def _people_page(playlist_id: int, form: Form | None = None, status: int = 200) -> Response:
    access = open_playlist(playlist_id)
    return page(
        "playlists/people_page.html",
        status,
        head=queries.playlist_head(playlist_id),
        access=access,
        members=queries.members(playlist_id),
        invitations=queries.open_invitations(playlist_id) if access.is_owner else [],
        wants_digest=queries.following(access.user_id, playlist_id).wants_digest,
        form=form or Form(values={"username": "", "role": "editor"}),
    )


@blueprint.get(f"/playlists/{ID}/people")
def people(playlist_id: int) -> Response:
    open_for_members(playlist_id)
    return _people_page(playlist_id)


def _to_people(playlist_id: int) -> BaseResponse:
    return redirect(url_for("playlists.people", playlist_id=playlist_id), 303)


@blueprint.post(f"/playlists/{ID}/people/invite")
def invite(playlist_id: int) -> BaseResponse:
    """By username; the invited person answers on their own page of playlists."""
    owner_id = open_for_owner(playlist_id)
    form = forms.invite_form(request.form)
    if form.is_valid:
        try:
            services.invite_user(playlist_id, owner_id, form.values["username"], form.values["role"])
        except PlaylistInvitationError as error:
            form.errors["username"] = str(error)
    if not form.is_valid:
        db.session.rollback()
        return _people_page(playlist_id, form, 422)
    db.session.commit()
    flash(_("%(name)s is invited.", name=form.values["username"]))
    return _to_people(playlist_id)


@blueprint.post(f"/playlists/{ID}/people/link")
def invite_by_link(playlist_id: int) -> BaseResponse:
    role = request.form.get("role", "viewer")
    if role not in forms.INVITED_ROLES:
        abort(422, _("Choose what they may do."))
    services.invite_by_link(playlist_id, open_for_owner(playlist_id), role)
    db.session.commit()
    flash(_("The link is made. Whoever has it may join, until you take it back."))
    return _to_people(playlist_id)


@blueprint.post(f"/playlists/{ID}/invitations/<int(max=2147483647):invitation_id>/revoke")
def revoke_invitation(playlist_id: int, invitation_id: int) -> BaseResponse:
    services.revoke_invitation(playlist_id, open_for_owner(playlist_id), invitation_id)
    db.session.commit()
    flash(_("The invitation is taken back."))
    return _to_people(playlist_id)


@blueprint.post(f"/playlists/{ID}/people/{USER}/role")
def change_role(playlist_id: int, user_id: int) -> BaseResponse:
    role = request.form.get("role", "")
    if role not in forms.INVITED_ROLES:
        abort(422, _("Choose what they may do."))
    services.change_role(playlist_id, open_for_owner(playlist_id), user_id, role)
    db.session.commit()
    flash(_("Saved."))
    return _to_people(playlist_id)


@blueprint.post(f"/playlists/{ID}/people/{USER}/remove")
def remove_member(playlist_id: int, user_id: int) -> BaseResponse:
    services.remove_member(playlist_id, open_for_owner(playlist_id), user_id)
    db.session.commit()
    presence.forget(playlist_id, user_id)
    flash(_("They are no longer part of this playlist."))
    return _to_people(playlist_id)


@blueprint.post(f"/playlists/{ID}/people/{USER}/owner")
def hand_over(playlist_id: int, user_id: int) -> BaseResponse:
    services.hand_over(playlist_id, open_for_owner(playlist_id), user_id)
    db.session.commit()
    flash(_("The playlist has a new owner. You are an editor now."))
    return _to_people(playlist_id)


@blueprint.post(f"/playlists/{ID}/leave")
def leave(playlist_id: int) -> BaseResponse:
    user_id = open_for_members(playlist_id)
    services.leave(playlist_id, user_id)
    db.session.commit()
    presence.forget(playlist_id, user_id)
    flash(_("You have left the playlist."))
    return redirect(url_for("playlists.playlists"), 303)


@blueprint.post(f"/playlists/{ID}/digest")
def set_digest(playlist_id: int) -> BaseResponse:
    """A mail about what others change: field on is 1 or 0."""
    services.set_digest(playlist_id, open_for_members(playlist_id), request.form.get("on") == "1")
    db.session.commit()
    flash(_("Saved."))
    return _to_people(playlist_id)


@blueprint.post(f"/playlists/{ID}/follow")
def follow(playlist_id: int) -> Any:
    """Field on: 1 keeps the playlist among the viewer's own, 0 lets it go."""
    is_on = request.form.get("on", "1") == "1"
    if is_on:
        open_playlist(playlist_id)
        services.follow(playlist_id, signed_in_id(), link_token=kept_key(playlist_id))
    else:
        services.unfollow(playlist_id, signed_in_id())
    db.session.commit()
    if request.headers.get("HX-Request") == "true" and request.headers.get("HX-Boosted") != "true":
        return "", 204
    flash(_("You follow this playlist.") if is_on else _("You no longer follow this playlist."))
    # one that became private meanwhile can be let go, but not opened
    return to_playlist(playlist_id) if access_to(playlist_id) else redirect(url_for("playlists.playlists"), 303)


@blueprint.get("/playlists/invitations/<token>")
def invitation(token: str) -> Response:
    """What a link invites to, and the button that joins."""
    found = queries.invitation_by_token(token)
    if found is None or (found.person is not None and found.person.id != signed_in_id()):
        return page("playlists/invitation_gone_page.html", 404)
    return page("playlists/invitation_page.html", invitation=found, token=token)


@blueprint.post("/playlists/invitations/<token>")
def answer_invitation(token: str) -> BaseResponse:
    """Field answer: join, or decline for one that names the viewer."""
    found = queries.invitation_by_token(token)
    if found is not None and request.form.get("answer") == "decline":
        services.decline_invitation(found.id, signed_in_id())
        db.session.commit()
        return redirect(url_for("playlists.playlists"), 303)
    playlist_id = services.accept_invitation(token, signed_in_id()).id
    db.session.commit()
    flash(_("You have joined the playlist."))
    return to_playlist(playlist_id)


@blueprint.post(f"/playlists/{ID}/presence")
def note_presence(playlist_id: int) -> tuple[str, int]:
    """A page of a member says that it is open, or, with leaves=1, that it closes. Field page names it."""
    with reading():  # every open page says so three times a minute, and must not wait for who writes
        user_id = open_for_members(playlist_id)
        db.session.rollback()
    name = request.form.get("page", "")[:40]
    note = presence.leave if request.form.get("leaves") == "1" else presence.look
    if note(playlist_id, user_id, name):
        live.publish_now(f"playlist_people-{playlist_id}", "playlist_people", playlist_id)
    return "", 204


@blueprint.post(f"/playlists/{ID}/seen")
def note_seen(playlist_id: int) -> tuple[str, int]:
    """A follower's page shows what is new: it is news no more."""
    open_playlist(playlist_id)
    services.mark_seen(playlist_id, signed_in_id())
    db.session.commit()
    return "", 204
