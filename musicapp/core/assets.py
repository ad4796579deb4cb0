"""Static files under one address per version of the site: `/assets/<version>/js/app.js`, kept by browsers for ever.

Scripts import each other by relative names, so a page never mixes new ones with old. First-party scripts are served
without comments and spaces, and text compressed, both made once per process: there is no build step.
"""

from __future__ import annotations

import gzip
import hashlib
import re
from functools import lru_cache
from pathlib import Path

import brotli
import rjsmin
from flask import Flask, Response, abort, current_app, request
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_compress import Compress
from markupsafe import Markup
from werkzeug.http import is_resource_modified
from werkzeug.security import safe_join

from musicapp.core.security import public

_TEXT = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".txt": "text/plain"}
_IMPORT = re.compile(r"""(?:^|\n)(?:import|export)\s(?:[^;"']*?\sfrom\s)?["'](\.[^"']+)["']""")
_ENTRY = "js/app.js"


class Assets:
    """The files of a folder, and what was made of them. `version` changes with any of them."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: dict[tuple[str, str], bytes] = {}
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        digest = hashlib.sha256()
        for path in files:
            digest.update(path.relative_to(folder).as_posix().encode())
            digest.update(path.read_bytes())
        self.version = digest.hexdigest()[:12]
        self.modules = self._modules() if (folder / _ENTRY).exists() else []
        """First-party scripts that every page loads, for `modulepreload`: what the entry imports, step by step."""

    def _modules(self) -> list[str]:
        found, waiting = [], [_ENTRY]
        while waiting:
            name = waiting.pop(0)
            if name in found:
                continue
            found.append(name)
            here = self._folder / name
            imports = (here.parent / step for step in _IMPORT.findall(here.read_text()))
            waiting += [path.resolve().relative_to(self._folder.resolve()).as_posix() for path in imports]
        return found

    def path(self, name: str) -> Path | None:
        """The file of that name, or None; never one outside the folder."""
        joined = safe_join(str(self._folder), name)
        path = Path(joined) if joined else None
        return path if path is not None and path.is_file() else None

    def body(self, name: str, path: Path, encoding: str) -> bytes:
        """The bytes of a text file in an encoding: "br", "gzip" or ""."""
        if (name, encoding) not in self._made:
            plain = path.read_bytes()
            if name.startswith("js/"):
                plain = rjsmin.jsmin(plain.decode()).encode()
            if encoding == "br":
                plain = brotli.compress(plain)
            elif encoding == "gzip":
                plain = gzip.compress(plain, mtime=0)
            self._made[name, encoding] = plain
        return self._made[name, encoding]

    def make_all(self) -> None:
        """Makes all text small, so that the first visitor doesn't wait for it: a second of one core, in a thread."""
        for path in sorted(self._folder.rglob("*")):
            if path.suffix in _TEXT and path.is_file():
                for encoding in ("br", "gzip"):
                    self.body(path.relative_to(self._folder).as_posix(), path, encoding)


_read_once = lru_cache(Assets)
"""Tests make an app each."""


def _assets() -> Assets:
    if current_app.debug:  # files change while somebody works on them
        return Assets(Path(str(current_app.static_folder)))
    assets: Assets = current_app.extensions["assets"]
    return assets


def static_url(filename: str) -> str:
    """The address of a static file, which changes when any static file does."""
    return f"/assets/{_assets().version}/{filename}"


def script_modules() -> list[str]:
    """Addresses of the scripts that every page loads."""
    return [static_url(name) for name in _assets().modules]


def draw_icon(name: str, label: str = "", filled: bool = False, **attributes: str) -> Markup:
    """A picture of the sprite. `class` adds to its classes; without a label it is hidden from those who listen."""
    return _drawn_icon(static_url("icons.svg"), name, label, filled, attributes.get("class", ""))


@lru_cache(maxsize=2048)
def _drawn_icon(sprite: str, name: str, label: str, is_filled: bool, classes: str) -> Markup:
    said = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    names = " ".join(filter(None, ("icon", "icon-filled" if is_filled else "", classes)))
    return Markup('<svg class="{}" {}><use href="{}#{}"></use></svg>').format(names, said, sprite, name)


@public
def asset(version: str, filename: str) -> Response:
    """An old version gets today's file, but may not keep it: its page was drawn before a new one was installed."""
    assets = _assets()
    path = assets.path(filename)
    if path is None:
        abort(404)
    if mimetype := _TEXT.get(path.suffix):
        encoding = request.accept_encodings.best_match(["br", "gzip"]) or ""
        response = Response(assets.body(filename, path, encoding), mimetype=mimetype)
        if encoding:
            response.headers["Content-Encoding"] = encoding
        response.vary.add("Accept-Encoding")
        response.set_etag(f"{assets.version}-{encoding or 'plain'}")
        if not is_resource_modified(request.environ, etag=response.get_etag()[0]):
            response.status_code = 304
            response.data = b""
    else:
        response = current_app.send_static_file(filename)
    is_current = version == assets.version
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if is_current else "no-cache"
    return response


class _Sessions(SecureCookieSessionInterface):
    """Files are the same for everybody: no answer with one depends on a cookie, so shared caches may keep it."""

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if request.endpoint not in {"asset", "static"}:
            super().save_session(app, session, response)


def _compress_pages(app: Flask) -> None:
    """Pages and JSON; static text is compressed once, above, and streams must arrive as they are sent."""
    app.config.update(
        COMPRESS_MIMETYPES=["text/html", "application/json"],
        COMPRESS_STREAMS=False,
        COMPRESS_ALGORITHM=["br", "gzip"],
        COMPRESS_BR_LEVEL=4,  # 300 kB in 3 ms; the next levels cost more than they save
        COMPRESS_LEVEL=5,
        COMPRESS_MIN_SIZE=1000,
    )
    Compress(app)


def init_assets(app: Flask) -> None:
    _compress_pages(app)
    app.session_interface = _Sessions()
    app.extensions["assets"] = _read_once(Path(str(app.static_folder)))
    app.add_url_rule("/assets/<version>/<path:filename>", "asset", asset)
    app.jinja_env.globals.update(static_url=static_url, draw_icon=draw_icon, script_modules=script_modules)
