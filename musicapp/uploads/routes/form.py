"""The plain form, for readers without scripts: every file in one request, then back to the album's studio page."""

from __future__ import annotations

import shutil

from flask import abort, flash, redirect, request
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from musicapp.accounts.identity import signed_in_id
from musicapp.core.db import db, reading
from musicapp.core.security import reads_body_itself
from musicapp.core.storage import store
from musicapp.uploads import queries, services
from musicapp.uploads.errors import UploadRefusedError
from musicapp.uploads.filenames import clean_filename
from musicapp.uploads.form_files import FormFile, read_form_files
from musicapp.uploads.limits import current_limits
from musicapp.uploads.routes.blueprint import blueprint
from musicapp.uploads.routes.door import album_to_fill, long_body

# Words travel to the next page in a cookie, which holds 4 KiB.
MOST_REFUSALS_SHOWN = 4


@blueprint.post("/albums/<int(max=2147483647):album_id>/uploads")
@reads_body_itself
def receive_form(album_id: int) -> Response:
    user_id = signed_in_id()
    album_to_fill(user_id, str(album_id))
    with reading():
        max_bytes = min(current_limits().file_bytes, queries.kept_by(user_id).left_bytes)
        db.session.rollback()
    scratch = store().scratch_dir()
    try:
        with long_body():
            files = read_form_files(request, scratch, max_bytes=max_bytes, free_bytes=store().free_bytes)
        refusals = [refusal for file in files if (refusal := _accept(user_id, album_id, file))]
        db.session.commit()
    except ValueError:
        abort(400, _("The form arrived damaged. Send it again."))
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    _say_what_came(files, refusals)
    return redirect(f"/studio/albums/{album_id}", 303)


def _accept(user_id: int, album_id: int, file: FormFile) -> str | None:
    """Takes one file of the form; the reason in words where it is refused."""
    refusal = file.refusal
    if refusal is None:
        try:
            services.accept_upload(user_id=user_id, album_id=album_id, filename=file.filename, file=file.path)
        except UploadRefusedError as error:
            refusal = str(error)
    return f"{clean_filename(file.filename)[:100]}: {refusal}" if refusal else None


def _say_what_came(files: list[FormFile], refusals: list[str]) -> None:
    for refusal in refusals[:MOST_REFUSALS_SHOWN]:
        flash(refusal, "error")
    if more := len(refusals[MOST_REFUSALS_SHOWN:]):
        flash(ngettext("%(num)s more file was refused.", "%(num)s more files were refused.", more), "error")
    if not files:
        flash(_("Choose at least one audio file first."), "error")
    elif len(refusals) < len(files):
        flash(_("Your files are here. They play as soon as they have been looked at."), "success")
