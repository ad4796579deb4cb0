"""Whether nginx may let somebody through to Flower, which knows nobody itself."""

from __future__ import annotations

from flask import Response

from musicapp.accounts.identity import current_viewer
from musicapp.core.security import public
from musicapp.ops.routes._blueprint import blueprint


@blueprint.get("/flower-auth")
@public
def flower_auth() -> Response:
    """Asked by nginx before each request to /flower/: 204 for admins, 401 for strangers, 403 for who is signed in.

    Outside of /admin/, where others get 404: nginx takes nothing but 401 and 403 for a no.
    """
    viewer = current_viewer()
    response = Response(status=204 if viewer.is_admin else 403 if viewer.is_authenticated else 401)
    response.headers["Cache-Control"] = "no-store"
    return response
