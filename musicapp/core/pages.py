"""Pages: one place that decides between a whole page and the inside of `<main>`, and how words reach people."""

from __future__ import annotations

import errno
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, current_app, g, has_app_context, make_response, render_template, request
from flask_babel import get_locale, get_translations
from flask_babel import gettext as _
from jinja2 import FileSystemBytecodeCache
from markupsafe import Markup
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException, ServiceUnavailable

from musicapp.core.tracing import request_id

BUSY_RETRY_SECONDS = 5


def wants_fragment() -> bool:
    """True where htmx asks for part of a page: not for boosted links and not when it restores history."""
    headers = request.headers
    return (
        headers.get("HX-Request") == "true"
        and headers.get("HX-Boosted") != "true"
        and headers.get("HX-History-Restore-Request") != "true"
        and headers.get("HX-Request-Type") != "full"
    )


def wants_json() -> bool:
    """True where the client prefers JSON to HTML."""
    accepted = request.accept_mimetypes
    return accepted.best_match(["text/html", "application/json"], "text/html") == "application/json"


def page_before() -> str | None:
    """The page of this site on which a button was pressed; None where nobody says."""
    try:
        came_from = urlsplit(request.referrer or "")
    except ValueError:  # such as http://[
        return None
    # "//evil.example" is a path here and another site in a Location.
    if came_from.netloc != request.host or came_from.path.startswith("//"):
        return None
    return came_from.path + (f"?{came_from.query}" if came_from.query else "")


def page(template: str, status: int = 200, **context: Any) -> Response:
    """Renders a page that says `{% extends layout %}`: whole, or only its content for htmx. An invalid form is 422."""
    layout = "core/fragment.html" if wants_fragment() else "core/base.html"
    response = make_response(render_template(template, layout=layout, **context), status)
    response.vary.add("HX-Request")
    response.headers.setdefault("Cache-Control", "private, no-cache")
    return response


def mark_time(instant: datetime | None) -> Markup:
    """`<time datetime>`: the browser writes it in the reader's zone, so fragments fit everybody."""
    if instant is None:
        return Markup("")
    text = instant.strftime("%Y-%m-%dT%H:%M:%SZ")
    return Markup('<time datetime="{}">{}</time>').format(text, instant.strftime("%d %b %Y, %H:%M UTC"))


def duration_words(duration_ms: int | None) -> str:
    """3:07, or 1:02:03. An unknown length is an en dash."""
    if duration_ms is None:
        return "–"
    seconds = duration_ms // 1000  # as the player counts, or its clock would end a second early
    hours, rest = divmod(seconds, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def size_words(size_bytes: int | None) -> str:
    """12.3 MB, in powers of 1000 as file managers show them."""
    size = float(size_bytes or 0)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit in {"B", "kB"} else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def number_words(number: int) -> str:
    """12,400: grouped the same for everybody, because fragments are."""
    return f"{number:,}"


def title_hue(title: str) -> int:
    """Which of the style sheet's eight hues a cover made from this title has; js/player/panel.js counts the same."""
    hue = 7
    for letter in title.strip().lower():
        hue = (hue * 131 + ord(letter)) % 65521
    return hue * 40503 % 65521 * 8 // 65521  # the golden ratio: titles that differ in one letter lie far apart


def _translations() -> Any:
    """Flask-Babel's translations, looked for once in a page and not for each of its words: a third of its time."""
    if not has_app_context():
        return get_translations()
    context = vars(g._get_current_object())
    locale = getattr(context.get("_flask_babel"), "babel_locale", None)
    kept = context.get("translations")
    if kept is None or locale is None or kept[0] is not locale:  # force_locale makes another one
        found = get_translations()
        kept = context["translations"] = (get_locale(), found)
    return kept[1]


def _error_page(error: HTTPException) -> Response:
    code = error.code or 500
    own_words = error.description if error.description != type(error).description else None
    if wants_json() or request.path.startswith(("/uploads/", "/plays")):
        response = make_response({"error": own_words or error.description}, code)
    else:
        # Of an error on our side the operator finds everything in the log by this number.
        number = request_id() if code >= 500 else None
        response = page("core/error.html", code, code=code, words=own_words, request_id=number)
    for name, value in error.get_headers():
        if name.lower() in {"retry-after", "allow", "content-range"}:
            response.headers[name] = value
    if retry_after := getattr(error, "retry_after", None):
        response.headers.setdefault("Retry-After", str(retry_after))
    return response


def _busy_page(error: Exception) -> Response:
    """The database is away, or somebody writes for longer than anybody waits: it passes, so it is no 500."""
    if _is_full(getattr(error, "orig", None)):
        return _full_disk_page(OSError(errno.ENOSPC, str(error)))
    g.database_is_away = True
    current_app.logger.error("the database did not answer %s %s: %s", request.method, request.path, error)
    words = _("The site is very busy just now, and nothing was saved. Try again in a moment.")
    return _error_page(ServiceUnavailable(words, retry_after=BUSY_RETRY_SECONDS))


def _is_full(error: object) -> bool:
    """What SQLite and PostgreSQL say where they find no room."""
    return (
        getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL or getattr(error, "sqlstate", None) == "53100"
    )


def _full_disk_page(error: OSError) -> Response:
    """A form's file had no room, in the folder for temporary files or in the store. Raises every other error again."""
    if error.errno not in {errno.ENOSPC, errno.EDQUOT}:
        raise error
    current_app.logger.error("no room on the disk for %s %s: %s", request.method, request.path, error)
    return _error_page(ServiceUnavailable(_("The server's disk is full. Try again when there is room.")))


def init_pages(app: Flask) -> None:
    words = {
        "time": mark_time,
        "duration": duration_words,
        "size": size_words,
        "number": number_words,
        "hue": title_hue,
    }
    app.jinja_env.filters.update(words)
    # Compiled once for all processes: else the first page of each takes four times as long.
    compiled = Path(app.instance_path) / "templates"
    compiled.mkdir(parents=True, exist_ok=True)
    app.jinja_env.bytecode_cache = FileSystemBytecodeCache(str(compiled))
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        gettext=lambda words: _translations().ugettext(words),
        ngettext=lambda one, many, number: _translations().ungettext(one, many, number),
        newstyle=True,
        pgettext=lambda context, words: _translations().upgettext(context, words),
        npgettext=lambda context, one, many, number: _translations().unpgettext(context, one, many, number),
    )
    app.jinja_env.policies["json.dumps_kwargs"] = {"sort_keys": False}
    app.register_error_handler(HTTPException, _error_page)
    for failure in (OperationalError, PoolTimeoutError):
        app.register_error_handler(failure, _busy_page)
    app.register_error_handler(OSError, _full_disk_page)

    @app.context_processor
    def _theme() -> dict[str, Any]:
        return {"theme": request.cookies.get("theme", "") if request else ""}
