"""A playlist itself: its words, cover and link; copies, files, deletion with undo."""

from __future__ import annotations

from flask import Response, abort, current_app, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from musicapp.accounts.identity import signed_in_id
from musicapp.accounts.listening import listening_page
from musicapp.catalog.forms import Form
from musicapp.catalog.routes.door import keep_sent_picture, limit_body
from musicapp.core.db import db, reading
from musicapp.core.pages import page
from musicapp.jobs import queries as job_queries
from musicapp.live import services as live
from musicapp.playlists import exchange, forms, queries, services
from musicapp.playlists.access import kept_key, open_for_editors, open_for_owner, open_playlist
from musicapp.playlists.errors import PlaylistInputError
from musicapp.playlists.routes.blueprint import ID, blueprint, to_playlist

COVER_KIND = "make_playlist_cover"
_MIMES = {"m3u8": "audio/x-mpegurl; charset=utf-8", "jspf": "application/jspf+json"}


@reading()
def _edit_page(playlist_id: int, form: Form | None = None, status: int = 200) -> Response:
    cursor = live.current_cursor()
    head = queries.playlist_head(playlist_id)
    if head is None:
        abort(404)
    values = {"name": head.name, "description": head.description, "visibility": head.visibility}
    return page(
        "playlists/edit_page.html",
        status,
        head=head,
        form=Form({**values, **form.values}, form.errors) if form else Form(values),
        is_owner=queries.role_of(signed_in_id(), playlist_id) == "owner",
        link_token=queries.link_token_of(playlist_id),
        cover_job=job_queries.latest_jobs((COVER_KIND,), [playlist_id]).get(playlist_id),
        cursor=cursor,
    )


@blueprint.get(f"/playlists/{ID}/edit")
def edit_playlist(playlist_id: int) -> Response:
    open_for_editors(playlist_id)
    return _edit_page(playlist_id)


@blueprint.post(f"/playlists/{ID}/edit")
def save_playlist(playlist_id: int) -> BaseResponse:
    user_id = open_for_editors(playlist_id)
    form = forms.playlist_form(request.form)
    if form.is_valid:
        try:
            services.edit_playlist(playlist_id, user_id, **form.values)
        except PlaylistInputError as error:
            form.errors[error.field] = str(error)
    if not form.is_valid:
        db.session.rollback()
        return _edit_page(playlist_id, form, 422)
    db.session.commit()
    flash(_("Saved."))
    return to_playlist(playlist_id)


@blueprint.post(f"/playlists/{ID}/cover")
def set_cover(playlist_id: int) -> BaseResponse:
    """A picture of one's own, field cover; a job checks and resizes it."""
    limit_body()
    user_id = open_for_editors(playlist_id)
    form = Form()
    key = keep_sent_picture("cover", form)
    if key is None:
        form.errors.setdefault("cover", _("Choose a picture first."))
        return _edit_page(playlist_id, form, 422)
    services.ask_for_cover(playlist_id, user_id, key)
    db.session.commit()
    flash(_("The cover is being prepared."))
    return redirect(url_for("playlists.edit_playlist", playlist_id=playlist_id), 303)


@blueprint.post(f"/playlists/{ID}/cover/remove")
def remove_cover(playlist_id: int) -> BaseResponse:
    services.remove_cover(playlist_id, open_for_editors(playlist_id))
    db.session.commit()
    flash(_("The cover is made of the albums again."))
    return redirect(url_for("playlists.edit_playlist", playlist_id=playlist_id), 303)


@blueprint.post(f"/playlists/{ID}/link")
def renew_link(playlist_id: int) -> BaseResponse:
    services.renew_link(playlist_id, open_for_owner(playlist_id))
    db.session.commit()
    flash(_("There is a new link; the old one opens nothing any more."))
    return redirect(url_for("playlists.edit_playlist", playlist_id=playlist_id), 303)


@blueprint.post(f"/playlists/{ID}/delete")
def delete_playlist(playlist_id: int) -> BaseResponse:
    services.delete_playlist(playlist_id, open_for_owner(playlist_id))
    db.session.commit()
    return redirect(url_for("playlists.playlists", deleted=playlist_id), 303)


@blueprint.post(f"/playlists/{ID}/restore")
def restore_playlist(playlist_id: int) -> BaseResponse:
    """Takes a deletion back; services ask whether the viewer owned it."""
    services.restore_playlist(playlist_id, signed_in_id())
    db.session.commit()
    flash(_("The playlist is back."))
    return to_playlist(playlist_id)


@blueprint.post(f"/playlists/{ID}/duplicate")
def duplicate_playlist(playlist_id: int) -> BaseResponse:
    open_playlist(playlist_id)
    copy = services.duplicate_playlist(playlist_id, signed_in_id(), link_token=kept_key(playlist_id))
    copy_id = copy.id
    db.session.commit()
    flash(_("This copy is yours. Only you see it."))
    return to_playlist(copy_id)


@blueprint.get(f"/playlists/{ID}/export.<any(m3u8, jspf):suffix>")
@listening_page
def export_playlist(playlist_id: int, suffix: str) -> Response:
    """The playlist as a file for other programs."""
    access = open_playlist(playlist_id)
    head = queries.playlist_head(playlist_id)
    if head is None:
        abort(404)
    site_url = current_app.config["SITE_URL"]
    words = exchange.PlaylistWords(head.name, head.owner.name, head.description, site_url + head.url)
    rows = queries.export_rows(playlist_id, access.user_id)
    write = exchange.write_m3u8 if suffix == "m3u8" else exchange.write_jspf
    # Whole: sent while it is read, a slow connection would hold the transaction open. Ten thousand tracks are 3 MB.
    response = Response("".join(write(words, rows, site_url)), mimetype=_MIMES[suffix])
    name = "".join(letter for letter in head.name if letter.isprintable() and letter not in '\\/:*?"<>|') or "playlist"
    response.headers.set("Content-Disposition", "attachment", filename=f"{name}.{suffix}")
    response.headers["Cache-Control"] = "private, no-store"
    return response
