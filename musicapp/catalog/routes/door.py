"""The blueprint, and what its views share: who may come in, and what a chosen picture goes through."""

from __future__ import annotations

from flask import Blueprint, abort, request
from flask_babel import gettext as _
from werkzeug.exceptions import RequestEntityTooLarge

from musicapp.accounts.identity import signed_in_id
from musicapp.catalog import forms, queries, services
from musicapp.core.db import db

blueprint = Blueprint("catalog", __name__, url_prefix="", template_folder="../templates")


def open_album(album_id: int, *, even_deleted: bool = False) -> None:
    """Ends the request with 404 unless the viewer is a member of the album's artist."""
    if not queries.may_edit_album(signed_in_id(), album_id, even_deleted=even_deleted):
        abort(404)


def open_artist(artist_id: int) -> None:
    """Ends the request with 404 unless the viewer is a member of the artist."""
    if not queries.may_edit_artist(signed_in_id(), artist_id):
        abort(404)


def limit_body() -> None:
    """Stops reading a form whose picture is far too large. To be called before the form is looked at."""
    request.max_content_length = forms.MAX_REQUEST_BYTES
    try:
        request.form  # noqa: B018 - looking at it reads it
    except RequestEntityTooLarge:
        abort(413, _("This picture is larger than 20 MB. Go back and choose a smaller one."))


def keep_sent_picture(name: str, form: forms.Form) -> str | None:
    """Stores the picture sent as `name` and returns its key; None for none, or with words in form.errors.

    Ends the transaction first: SQLite's write lock would else be held while bytes are copied.
    """
    db.session.rollback()
    picture = request.files.get(name)
    if words := forms.picture_error(picture):
        form.errors[name] = words
    if not form.is_valid or picture is None or not forms.is_sent(picture):
        return None
    head = picture.stream.read(16)
    picture.stream.seek(0)
    try:
        return services.keep_picture(picture.stream, forms.picture_suffix(head) or "")
    except OSError as error:
        form.errors[name] = str(error)
        return None
