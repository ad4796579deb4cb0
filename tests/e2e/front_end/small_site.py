"""The front end's own site for tests: the real templates and scripts on a server that misbehaves on request.

The journeys in this folder run the whole product; here stand the cases that a healthy product doesn't show: a track
that is gone, a dropped live stream, an upload endpoint that loses its connection.
"""

from __future__ import annotations

import base64
import io
import math
import queue
import struct
import threading
import wave
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, Response, abort, redirect, request, send_file
from flask_babel import Babel
from jinja2 import ChoiceLoader, DictLoader, FileSystemLoader
from werkzeug.serving import BaseWSGIServer, make_server
from werkzeug.wrappers import Response as BaseResponse

from musicapp.core.assets import init_assets
from musicapp.core.pages import init_pages, page
from musicapp.core.security import init_security

ROOM = Path(__file__).resolve().parents[3] / "musicapp"
GONE_TRACK = 404
TITLES = ("Shells", "Kelp", "Moon", "Tide", "Sand")

PAGES = {
    "home.html": """{% extends layout %}{% from "core/_macros.html" import page_live %}
{% block title %}Home{% endblock %}{% block main %}{{ page_live(["home"], cursor) }}<h1>New albums</h1>
<a href="/albums/1">Low Tide</a>{% endblock %}""",
    "album.html": """{% extends layout %}
{% from "core/_macros.html" import page_live, play_all, track_row, button %}
{% block title %}Low Tide{% endblock %}{% block main %}{{ page_live(["album-" ~ number], cursor) }}
<header class="album-head" data-color="#2f6f8f"><h1>Low Tide</h1>{{ play_all("tracks") }}</header>
<ol class="rows" id="tracks" data-track-list data-reorder-url="/order">
{% for track in tracks %}{% call track_row(track, loop.index, editable=True) %}
<form hx-post="/refuse" hx-target="#track-{{ track.id }}" hx-swap="outerHTML">
{{ button("Refuse " ~ track.title) }}</form>{% endcall %}
{% endfor %}</ol>
<p id="poked" hx-get="/poked" hx-swap="outerHTML"
data-refresh-on="album-{{ number }}-changed">not poked</p>{% endblock %}""",
    "now.html": """{% extends layout %}{% block main %}<div id="now" data-color="#2f6f8f"><span class="cover">
<img src="/static/mark.svg" alt="" width="480" height="480"></span><div id="now-actions">{% from "core/_actions.html"
import like_button, add_to_playlist_button %}{{ like_button("track-" ~ number) }}
{{ add_to_playlist_button("track_id=" ~ number, small=True) }}</div>
<div id="now-words"><h2>Credits</h2><a href="/">Words about {{ number }}</a></div></div>{% endblock %}""",
    "studio.html": """{% extends layout %}{% from "core/_macros.html" import page_live, upload_form, field, button %}
{% block title %}Studio{% endblock %}{% block main %}<h1>Studio</h1>{{ upload_form("/plain", 5) }}
<div id="uploads">{% for upload in uploads %}<p>{{ upload }}</p>{% endfor %}</div>
<form class="form" method="post" action="/studio/">
{{ field("title", "Title", error=error) }}{{ button("Save") }}</form>{% endblock %}""",
}


