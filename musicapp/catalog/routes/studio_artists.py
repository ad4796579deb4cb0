"""Artists in the studio: profile, picture, members."""

from __future__ import annotations

from flask import Response, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import signed_in_id
from musicapp.catalog import forms, queries, services
from musicapp.catalog.errors import MembershipError
from musicapp.catalog.routes.door import blueprint, keep_sent_picture, limit_body, open_artist
from musicapp.catalog.routes.studio import studio_page
from musicapp.core.db import db, reading
from musicapp.core.pages import page
from musicapp.jobs import queries as job_queries
from musicapp.live import services as live

PICTURE_KINDS = ("make_artist_picture",)


@blueprint.get("/studio/artists")
@blueprint.get("/studio/artists/<int(max=2147483647):artist_id>/members")
def after_refused_form(artist_id: int | None = None) -> BaseResponse:
    """A refused form leaves its address in the browser; loading it again shows the page that it stood on."""
    return _to_artist(artist_id) if artist_id else redirect(url_for("catalog.studio"), 303)


@blueprint.post("/studio/artists")
def create_artist() -> BaseResponse:
    form = forms.artist_form(request.form)
    if not form.is_valid:
        return studio_page(form, 422)
    artist_id = services.create_artist(name=form.values["name"], owner_id=signed_in_id())
    db.session.commit()
    flash(_("Your studio is open."))
    return redirect(url_for("catalog.new_album", artist_id=artist_id), 303)


@reading()
def _artist_page(artist_id: int, form: forms.Form | None = None, status: int = 200) -> Response:
    cursor = live.current_cursor()
    artist = queries.artist_page(artist_id, even_unheard=True)
    if artist is None:
        abort(404)
    return page(
        "catalog/studio_artist_page.html",
        status,
        artist=artist,
        form=form or forms.Form(values={"name": artist.name, "bio": artist.bio}),
        members=queries.members_of(artist_id),
        picture_job=job_queries.latest_jobs(PICTURE_KINDS, [artist_id]).get(artist_id),
        silent_queues=job_queries.silent_queues(),
        cursor=cursor,
    )


@blueprint.get("/studio/artists/<int(max=2147483647):artist_id>")
def studio_artist(artist_id: int) -> Response:
    open_artist(artist_id)
    return _artist_page(artist_id)


@blueprint.post("/studio/artists/<int(max=2147483647):artist_id>")
def update_artist(artist_id: int) -> BaseResponse:
    limit_body()
    open_artist(artist_id)
    form = forms.artist_form(request.form)
    picture_key = keep_sent_picture("picture", form)
    if not form.is_valid:
        db.session.rollback()
        return _artist_page(artist_id, form, 422)
    services.update_artist(artist_id, name=form.values["name"], bio=form.values["bio"])
    if picture_key:
        services.ask_for_artist_picture(artist_id, picture_key, owner_id=signed_in_id())
    elif request.form.get("remove_picture"):
        services.set_artist_picture(artist_id, None)
    db.session.commit()
    flash(_("Saved."))
    return _to_artist(artist_id)


@blueprint.post("/studio/artists/<int(max=2147483647):artist_id>/members")
def add_member(artist_id: int) -> BaseResponse:
    open_artist(artist_id)
    username = request.form.get("username", "")
    role = "owner" if request.form.get("role") == "owner" else "editor"
    try:
        services.add_member(artist_id, username, role)
    except MembershipError as error:
        db.session.rollback()
        with reading():
            artist = queries.artist_page(artist_id, even_unheard=True)
        values = {"name": artist.name, "bio": artist.bio, "username": username[:80]} if artist else {}
        return _artist_page(artist_id, forms.Form(values, {"username": str(error)}), 422)
    db.session.commit()
    flash(_("They may open this studio now."))
    return _to_artist(artist_id)


@blueprint.post("/studio/artists/<int(max=2147483647):artist_id>/members/<int(max=2147483647):user_id>/remove")
def remove_member(artist_id: int, user_id: int) -> BaseResponse:
    open_artist(artist_id)
    try:
        services.remove_member(artist_id, user_id)
    except MembershipError as error:
        db.session.rollback()
        flash(str(error), "error")
        return _to_artist(artist_id)
    db.session.commit()
    if user_id == signed_in_id():
        flash(_("You have left this studio."))
        return redirect(url_for("catalog.studio"), 303)
    flash(_("They can't open this studio any more."))
    return _to_artist(artist_id)


def _to_artist(artist_id: int) -> BaseResponse:
    return redirect(url_for("catalog.studio_artist", artist_id=artist_id), 303)
