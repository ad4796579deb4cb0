"""What a file is: technical facts and tags, in two seconds of CPU at most."""

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from musicapp.audio.children import child_setup, kill_group
from musicapp.audio.errors import NotAudioError
from musicapp.audio.facts import AudioFacts, AudioTags, EmbeddedCover
from musicapp.audio.filenames import title_from_filename, track_number_from_filename

__all__ = ["probe", "title_from_filename", "track_number_from_filename"]

CPU_LIMIT_S = 2
# Wall time is another matter: two encodings may hold both cores while a sound file waits its turn.
_WALL_LIMIT_S = 20
# A cover of 20 MB needs less than half; a compressed ID3 frame may ask for gigabytes.
_MEMORY_LIMIT_BYTES = 600_000_000

# Runs the child with our own package but without the rest of the site, whose import costs more than
# a probe: `musicapp` is a bare namespace there.
_BOOTSTRAP = """
import sys, types
package = types.ModuleType("musicapp")
package.__path__ = [sys.argv[1]]
sys.modules["musicapp"] = package
from pathlib import Path
from musicapp.audio.probe_child import main
main(Path(sys.argv[2]))
"""


def probe(path: Path, filename: str) -> AudioFacts:
    """Return the facts of the audio file at `path`; `filename` is what its owner called it.

    The container and codec are what is really there, whatever the name says. A file without a title
    tag is titled by its name. Broken, huge or missing tags never fail it.
    Raises NotAudioError ("empty", "image", "not_audio", "undecodable").
    """
    output = _run_child(path)
    stream_line, _, rest = output.partition(b"\n")
    stream: dict[str, Any] = json.loads(stream_line) if rest or stream_line.endswith(b"}") else {}
    if "reason" in stream:
        raise NotAudioError(stream["reason"], stream["sentence"])
    if not stream:
        raise NotAudioError(
            "undecodable",
            "This file could not be read: it is damaged in an unusual way. Export it again and upload the new file.",
        )
    facts = AudioFacts(**stream, tags=AudioTags())
    tags_line, ended, cover = rest.partition(b"\n")
    if ended:
        facts = _with_tags(facts, json.loads(tags_line), cover)
    return replace(facts, tags=_with_filename(facts.tags, filename))


def _with_tags(facts: AudioFacts, head: dict[str, Any], cover: bytes) -> AudioFacts:
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in head["tags"].items()
    }
    if head["cover_bytes"] and len(cover) == head["cover_bytes"]:
        values["cover"] = EmbeddedCover(cover, head["cover_mime"])
    facts = replace(facts, tags=AudioTags(**values))
    if head["gapless"] and facts.encoder_delay_samples is None:
        delay, padding = head["gapless"]
        facts = replace(facts, encoder_delay_samples=delay, encoder_padding_samples=padding)
    return facts


def _with_filename(tags: AudioTags, filename: str) -> AudioTags:
    if tags.title is None:
        tags = replace(tags, title=title_from_filename(filename))
    if tags.track_number is None:
        tags = replace(tags, track_number=track_number_from_filename(filename))
    return tags


def _run_child(path: Path) -> bytes:
    package = Path(__file__).resolve().parent.parent
    child = subprocess.Popen(
        [sys.executable, "-I", "-c", _BOOTSTRAP, str(package), str(path.absolute())],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=child_setup(memory_limit_bytes=_MEMORY_LIMIT_BYTES, cpu_limit_s=CPU_LIMIT_S),
    )
    try:
        return child.communicate(timeout=_WALL_LIMIT_S)[0]
    except subprocess.TimeoutExpired as late:
        return late.stdout or b""
    finally:
        kill_group(child)
