"""Doors of playback: streams, waveforms, previews and what players report."""

from __future__ import annotations

import logging
import secrets
from dataclasses import asdict

from flask import Blueprint, Response, current_app, request, session
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from musicapp.accounts.identity import current_viewer
from musicapp.core.db import db
from musicapp.core.security import public
from musicapp.playback import queries, services
from musicapp.playback.choice import QUALITIES, StoredAudio, choose, player_of
from musicapp.playback.forms import BODY_MAX_BYTES, ReportError, read_reports
from musicapp.playback.queries import StoredTrack
from musicapp.playback.sending import StoredFile, is_named_by_request, send_stored

blueprint = Blueprint("playback", __name__, template_folder="templates")
logger = logging.getLogger(__name__)

TRACK = "/tracks/<int(max=2147483647):track_id>"
PREPARING_RETRY_SECONDS = 10
_SUFFIXES = {"opus": "opus", "vorbis": "ogg", "oggflac": "oga", "aac": "m4a", "alac": "m4a", "aiff": "aiff"}


class _Refusal(HTTPException):
    """A few plain words instead of a page: players read these answers, hardly ever people."""

    def __init__(self, status: int, words: str, retry_after_seconds: int | None = None) -> None:
        response = Response(words + "\n", status, mimetype="text/plain")
        response.headers["Cache-Control"] = "no-store"
        if retry_after_seconds is not None:
            response.headers["Retry-After"] = str(retry_after_seconds)
        super().__init__(words, response)


@blueprint.get(f"{TRACK}/stream")
@public
def stream(track_id: int) -> Response:
    """The audio itself: `quality=low|normal|high|original`, `formats=opus,mp3` for a player that knows its own."""
    track = _audible(track_id)
    quality = request.args.get("quality", "normal")
    if quality not in QUALITIES:
        raise _Refusal(400, f"quality is one of {', '.join(QUALITIES)}.")
    files = list(track.files)
    while True:
        audio = _chosen(files, quality)
        try:
            response = send_stored(_audio_file(track, audio))
        except FileNotFoundError:
            # One lost file does not silence a track that has others.
            logger.exception("the store has lost %s of track %s", audio.key, track.id)
            files.remove(audio)
            continue
        response.vary.update(("Accept", "User-Agent"))
        return response


@blueprint.get(f"{TRACK}/preview")
@public
def preview(track_id: int) -> Response:
    """Thirty seconds of the track, under the same rights as the whole of it."""
    track = _audible(track_id)
    if track.preview_key is None:
        raise _Refusal(404, "This track has no preview yet.")
    suffix = track.preview_key.rpartition(".")[2]
    mime = {"mp3": "audio/mpeg", "opus": "audio/ogg", "ogg": "audio/ogg", "m4a": "audio/mp4"}.get(suffix, "audio/mpeg")
    return _send(
        StoredFile(track.preview_key, mime, track.created_at, f"{track.title} (preview).{suffix}", _kept(track))
    )


@blueprint.get(f"{TRACK}/waveform")
@public
def waveform(track_id: int) -> Response:
    """Peaks for drawing, as audiowaveform's JSON, version 2."""
    track = _audible(track_id)
    if track.waveform_key is None:
        raise _Refusal(404, "The waveform is still being prepared.", PREPARING_RETRY_SECONDS)
    cache_control = "private, max-age=604800, immutable" if track.is_published else "private, no-cache"
    return _send(
        StoredFile(track.waveform_key, "application/json", track.created_at, f"{track.title}.json", cache_control)
    )


@blueprint.post("/plays")
@public
def report_plays() -> tuple[dict[str, object], int]:
    """Takes a JSON list of listening events: event_id, track_id, kind, position_ms, at."""
    # The account first: who may not report need not be read.
    viewer = current_viewer()
    if not (viewer.is_authenticated or current_app.config["PUBLIC_LISTENING"]):
        return {"error": "Log in to listen."}, 401
    request.max_content_length = BODY_MAX_BYTES
    try:
        reports = read_reports(request.get_data(cache=False))
    except RequestEntityTooLarge:
        return {"error": f"At most {BODY_MAX_BYTES} bytes at once."}, 413
    except ReportError as error:
        return {"error": str(error), "item": error.item}, 422
    recorded = services.record_reports(_listener(viewer.id), reports)
    db.session.commit()
    return asdict(recorded), 200


def _listener(user_id: int | None) -> services.Listener:
    if user_id is not None:
        return services.Listener.user(user_id)
    if "visitor" not in session:
        session["visitor"] = secrets.token_urlsafe(16)
        session.permanent = True
    return services.Listener.visitor(session["visitor"])


def _audible(track_id: int) -> StoredTrack:
    """The track, if the viewer may hear it. Refuses with 401 where listening needs an account, else with 404."""
    # The viewer is looked up only where rights depend on one: most streams are of published tracks.
    if not current_app.config["PUBLIC_LISTENING"] and not current_viewer().is_authenticated:
        raise _Refusal(401, "Log in to listen.")
    track = queries.stored_track(track_id)
    if track is None or not (track.is_published or _is_member(track)):
        raise _Refusal(404, "There is no such track.")
    return track


def _is_member(track: StoredTrack) -> bool:
    viewer = current_viewer()
    return viewer.id is not None and queries.is_member(viewer.id, track.artist_id)


def _chosen(files: list[StoredAudio], quality: str) -> StoredAudio:
    """The file for this request. Refuses with 406 or 503 where there is none."""
    for audio in files:
        if is_named_by_request(audio.key):
            return audio
    headers = request.headers
    player = player_of(request.args.get("formats", ""), headers.get("Accept", ""), headers.get("User-Agent", ""))
    best = choose(quality, files, player)
    if best is not None:
        return best
    if any(not audio.is_original for audio in files):
        formats = ", ".join(sorted({audio.format for audio in files}))
        raise _Refusal(406, f"This track can be had as {formats}.")
    raise _Refusal(503, "This track is still being prepared.", PREPARING_RETRY_SECONDS)


def _audio_file(track: StoredTrack, audio: StoredAudio) -> StoredFile:
    return StoredFile(
        audio.key,
        audio.mime,
        audio.made_at,
        f"{track.title}.{_SUFFIXES.get(audio.format, audio.format)}",
        # An original that stands in for renditions must not outlive their making in a cache.
        "private, no-cache" if audio.is_original and not track.has_renditions else _kept(track),
        is_as_uploaded=audio.is_original,
    )


def _kept(track: StoredTrack) -> str:
    return "private, max-age=3600" if track.is_published else "private, no-cache"


def _send(stored: StoredFile) -> Response:
    try:
        return send_stored(stored)
    except FileNotFoundError as error:
        logger.exception("the store has lost %s", stored.key)
        raise _Refusal(404, "The file is gone.") from error
