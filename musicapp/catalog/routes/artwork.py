"""Pictures: immutable files under the id of their artwork."""

from __future__ import annotations

from flask import Response, abort, current_app, request

from musicapp.accounts.identity import current_viewer
from musicapp.catalog import queries
from musicapp.catalog.routes.door import blueprint
from musicapp.core.security import public
from musicapp.core.storage import store

_MIMES = {"webp": "image/webp", "jpg": "image/jpeg"}


@blueprint.get("/artwork/<int(max=2147483647):artwork_id>/<int(max=2147483647):size>.<suffix>")
@public
def artwork(artwork_id: int, size: int, suffix: str) -> Response:
    """One size of a picture, for those who may see its page. What isn't for everybody, no shared cache may keep."""
    is_open_site = current_app.config["PUBLIC_LISTENING"]
    viewer = current_viewer()
    if not (is_open_site or viewer.is_authenticated):
        abort(404)
    found = queries.artwork_for(viewer.id, artwork_id)
    if found is None or size not in found.sizes or suffix not in _MIMES:
        abort(404)
    etag = f"{found.key.rsplit('/', 1)[-1]}-{size}-{suffix}"
    if request.if_none_match.contains(etag):
        response = Response(status=304)
    else:
        try:
            # Whole: the largest is a few hundred kilobytes, less than opening it lazily would spare.
            content = store().path(f"{found.key}-{size}.{suffix}").read_bytes()
        except FileNotFoundError:
            abort(404)
        response = Response(content, mimetype=_MIMES[suffix])
    response.set_etag(etag)
    # An artwork never changes under its id, so a year is right; who may see it is asked again by those who have none.
    kept_by = "public" if found.is_public and is_open_site else "private"
    if kept_by == "public":
        # Mails show covers, and where people read mail in a browser that is another site's page.
        response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Cache-Control"] = f"{kept_by}, max-age=31536000, immutable"
    return response