@dataclass
class Ledger:
    """What the site was asked, and how it is to behave."""

    plays: list[dict[str, Any]] = field(default_factory=list)
    play_failures: int = 0
    streams: list[tuple[int, str]] = field(default_factory=list)
    renditions: dict[int, tuple[bytes, dict[str, Any]]] = field(default_factory=dict)
    """Track id -> bytes and what audio.json says of them; other tracks are one WAV file that nothing is joined to."""
    ranges: list[tuple[int, str]] = field(default_factory=list)
    """Track id and Range header of what was asked of renditions."""
    live_requests: list[tuple[str, str]] = field(default_factory=list)
    listeners: list[queue.Queue[bytes | None]] = field(default_factory=list)
    frames: list[tuple[int, bytes]] = field(default_factory=list)
    cursor: int = 1000
    orders: list[str] = field(default_factory=list)
    uploads: dict[str, dict[str, Any]] = field(default_factory=dict)
    creations: int = 0
    deletions: list[str] = field(default_factory=list)
    slow_upload: threading.Event = field(default_factory=threading.Event)
    release_upload: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def say(self, text: str, event: str = "") -> None:
        """Sends one live update to every open page."""
        with self.lock:
            self.cursor += 1
            name = f"event: {event}\n" if event else ""
            frame = f"id: {self.cursor}-0\n{name}data: {text}\n\n".encode()
            self.frames.append((self.cursor, frame))
            for listener in self.listeners:
                listener.put(frame)

    def is_heard(self) -> bool:
        """Whether a live stream is open. A server notices a closed one when it writes, so this writes a comment."""
        with self.lock:
            for listener in self.listeners:
                listener.put(b": beat\n\n")
            return bool(self.listeners)

    def drop(self) -> None:
        """Ends every live stream, as a restarted server does."""
        with self.lock:
            for listener in self.listeners:
                listener.put(None)


@cache
def tone(seconds: int) -> bytes:
    """A quiet WAV file that every browser plays."""
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        samples = (int(6000 * math.sin(2 * math.pi * 330 * at / 8000)) for at in range(seconds * 8000))
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    return out.getvalue()


def track(number: int, title: str) -> dict[str, Any]:
    return {
        "id": number,
        "title": title,
        "artists": "Alice Ray",
        "artist_url": "/artists/1",
        "url": None,
        "album": "Low Tide",
        "album_url": "/albums/1",
        "album_id": 1,
        "cover": None,
        "duration_ms": 12_000,
        "gain_db": -3.0,
        "true_peak_dbtp": -1.0,
        "playable": True,
        "play_count": 0,
        "state_words": "Ready",
    }


def make_site(ledger: Ledger) -> Flask:
    """The app: pages, streams, live updates and tus, all kept in `ledger`."""
    app = Flask("small_site", template_folder=None, static_folder=str(ROOM / "static"))
    app.config.update(SECRET_KEY="x", SITE_NAME="musicapp", TRUSTED_PROXY_COUNT=0, REGISTRATION="open")
    app.jinja_loader = ChoiceLoader([FileSystemLoader(ROOM / "core" / "templates"), DictLoader(PAGES)])
    Babel(app)
    init_security(app)
    init_pages(app)
    init_assets(app)

    @app.context_processor
    def _everywhere() -> dict[str, Any]:
        links = (("Home", "/", "house"), ("Studio", "/studio/", "audio-lines"))
        items = [{"label": label, "url": url, "icon": icon, "active": False} for label, url, icon in links]
        return {"nav_items": items, "cursor": f"{ledger.cursor}-0"}

    @app.get("/")
    def home() -> Response:
        return page("home.html")

    @app.get("/albums/<int:number>")
    def album(number: int) -> Response:
        first = GONE_TRACK if number == 4 else 11
        ids = [first, *range(number * 10 + 2, number * 10 + 6)]
        return page(
            "album.html", number=number, tracks=[track(one, title) for one, title in zip(ids, TITLES, strict=True)]
        )

    @app.get("/tracks/<int:number>/stream")
    def stream(number: int) -> Response:
        ledger.streams.append((number, request.args.get("quality", "")))
        if number == GONE_TRACK:
            abort(404)
        if number in ledger.renditions:
            content, facts = ledger.renditions[number]
            ledger.ranges.append((number, request.headers.get("Range", "")))
            return send_file(io.BytesIO(content), mimetype=facts["mime"], conditional=True, etag=f"r{number}")
        return send_file(io.BytesIO(tone(12)), mimetype="audio/wav", conditional=True, etag=str(number))

    @app.get("/tracks/<int:number>/audio.json")
    def audio_json(number: int) -> dict[str, Any]:
        if number not in ledger.renditions:
            abort(503)
        return ledger.renditions[number][1]

    @app.get("/tracks/<int:number>/waveform")
    def waveform(number: int) -> dict[str, Any]:
        peaks = [round(120 * abs(math.sin(at / 30 + number))) for at in range(1000)]
        flat = [value for peak in peaks for value in (-peak, peak)]
        drawn = {"version": 2, "channels": 1, "sample_rate": 8000, "samples_per_pixel": 96, "bits": 8}
        return {**drawn, "length": len(peaks), "data": flat}

    @app.get("/tracks/<int:number>/now-playing")
    def now_playing(number: int) -> Response:
        if number == GONE_TRACK:
            abort(404)
        return page("now.html", number=number)

    @app.post("/plays")
    def plays() -> tuple[str, int]:
        if ledger.play_failures > 0:
            ledger.play_failures -= 1
            return "", 503
        ledger.plays += request.get_json()
        return "", 204

    @app.post("/order")
    def order() -> tuple[str, int]:
        ledger.orders.append(request.form["order"])
        return "", 204

    @app.post("/refuse")
    def refuse() -> Response:
        return page("core/error.html", 409, code=409, words="This track is being encoded. Wait for it.")

    @app.get("/poked")
    def poked() -> str:
        return '<p id="poked">poked</p>'

    @app.route("/studio/", methods=["GET", "POST"])
    def studio() -> BaseResponse:
        if request.method == "POST" and request.form["title"]:
            return redirect("/", 303)
        wrong = "Give it a title." if request.method == "POST" else ""
        done = [entry["filename"] for entry in ledger.uploads.values() if entry["got"] == entry["size"]]
        return page("studio.html", 422 if wrong else 200, error=wrong, uploads=done)

    _add_live(app, ledger)
    _add_tus(app, ledger)
    return app


