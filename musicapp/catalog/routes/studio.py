"""The studio's desk and its albums: for members only, everybody else gets 404."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, current_app, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import signed_in_id
from musicapp.catalog import forms, queries, services
from musicapp.catalog.errors import CatalogError
from musicapp.catalog.routes.door import blueprint, keep_sent_picture, limit_body, open_album
from musicapp.core.db import db, reading, row_id
from musicapp.core.pages import page
from musicapp.jobs import queries as job_queries
from musicapp.live import services as live

COVER_KINDS = ("make_album_cover",)


@reading()
def studio_page(form: forms.Form | None = None, status: int = 200) -> Response:
    """The desk: artists, albums, what was deleted. Its form opens one more studio."""
    user_id = signed_in_id()
    deleted = queries.drafts_and_albums_of(user_id, deleted=True, limit=20)
    just_deleted = request.args.get("deleted", type=row_id)
    return page(
        "catalog/studio_page.html",
        status,
        artists=queries.artists_of_user(user_id),
        albums=queries.drafts_and_albums_of(user_id),
        deleted=deleted,
        just_deleted=next((album for album in deleted if album.id == just_deleted), None),
        form=form or forms.Form(),
    )


@blueprint.get("/studio/")
def studio() -> Response:
    return studio_page()


@reading()
def _new_album_page(form: forms.AlbumForm, artist_id: int | None, status: int = 200) -> BaseResponse:
    artists = queries.artists_of_user(signed_in_id())
    if not artists:
        flash(_("First say under which name you publish."))
        return redirect(url_for("catalog.studio"), 303)
    options = [(artist.id, artist.name) for artist in artists]
    return page("catalog/album_new_page.html", status, form=form, artist_options=options, artist_id=artist_id)


@blueprint.get("/studio/albums/new")
def new_album() -> BaseResponse:
    form = forms.AlbumForm(values={"kind": "album"})
    return _new_album_page(form, request.args.get("artist_id", type=row_id))


@blueprint.post("/studio/albums/new")
def create_album() -> BaseResponse:
    limit_body()
    form = forms.album_form(request.form)
    user_id = signed_in_id()
    cover_key = keep_sent_picture("cover", form)
    artist_id = request.form.get("artist_id", type=row_id)
    if artist_id is None:
        own = queries.artists_of_user(user_id)
        artist_id = own[0].id if len(own) == 1 else None
    if artist_id is None or not queries.may_edit_artist(user_id, artist_id):
        form.errors["artist_id"] = _("Choose one of your artists.")
    if not form.is_valid or artist_id is None:
        services.forget_picture(cover_key)
        db.session.rollback()
        return _new_album_page(form, artist_id, 422)
    album_id = services.create_album(artist_id=artist_id, user_id=user_id, **form.arguments)
    if cover_key:
        services.ask_for_album_cover(album_id, cover_key, owner_id=user_id)
    db.session.commit()
    flash(_("The album is made. Now add its tracks."))
    return redirect(url_for("catalog.studio_album", album_id=album_id), 303)


@reading()
def studio_album_page(album_id: int, form: forms.Form | None = None, status: int = 200, words: str = "") -> Response:
    """The page on which an album is made; `words` say why what was asked for can't be done."""
    cursor = live.current_cursor()
    album = queries.album_page(album_id)
    if album is None:
        abort(404)
    just_deleted = request.args.get("deleted_track", type=row_id)
    removed = queries.editable_track(just_deleted) if just_deleted else None
    return page(
        "catalog/studio_album_page.html",
        status,
        album=album,
        form=form or _album_form_of(album),
        words=words,
        taken_down=queries.reason_taken_down(album_id),
        cover_job=job_queries.latest_jobs(COVER_KINDS, [album_id]).get(album_id),
        silent_queues=job_queries.silent_queues(),
        removed=removed if removed and removed.deleted_at and removed.album_id == album_id else None,
        cursor=cursor,
    )


def _album_form_of(album: queries.AlbumPage) -> forms.AlbumForm:
    values: dict[str, Any] = {
        "title": album.title,
        "kind": album.kind,
        "release_on": album.release_on.isoformat() if album.release_on else "",
        "genres": ", ".join(genre.name for genre in album.genres),
        "description": album.description,
        "credits": album.credits,
    }
    return forms.AlbumForm(values=values)


@blueprint.get("/studio/albums/<int(max=2147483647):album_id>")
def studio_album(album_id: int) -> Response:
    open_album(album_id)
    return studio_album_page(album_id)


@blueprint.post("/studio/albums/<int(max=2147483647):album_id>")
def update_album(album_id: int) -> BaseResponse:
    limit_body()
    open_album(album_id)
    form = forms.album_form(request.form)
    credits = forms.credit_rows(request.form)
    form.values["credits"] = credits
    cover_key = keep_sent_picture("cover", form)
    if not form.is_valid:
        db.session.rollback()
        return studio_album_page(album_id, form, 422)
    services.update_album(album_id, **form.arguments, credits=credits or None)
    if cover_key:
        services.ask_for_album_cover(album_id, cover_key, owner_id=signed_in_id())
    elif request.form.get("remove_cover"):
        services.set_album_cover(album_id, None)
    db.session.commit()
    flash(_("Saved."))
    return _to_album(album_id)


@blueprint.get("/studio/albums/<int(max=2147483647):album_id>/publish")
def after_refused_publishing(album_id: int) -> BaseResponse:
    """A refusal leaves this address in the browser; loading it again shows the album."""
    return _to_album(album_id)


@blueprint.post("/studio/albums/<int(max=2147483647):album_id>/publish")
def publish_album(album_id: int) -> BaseResponse:
    open_album(album_id)
    needs_confirmed = current_app.config["PUBLISHING_NEEDS_CONFIRMED_EMAIL"]
    try:
        services.publish_album(album_id, signed_in_id(), needs_confirmed_email=needs_confirmed)
    except CatalogError as error:
        db.session.rollback()
        return studio_album_page(album_id, status=422, words=str(error))
    db.session.commit()
    flash(_("Published. Everybody can hear it now."))
    return _to_album(album_id)


@blueprint.post("/studio/albums/<int(max=2147483647):album_id>/unpublish")
def unpublish_album(album_id: int) -> BaseResponse:
    open_album(album_id)
    services.unpublish_album(album_id)
    db.session.commit()
    flash(_("It is a draft again: only members see it."))
    return _to_album(album_id)


@blueprint.post("/studio/albums/<int(max=2147483647):album_id>/delete")
def delete_album(album_id: int) -> BaseResponse:
    open_album(album_id)
    services.delete_album(album_id)
    db.session.commit()
    return redirect(url_for("catalog.studio", deleted=album_id), 303)


@blueprint.post("/studio/albums/<int(max=2147483647):album_id>/restore")
def restore_album(album_id: int) -> BaseResponse:
    open_album(album_id, even_deleted=True)
    services.restore_album(album_id)
    db.session.commit()
    flash(_("The album is back."))
    return _to_album(album_id)


def _to_album(album_id: int) -> BaseResponse:
    return redirect(url_for("catalog.studio_album", album_id=album_id), 303)
