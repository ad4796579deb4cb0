"""Doors of playback: streams, waveforms, previews and what players report."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import asdict

from flask import Blueprint, Response, current_app, jsonify, request, session
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from musicapp.accounts.devices import describe_device
from musicapp.accounts.identity import current_viewer
from musicapp.core.db import db
from musicapp.core.security import public
from musicapp.core.storage import store
from musicapp.playback import queries, services
from musicapp.playback.files import NoFileError, StillPreparingError, StoredFile, preview_file, waveform_file
from musicapp.playback.forms import BODY_MAX_BYTES, ReportError, read_reports
from musicapp.playback.lane import FOUND_TRACK
from musicapp.playback.queries import StoredTrack
from musicapp.playback.sending import file_for, reply

blueprint = Blueprint("playback", __name__, template_folder="templates")
logger = logging.getLogger(__name__)

TRACK = "/tracks/<int(max=2147483647):track_id>"
PREPARING_RETRY_SECONDS = 10


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
    lost: frozenset[str] = frozenset()
    while True:
        stored = _file_for_request(track, lost)
        try:
            return _send(stored)
        except FileNotFoundError:
            # One lost file does not silence a track that has others.
            logger.exception("the store has lost %s of track %s", stored.key, track.id)
            lost |= {stored.key}


@blueprint.get(f"{TRACK}/audio.json")
@public
def audio_json(track_id: int) -> Response:
    """What a gapless player must know of the file that `/stream` with the same arguments sends."""
    stored = _file_for_request(_audible(track_id), frozenset())
    facts = queries.audio_facts(stored.key)
    if facts is None:
        raise _Refusal(503, "This track is being prepared anew.", PREPARING_RETRY_SECONDS)
    response = jsonify(asdict(facts))
    response.headers["Cache-Control"] = stored.cache_control
    response.headers["Vary"] = stored.vary
    return response


@blueprint.get(f"{TRACK}/preview")
@public
def preview(track_id: int) -> Response:
    """Thirty seconds of the track, under the same rights as the whole of it."""
    return _send_or_refuse(preview_file, _audible(track_id))


@blueprint.get(f"{TRACK}/waveform")
@public
def waveform(track_id: int) -> Response:
    """Peaks for drawing, as audiowaveform's JSON, version 2."""
    return _send_or_refuse(waveform_file, _audible(track_id))


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
    device = describe_device(request.user_agent.string)
    recorded = services.record_reports(_listener(viewer.id), reports, device)
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
    environ = request.environ
    track: StoredTrack | None = environ[FOUND_TRACK] if FOUND_TRACK in environ else queries.stored_track(track_id)
    if track is None or not (track.is_published or _is_member(track)):
        raise _Refusal(404, "There is no such track.")
    return track


def _is_member(track: StoredTrack) -> bool:
    viewer = current_viewer()
    return viewer.id is not None and queries.is_member(viewer.id, track.artist_id)


def _file_for_request(track: StoredTrack, lost: frozenset[str]) -> StoredFile:
    """Refuses with 400, 406 or 503 where there is none."""
    try:
        return file_for(request.environ, track, store(), by_nginx=current_app.config["USE_X_ACCEL_REDIRECT"], lost=lost)
    except StillPreparingError as error:
        raise _Refusal(503, str(error), PREPARING_RETRY_SECONDS) from error
    except NoFileError as error:
        raise _Refusal(406, str(error)) from error
    except ValueError as error:
        raise _Refusal(400, str(error)) from error


def _send(stored: StoredFile) -> Response:
    made = reply(request.environ, stored, store(), by_nginx=current_app.config["USE_X_ACCEL_REDIRECT"])
    return Response(made.body, made.status, headers=made.headers, direct_passthrough=True)


def _send_or_refuse(file_of: Callable[[StoredTrack], StoredFile], track: StoredTrack) -> Response:
    try:
        return _send(file_of(track))
    except NoFileError as error:
        raise _Refusal(404, str(error)) from error
    except FileNotFoundError as error:
        logger.exception("the store has lost a file of track %s", track.id)
        raise _Refusal(404, "The file is gone.") from error
