"""Who asks: Flask-Login's `current_user` is a small Viewer, known from the session cookie without a query.

Doors are shut by default: a view is open to strangers only when core.security.public marks it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, jsonify, redirect, request, session, url_for
from flask_login import LoginManager, current_user, login_user, logout_user

from musicapp.accounts import session_cache
from musicapp.accounts.session_rows import session_facts, touch_session
from musicapp.accounts.tokens import hash_token
from musicapp.core.db import utc_now
from musicapp.core.security import is_hidden, is_public

SEEN_EVERY = timedelta(minutes=10)
"""How exact "last seen" is; each step costs one write per device."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever made the request. A stranger has the same attributes."""

    is_authenticated: bool = False
    id: int | None = None
    username: str = ""
    display_name: str = ""
    email_confirmed: bool = False
    is_admin: bool = False
    avatar_key: str | None = None
    time_zone: str = "UTC"
    locale: str = "en"
    session_id: int | None = None
    last_seen_at: datetime | None = field(default=None, compare=False)
    token: str = field(default="", repr=False, compare=False)

    @property
    def is_active(self) -> bool:
        return self.is_authenticated

    @property
    def is_anonymous(self) -> bool:
        return not self.is_authenticated

    @property
    def avatar_url(self) -> str | None:
        return avatar_url(self.avatar_key)

    def get_id(self) -> str:
        """What Flask-Login keeps in the cookie: the session's token, not the user's id."""
        return self.token


STRANGER = Viewer()


def avatar_url(avatar_key: str | None, size: int = 96) -> str | None:
    """Address of a picture; `avatar_key` is User.avatar_key."""
    if not avatar_key:
        return None
    return url_for("accounts.avatar", name=f"{avatar_key.rsplit('/', 1)[-1]}-{size}.webp")


def current_viewer() -> Viewer:
    """The typed form of Flask-Login's current_user; STRANGER outside a request."""
    viewer: Viewer = current_user._get_current_object() if request else STRANGER
    return viewer


def signed_in_id() -> int:
    """The id of the user who asks. Ends the request with 401 for a stranger."""
    viewer = current_viewer()
    if viewer.id is None:
        abort(401)
    return viewer.id


def sign_in(token: str) -> Viewer:
    """Puts the browser into a session opened (and committed) by services.open_session, under a new id."""
    session.clear()
    session.permanent = True
    viewer = _load(token)
    if viewer is None:
        raise LookupError("the session is not in the database")
    login_user(viewer)
    return viewer


def sign_out() -> None:
    """Empties the cookie. The row is revoked by services.revoke_session."""
    logout_user()
    session.clear()


def _load(token: str) -> Viewer | None:
    token_hash = hash_token(token)
    facts = session_cache.kept(token_hash)
    if facts is None:
        # On a connection of its own: a POST's session would take SQLite's write lock for this.
        found = session_facts(token_hash)
        if found is None:
            return None
        facts = found
        session_cache.keep(token_hash, facts)
    last_seen_at = datetime.fromisoformat(facts["last_seen_at"])
    if last_seen_at < utc_now() - current_app.permanent_session_lifetime:
        return None
    return Viewer(**{**facts, "is_authenticated": True, "last_seen_at": last_seen_at, "token": token})


def _load_for_request(token: str) -> Viewer | None:
    # The page that says that the database is away shows nobody's name: it can't ask for it.
    return None if g.get("database_is_away") else _load(token)


def _note_seen(response: Response) -> Response:
    viewer: Any = g.get("_login_user")
    if not isinstance(viewer, Viewer) or viewer.last_seen_at is None or viewer.session_id is None:
        return response
    if utc_now() - viewer.last_seen_at >= SEEN_EVERY and touch_session(viewer.session_id, SEEN_EVERY):
        session_cache.drop({hash_token(viewer.token)})
        session.modified = True  # the cookie's own time runs from here again
    return response


def _shut_by_default() -> Response | None:
    if request.endpoint is None or request.endpoint == "static":
        return None
    view = current_app.view_functions.get(request.endpoint)
    if is_public(view) or current_viewer().is_authenticated:
        return None
    if is_hidden(view):
        abort(404)
    return refuse_stranger()


def refuse_stranger() -> Response:
    """Sends a stranger to /login and back afterwards; programs get 401 with the same words."""
    login_url = url_for("accounts.login", next=_way_back())
    is_htmx = request.headers.get("HX-Request") == "true"
    accepted = request.accept_mimetypes
    is_program = (
        request.path.startswith(("/uploads/", "/plays", "/live", "/jobs/")) and not accepted.accept_html
    ) or accepted.best_match(["text/html", "application/json"], "text/html") == "application/json"
    if is_htmx or is_program or "Tus-Resumable" in request.headers:
        response = jsonify(error="Log in first.")
        response.status_code = 401
        if is_htmx:
            response.headers["HX-Redirect"] = login_url
        return response
    return redirect(login_url, 303)  # type: ignore[return-value]


def _way_back() -> str | None:
    if request.headers.get("HX-Request") == "true":
        # The page that asked, not the piece that it asked for.
        try:
            shown = urlsplit(request.headers.get("HX-Current-URL", ""))
        except ValueError:  # such as http://[
            return None
        return safe_next(shown.path + (f"?{shown.query}" if shown.query else ""))
    if request.method in {"GET", "HEAD"}:
        return safe_next(request.full_path.rstrip("?"))
    return None


def safe_next(target: str | None) -> str | None:
    """A path of this site, or None for anything that a browser could take for another site."""
    if not target or not target.startswith("/") or len(target) > 2000:
        return None
    # Browsers read "\" as "/" and skip control characters: "/\evil", "//evil" and "/<tab>/evil" lead away.
    if target.startswith("//") or "\\" in target or any(ord(letter) < 0x20 for letter in target):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target


def init_identity(app: Flask) -> None:
    manager = LoginManager()
    manager.anonymous_user = lambda: STRANGER
    # Our session ids are random and stored; Flask-Login's check of address and browser would only mark pages "stale".
    manager.session_protection = None
    manager.user_loader(_load_for_request)
    manager.unauthorized_handler(refuse_stranger)
    manager.init_app(app, add_context_processor=False)
    # The cookie is renewed when the session is seen (every ten minutes), not on each response.
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False
    app.extensions["babel"].locale_selector = _locale
    app.extensions["babel"].timezone_selector = _time_zone
    app.before_request(_shut_by_default)
    app.after_request(_note_seen)

    @app.context_processor
    def _viewer() -> dict[str, Any]:
        return {"viewer": current_viewer()}


def _locale() -> str | None:
    viewer = current_viewer()
    if viewer.is_authenticated:
        return viewer.locale
    offered = [str(locale) for locale in current_app.extensions["babel"].instance.list_translations()]
    return request.accept_languages.best_match(offered) if request else None


def _time_zone() -> str | None:
    viewer = current_viewer()
    return viewer.time_zone if viewer.is_authenticated else None
