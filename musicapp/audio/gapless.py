"""Encoder delay and padding: the samples a gapless player must leave out at both ends."""

import re
from typing import BinaryIO

_MP3_HEAD_BYTES = 4096
_ITUNES_SMPB = re.compile(r"\s*[0-9A-Fa-f]{8}\s+([0-9A-Fa-f]{8})\s+([0-9A-Fa-f]{8})\s+[0-9A-Fa-f]{16}")


def id3v2_size_bytes(file: BinaryIO) -> int:
    """Return how many bytes the ID3v2 tag at the start takes, header included; 0 without one."""
    file.seek(0)
    head = file.read(10)
    if len(head) < 10 or head[:3] != b"ID3":
        return 0
    size = 0
    for byte in head[6:10]:
        size = size << 7 | byte & 0x7F
    return size + 10


def mp3_gapless(file: BinaryIO) -> tuple[int | None, int | None]:
    """Return (encoder delay, padding) in samples from the LAME tag of the first frame, or Nones."""
    file.seek(id3v2_size_bytes(file))
    head = file.read(_MP3_HEAD_BYTES)
    for marker in (b"Xing", b"Info"):
        at = head.find(marker)
        if at < 0 or len(head) < at + 144:
            continue
        flags = int.from_bytes(head[at + 4 : at + 8])
        lame = at + 8 + 4 * (flags & 1) + 4 * (flags >> 1 & 1) + 100 * (flags >> 2 & 1) + 4 * (flags >> 3 & 1)
        # Lavf and Lavc write the same tag under their own name.
        if not head[lame : lame + 4].startswith((b"LAME", b"Lavf", b"Lavc", b"L3.9")):
            return None, None
        both = int.from_bytes(head[lame + 21 : lame + 24])
        return both >> 12, both & 0xFFF
    return None, None


def opus_pre_skip(opus_head: bytes) -> int | None:
    """Return the pre-skip in samples at 48 kHz from an OpusHead packet."""
    if len(opus_head) < 12 or not opus_head.startswith(b"OpusHead"):
        return None
    return int.from_bytes(opus_head[10:12], "little")


def itunes_gapless(smpb: str) -> tuple[int, int] | None:
    """Return (encoder delay, padding) in samples from an iTunSMPB text."""
    match = _ITUNES_SMPB.match(smpb)
    return (int(match[1], 16), int(match[2], 16)) if match else None
