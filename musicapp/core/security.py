"""Headers, same-origin checks and proxies: what keeps strangers' pages out of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, request
from werkzeug.middleware.proxy_fix import ProxyFix

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "object-src 'none'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    )
)

FIXED_HEADERS = (
    ("Content-Security-Policy", CONTENT_SECURITY_POLICY),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()"),
)
"""What every answer says unless its view says otherwise."""

FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
SMALL_FORM_BYTES = 64 * 1024

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Marks a view that needs no account. Everything else asks for one: see accounts.identity."""
    view.__public__ = True  # type: ignore[attr-defined]
    return view


def is_public(view: Callable[..., Any] | None) -> bool:
    return bool(getattr(view, "__public__", False))


def hidden(view: View) -> View:
    """Marks a view that strangers get 404 for, instead of the way to the sign-in: the address says nothing."""
    view.__hidden__ = True  # type: ignore[attr-defined]
    return view


def is_hidden(view: Callable[..., Any] | None) -> bool:
    return bool(getattr(view, "__hidden__", False))


def for_other_sites(view: View) -> View:
    """Marks a view whose unsafe requests may come from anywhere: it asks no cookie who it is, its address says it."""
    view.__for_other_sites__ = True  # type: ignore[attr-defined]
    return view


def refuse_cross_origin() -> None:
    """Refuses unsafe requests that another site's page made, without tokens.

    The rule of Go's net/http CrossOriginProtection: Sec-Fetch-Site decides where a browser sends it, else the
    host of Origin must be ours; a request with neither comes from no browser and carries no ambient cookie.
    """
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method in {"GET", "HEAD", "OPTIONS"} or getattr(view, "__for_other_sites__", False):
        return
    site = request.headers.get("Sec-Fetch-Site", "")
    if site:
        if site not in {"same-origin", "none"}:
            abort(403, "This form came from another site. Open the page here and try again.")
        return
    origin = request.headers.get("Origin", "")
    if origin and _host_of(origin) != request.host:
        abort(403, "This form came from another site. Open the page here and try again.")


def _host_of(address: str) -> str:
    """The host and port of an address, "" for what is none."""
    try:
        return urlsplit(address).netloc
    except ValueError:  # such as http://[
        return ""


def reads_body_itself(view: View) -> View:
    """Marks a view that takes a form's bytes as they come: read_small_form leaves them alone."""
    view.__reads_body_itself__ = True  # type: ignore[attr-defined]
    return view


def read_small_form() -> None:
    """Reads a form before anybody asks the database: a slow client's bytes are not waited for under SQLite's lock.

    Files are larger; who takes them reads them before the first statement, too.
    """
    is_small = request.content_length is not None and request.content_length <= SMALL_FORM_BYTES
    view = current_app.view_functions.get(request.endpoint or "")
    if is_small and request.mimetype in FORMS and view and not getattr(view, "__reads_body_itself__", False):
        request.form  # noqa: B018 - looking at it reads it


def refuse_null_characters() -> None:
    """No address of ours has a NUL in it, and PostgreSQL takes none to look for."""
    if "\0" in request.path:
        abort(404)


def add_headers(response: Response) -> Response:
    headers = response.headers
    for name, value in FIXED_HEADERS:
        headers.setdefault(name, value)
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def init_security(app: Flask) -> None:
    proxies = app.config["TRUSTED_PROXY_COUNT"]
    if proxies:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=proxies, x_proto=proxies, x_host=proxies, x_port=proxies
        )
    app.before_request(refuse_cross_origin)
    app.before_request(refuse_null_characters)
    app.before_request(read_small_form)
    app.after_request(add_headers)
