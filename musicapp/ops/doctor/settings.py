"""What the settings say: what can't work, what is dangerous, what looks like a slip of the pen."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Iterator
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from flask import current_app
from limits import parse_many

from config import DEFAULTS
from musicapp.audio.ladder import parse_profiles
from musicapp.core.settings import setting
from musicapp.ops.doctor.registry import OK, PROBLEM, WARNING, Finding, check

SHORTEST_KEY = 24
LOCAL = ("localhost", "127.0.0.1", "::1")
ALSO_KNOWN = (
    "MAIL_SUPPRESS_SEND",
    "WEB_CONCURRENCY",
    "WEB_CONNECTIONS",
    "WORKER_DEFAULT_CONCURRENCY",
    "WORKER_MEDIA_CONCURRENCY",
    "REDIS_PASSWORD",
    "SITE_PACKAGES",
)
"""Of the runner and of docker-compose.yml; they stand in the same environment."""


def _key_file_is_open() -> bool:
    kept = Path(current_app.instance_path) / "secret_key"
    return not os.environ.get("SECRET_KEY") and kept.exists() and bool(stat.S_IMODE(kept.stat().st_mode) & 0o077)


@check("SECRET_KEY")
def secret_key() -> Finding:
    key = str(setting("SECRET_KEY"))
    if len(key) < SHORTEST_KEY or len(set(key)) < 8:
        return Finding(
            PROBLEM,
            "It can be guessed; who guesses it signs in as anybody.",
            'Make a long one: python3 -c "import secrets; print(secrets.token_urlsafe(48))". Everybody signs in again.',
        )
    if _key_file_is_open():
        file = Path(current_app.instance_path) / "secret_key"
        return Finding(PROBLEM, f"Others on this machine can read {file}.", f"chmod 600 {file}")
    return Finding(OK, f"{len(key)} characters")


@check("SITE_URL")
def site_url() -> Iterator[Finding]:
    address = str(setting("SITE_URL"))
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        yield Finding(PROBLEM, f"{address!r} is no address.", "Write it as people type it: https://music.example.org")
        return
    if parts.hostname in LOCAL:
        yield Finding(
            WARNING,
            f"Links in mails lead to {address}, which only this machine reaches.",
            "Set SITE_URL to the address that people use. For trying things out here all is well.",
        )
    elif parts.scheme == "http":
        yield Finding(
            WARNING,
            f"{address} is not encrypted: passwords and sessions can be read on the way.",
            "Let nginx or another proxy end TLS (docs/running.md), and set SITE_URL=https://…",
        )
    yield _reach(address)


def _reach(address: str) -> Finding:
    asking = Request(f"{address}/healthz", headers={"User-Agent": "musicapp doctor"})  # noqa: S310 - http(s), looked at
    try:
        with urlopen(asking, timeout=5) as answer:  # noqa: S310
            said = answer.read(200)
    except (OSError, ValueError) as error:
        return Finding(
            WARNING,
            f"{address} does not answer from here: {getattr(error, 'reason', error)}.",
            "If the site runs: look at DNS, the firewall and the proxy. Inside a container it may be out of reach.",
        )
    if b'"ok"' not in said.replace(b" ", b""):
        return Finding(
            PROBLEM,
            f"Something else answers at {address}.",
            "Look where the name leads to, and what the proxy passes on; /healthz must reach musicapp.",
        )
    return Finding(OK, f"{address} answers")


@check("proxies")
def proxies() -> Finding:
    count, is_https = int(setting("TRUSTED_PROXY_COUNT")), str(setting("SITE_URL")).startswith("https://")
    if count == 0 and setting("USE_X_ACCEL_REDIRECT"):
        return Finding(
            PROBLEM,
            "USE_X_ACCEL_REDIRECT is on, but no proxy is in front: listeners get empty answers.",
            "Set TRUSTED_PROXY_COUNT=1 behind nginx, or USE_X_ACCEL_REDIRECT=false without it.",
        )
    if count == 0 and is_https:
        return Finding(
            PROBLEM,
            "SITE_URL is https, so a proxy ends TLS, but none is trusted: all visitors have one address, and limits "
            "of sign-ins hit all of them.",
            "Set TRUSTED_PROXY_COUNT to the number of proxies in front (1 for nginx).",
        )
    if count > 0 and not is_https and urlsplit(str(setting("SITE_URL"))).port == setting("PORT"):
        return Finding(
            WARNING,
            "Proxies are trusted, but SITE_URL leads to gunicorn itself: who connects directly can forge an address.",
            "Set TRUSTED_PROXY_COUNT=0, or SITE_URL to the proxy's address and HOST=127.0.0.1.",
        )
    return Finding(OK, f"{count} trusted")


@check("numbers and lists")
def values() -> Iterator[Finding]:
    wrong = []
    for name, (default, _) in DEFAULTS.items():
        if isinstance(default, int) and not isinstance(default, bool) and int(setting(name)) < 0:
            wrong.append(Finding(PROBLEM, f"{name} is below zero.", f"Leave it out: the default is {default}."))
        if name.endswith("_RATE_LIMIT"):
            try:
                parse_many(str(setting(name)))
            except ValueError:
                words = f"{name}={setting(name)!r} can't be read."
                wrong.append(Finding(PROBLEM, words, f"Write it as in {default!r}."))
    try:
        parse_profiles([name.strip() for name in str(setting("RENDITIONS")).split(",")])
    except ValueError as error:
        wrong.append(Finding(PROBLEM, str(error), f"The default is RENDITIONS={DEFAULTS['RENDITIONS'][0]}."))
    if "@" not in parseaddr(str(setting("MAIL_DEFAULT_SENDER")))[1]:
        words = f"MAIL_DEFAULT_SENDER={setting('MAIL_DEFAULT_SENDER')!r} has no address."
        wrong.append(Finding(PROBLEM, words, "Write it as in: My Music <music@example.org>"))
    yield from wrong or [Finding(OK, f"{len(DEFAULTS)} settings can be used")]


@check("names of settings")
def names() -> Iterator[Finding]:
    """A misspelt name is ignored in silence; here it is not."""
    beginnings = tuple({name.split("_")[0] + "_" for name in DEFAULTS if "_" in name} - {"SITE_", "USE_", "LOG_"})
    strange = [
        name
        for name, value in sorted(os.environ.items())
        if value and name.startswith(beginnings) and name not in DEFAULTS and name not in ALSO_KNOWN
    ]
    for name in strange:
        close = difflib.get_close_matches(name, DEFAULTS, n=1, cutoff=0.75)
        if close:
            yield Finding(WARNING, f"{name} is no setting and does nothing.", f"Did you mean {close[0]}?")
    if not strange:
        yield Finding(OK, "none is misspelt")
