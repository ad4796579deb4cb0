"""The one blueprint of the desk, shut for everybody but admins whatever its views say."""

from __future__ import annotations

from flask import Blueprint, abort, request

from musicapp.accounts.identity import current_viewer

blueprint = Blueprint("ops", "musicapp.ops", template_folder="templates")


@blueprint.before_request
def _shut_for_others() -> None:
    # A second bolt beside admin_only: a page that forgets it is shut all the same, and OPTIONS says nothing either.
    if request.path.startswith("/admin") and not current_viewer().is_admin:
        abort(404)
