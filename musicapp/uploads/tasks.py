"""The doors to the work on uploads: two kinds of jobs and the sweep."""

from __future__ import annotations

from typing import Any

from flask_babel import lazy_gettext as _l

from musicapp.jobs.context import JobContext
from musicapp.jobs.periodic import periodic
from musicapp.jobs.registry import job_kind
from musicapp.uploads import sweep
from musicapp.uploads.pipeline import step_1_probe
from musicapp.uploads.pipeline.scratch import scratch_folder
from musicapp.uploads.pipeline.step_2_encode import encode_source, read_source
from musicapp.uploads.pipeline.step_3_artwork import offer_cover
from musicapp.uploads.pipeline.step_4_publish import publish_track


@job_kind("probe_upload", queue="default")
def probe_upload(job: JobContext) -> dict[str, Any]:
    """Of an upload: what it is, its track. At most two seconds, never behind an encoding."""
    return step_1_probe.probe_upload(job)


@job_kind("encode_track", queue="media")
def encode_track(job: JobContext) -> dict[str, Any]:
    """Of a track: renditions, loudness, waveform, preview, cover."""
    source = read_source(job.subject_id)
    if source.upload_id:
        job.shows_on(f"studio-{source.album_id}", "upload", source.upload_id)
    with scratch_folder(f"encode-{source.track_id}", job.token or "alone") as folder:
        encoded = encode_source(job, source, folder)
        offer_cover(source, encoded.facts.tags.cover)
        return publish_track(job, source, encoded)


@periodic("uploads.sweep", words=_l("Gives up unfinished uploads, finishes those that only lack their note"))
def sweep_uploads() -> dict[str, int]:
    """Hourly: gives up what nobody will finish, finishes what only lacks its note."""
    return {
        "expired": sweep.remove_expired(),
        "abandoned": sweep.remove_abandoned(),
        "finished": sweep.finish_complete(),
        "folders": sweep.remove_scratch_folders(),
    }


@periodic("uploads.remove_orphans", words=_l("Removes files that no row names"))
def remove_orphans() -> int:
    """Daily: walks the store for files that no row names."""
    return sweep.remove_orphans()
