"""The child of a probe: reads one file that nobody trusts, within limits its parent set.

Writes to standard output: a line of JSON with the stream facts or the refusal; a line of JSON with
the tags and the cover's size; the cover's bytes. The lines are written as soon as they are known, so
that tags which are too much to read cost only themselves.
"""

import json
import os
import sys
from dataclasses import asdict, replace
from pathlib import Path

import av.logging

from musicapp.audio.errors import NotAudioError
from musicapp.audio.gapless import itunes_gapless
from musicapp.audio.streams import read_stream
from musicapp.audio.tag_readers import read_tags
from musicapp.audio.tag_values import build_tags


def main(path: Path) -> None:
    """Probe `path` and write what was found."""
    av.logging.set_level(None)
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the lines
    try:
        stream, ffmpeg_tags = read_stream(path)
    except NotAudioError as error:
        output.write(json.dumps({"reason": error.reason, "sentence": str(error)}).encode() + b"\n")
        output.close()
        return
    output.write(json.dumps(asdict(stream)).encode() + b"\n")
    output.flush()
    collected = read_tags(path, stream.container, stream.codec, ffmpeg_tags)
    tags = build_tags(collected.raw)
    gapless = itunes_gapless(collected.itunes_gapless or "")
    cover = collected.cover
    head = {
        "tags": asdict(replace(tags, cover=None)),
        "gapless": gapless,
        "cover_mime": cover.mime if cover else None,
        "cover_bytes": len(cover.content) if cover else 0,
    }
    output.write(json.dumps(head).encode() + b"\n")
    if cover:
        output.write(cover.content)
    output.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
