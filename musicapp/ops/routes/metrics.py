"""`GET /metrics`, for Prometheus."""

from __future__ import annotations

import hmac
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from flask import Response, current_app, request

from musicapp.accounts.identity import current_viewer
from musicapp.core.security import public
from musicapp.ops.metrics import CONTENT_TYPE_LATEST, exposition
from musicapp.ops.routes._blueprint import blueprint

WORDS = "Send METRICS_TOKEN as a bearer token, sign in as an admin, or ask from a network of METRICS_ALLOWED.\n"
FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP", "Forwarded", "Via")


@blueprint.get("/metrics")
@public
def metrics() -> Response:
    """Everything the site counts, for whoever may know."""
    if not (_has_token() or _asks_from_allowed_network() or current_viewer().is_admin):
        return Response(WORDS, 401, {"WWW-Authenticate": 'Bearer realm="metrics"', "Content-Type": "text/plain"})
    return Response(exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"})


def _has_token() -> bool:
    token = current_app.config["METRICS_TOKEN"]
    sent = request.authorization
    if not token or sent is None or sent.type != "bearer":
        return False
    return hmac.compare_digest((sent.token or "").encode(), token.encode())


def _asks_from_allowed_network() -> bool:
    """Only where no proxy stands in between: whoever forges X-Forwarded-For, or comes by a proxy on this machine that
    nobody told us of, is not the machine that he seems to be. A proxy that says nothing else still asks for the site
    by the name that the world knows it by."""
    public_name = urlsplit(current_app.config["SITE_URL"]).hostname or ""
    asks_by_public_name = urlsplit(f"//{request.host}").hostname == public_name and not _is_loopback(public_name)
    if asks_by_public_name or any(name in request.headers for name in FORWARDED):
        return False
    try:
        peer = ip_address(request.environ.get("REMOTE_ADDR", ""))
        return any(peer in network for network in allowed_networks(current_app.config["METRICS_ALLOWED"]))
    except ValueError:
        return False


def _is_loopback(name: str) -> bool:
    try:
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def allowed_networks(text: str) -> list[IPv4Network | IPv6Network]:
    """The networks of a list such as "10.0.0.0/8, ::1"; "none" is none. Raises ValueError for what is no network."""
    names = [name.strip() for name in text.split(",")]
    return [ip_network(name, strict=False) for name in names if name and name != "none"]