def _add_live(app: Flask, ledger: Ledger) -> None:
    @app.get("/live")
    def live() -> Response:
        after = request.headers.get("Last-Event-ID") or request.args.get("after") or "0"
        ledger.live_requests.append((request.args["topics"], after))
        mine: queue.Queue[bytes | None] = queue.Queue()
        with ledger.lock:
            missed = [frame for number, frame in ledger.frames if number > int(after.split("-")[0])]
            ledger.listeners.append(mine)

        def frames() -> Iterator[bytes]:
            try:
                yield b": hello\n\n"
                yield from missed
                while (frame := mine.get()) is not None:
                    yield frame
            finally:
                ledger.listeners.remove(mine)

        return Response(frames(), mimetype="text/event-stream", headers={"Cache-Control": "no-store"})


def _add_tus(app: Flask, ledger: Ledger) -> None:
    def answer(status: int, **headers: str) -> Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return Response("", status, {"Tus-Resumable": "1.0.0", **named})

    @app.post("/uploads/")
    def create() -> Response:
        pairs = (pair.split(" ") for pair in request.headers["Upload-Metadata"].split(","))
        metadata = {name: base64.b64decode(value).decode() for name, value in pairs}
        if metadata["filename"].endswith(".txt"):
            return Response('{"error": "notes.txt is not audio."}', 415, mimetype="application/json")
        ledger.creations += 1
        number = str(ledger.creations)
        ledger.uploads[number] = {**metadata, "size": int(request.headers["Upload-Length"]), "got": 0}
        return answer(201, Location=f"/uploads/{number}")

    @app.route("/uploads/<number>", methods=["HEAD", "PATCH", "DELETE"])
    def one(number: str) -> Response:
        entry = ledger.uploads.get(number)
        if entry is None:
            return answer(404)
        if request.method == "DELETE":
            ledger.deletions.append(ledger.uploads.pop(number)["filename"])
            return answer(204)
        if request.method == "PATCH":
            while piece := request.stream.read(64 * 1024):
                entry["got"] += len(piece)
                if ledger.slow_upload.is_set() and entry["got"] > entry["size"] // 2:
                    ledger.release_upload.wait(20)
            return answer(204, Upload_Offset=str(entry["got"]))
        return answer(200, Upload_Offset=str(entry["got"]), Upload_Length=str(entry["size"]), Cache_Control="no-store")


class SmallSite:
    """The site on a free port, in a thread of the test process."""

    def __init__(self) -> None:
        self.ledger = Ledger()
        self._server: BaseWSGIServer = make_server("127.0.0.1", 0, make_site(self.ledger), threaded=True)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self.ledger.release_upload.set()
        self.ledger.drop()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
