"""What everybody may see of a person: the profile and the picture. And the switch between dark and light."""

from __future__ import annotations

from flask import abort, current_app, make_response, redirect, request, send_file
from flask.typing import ResponseReturnValue

from musicapp.accounts import queries
from musicapp.accounts.avatars import SIZES_PX, avatar_file
from musicapp.accounts.identity import avatar_url, current_viewer, refuse_stranger, safe_next
from musicapp.accounts.routes._blueprint import blueprint
from musicapp.core.pages import page
from musicapp.core.security import public
from musicapp.live import services as live

THEMES = ("dark", "light")
THEME_COOKIE_SECONDS = 365 * 24 * 3600


@blueprint.get("/people/<username>")
@public
def profile(username: str) -> ResponseReturnValue:
    """A person's page; where listening needs an account, strangers are not shown who is here either."""
    if not (current_app.config["PUBLIC_LISTENING"] or current_viewer().is_authenticated):
        return refuse_stranger()
    cursor = live.current_cursor()
    person = queries.profile_of(username)
    if person is None:
        abort(404)
    picture = avatar_url(person.avatar_key, max(SIZES_PX))
    return page("accounts/profile.html", person=person, picture=picture, cursor=cursor)


@blueprint.get("/avatars/<name>")
@public
def avatar(name: str) -> ResponseReturnValue:
    """A picture under an address that never shows another one; so it may be kept for ever."""
    path = avatar_file(name)
    if path is None or not path.is_file():
        abort(404)
    response = make_response(send_file(path, mimetype="image/webp", conditional=True, max_age=31536000))
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


@blueprint.post("/theme")
@public
def theme() -> ResponseReturnValue:
    """Remembers "dark" or "light" in a cookie; anything else goes by the system again."""
    wanted = request.form.get("theme", "")
    response = make_response(redirect(safe_next(request.form.get("next")) or "/", 303))
    if wanted in THEMES:
        # Readable by scripts: the switch in the page sets it, too.
        response.set_cookie(
            "theme",
            wanted,
            max_age=THEME_COOKIE_SECONDS,
            samesite="Lax",
            secure=current_app.config["SESSION_COOKIE_SECURE"],
        )
    else:
        response.delete_cookie("theme", samesite="Lax", secure=current_app.config["SESSION_COOKIE_SECURE"])
    return response
