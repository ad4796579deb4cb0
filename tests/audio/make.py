"""Makes the audio that tests need, by the same ffmpeg that the site uses."""

import struct
import subprocess
import zlib
from pathlib import Path

from musicapp.audio.ffmpeg import ffmpeg_path

TAGS = {
    "title": "Blue Hour",
    "artist": "Ada Example",
    "album": "Tides",
    "album_artist": "The Examples",
    "track": "3/12",
    "disc": "2",
    "date": "2021-03-04",
    "genre": "Ambient",
}
# suffix: encoder arguments
FORMATS = {
    ".mp3": ("-c:a", "libmp3lame", "-b:a", "128k", "-id3v2_version", "4"),
    ".flac": ("-c:a", "flac"),
    ".ogg": ("-c:a", "libvorbis", "-b:a", "96k"),
    ".opus": ("-c:a", "libopus", "-b:a", "64k"),
    ".m4a": ("-c:a", "aac", "-b:a", "96k"),
    ".wav": ("-c:a", "pcm_s16le", "-write_id3v2", "1"),
    ".aiff": ("-c:a", "pcm_s16be", "-write_id3v2", "1"),
    ".wma": ("-c:a", "wmav2", "-b:a", "96k"),
    ".mka": ("-c:a", "flac"),
    ".webm": ("-c:a", "libopus", "-b:a", "64k"),
}


def run_ffmpeg_plainly(*arguments: str) -> None:
    subprocess.run([ffmpeg_path(), "-hide_banner", "-v", "error", "-nostdin", "-y", *arguments], check=True, timeout=60)


def tone(
    path: Path,
    *arguments: str,
    seconds: float = 1.0,
    hertz: int = 440,
    layout: str = "stereo",
    rate_hz: int = 44100,
    tags: dict[str, str] | None = None,
) -> Path:
    """Write a sine tone; without arguments the encoder is chosen by the suffix."""
    metadata = [part for key, value in (tags or {}).items() for part in ("-metadata", f"{key}={value}")]
    run_ffmpeg_plainly(
        *("-f", "lavfi", "-i", f"sine={hertz}:d={seconds}:r={rate_hz},aformat=channel_layouts={layout}"),
        *metadata,
        *(arguments or FORMATS[path.suffix]),
        str(path),
    )
    return path


def silence(path: Path, *, minutes: int) -> Path:
    """Write silence in Opus: hours of it are under a megabyte."""
    minute = path.with_suffix(".minute.opus")
    run_ffmpeg_plainly(
        *("-f", "lavfi", "-i", "anullsrc=r=48000:cl=mono", "-t", "60"),
        *("-c:a", "libopus", "-b:a", "6k", "-frame_duration", "60", "-dtx", "1", str(minute)),
    )
    run_ffmpeg_plainly("-stream_loop", str(minutes - 1), "-i", str(minute), "-c", "copy", str(path))
    minute.unlink()
    return path


def picture(path: Path, *, size: str = "320x200") -> Path:
    run_ffmpeg_plainly("-f", "lavfi", "-i", f"testsrc=s={size}", "-frames:v", "1", str(path))
    return path


def with_cover(audio: Path, cover: Path, path: Path) -> Path:
    run_ffmpeg_plainly(
        *("-i", str(audio), "-i", str(cover), "-map", "0:a", "-map", "1:v", "-c", "copy"),
        *("-disposition:v", "attached_pic", str(path)),
    )
    return path


def cut(audio: Path, path: Path, share: float) -> Path:
    content = audio.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


def flac_with_comments(plain: Path, path: Path, count: int, entry: bytes = b"COMMENT=x") -> Path:
    """Put a VORBIS_COMMENT block with so many entries behind STREAMINFO."""
    content = plain.read_bytes()
    assert content[:4] == b"fLaC"
    streaminfo, rest = content[4:42], content[42:]
    body = struct.pack("<I", 4) + b"test" + struct.pack("<I", count)
    body += (struct.pack("<I", len(entry)) + entry) * count
    assert len(body) < 1 << 24
    block = bytes([4]) + len(body).to_bytes(3) + body
    path.write_bytes(b"fLaC" + bytes([streaminfo[0] & 0x7F]) + streaminfo[1:] + block + rest)
    return path


def mp3_with_zip_bomb_tag(plain: Path, path: Path, *, unpacked_bytes: int) -> Path:
    """Put an ID3v2.4 tag with one compressed frame in front, which unpacks to so many zeros."""
    # A flushed block of zeros can be repeated as it is; Adler-32 of n zeros is known.
    packer = zlib.compressobj(9)
    block_bytes = 1 << 20
    first = packer.compress(bytes(block_bytes)) + packer.flush(zlib.Z_FULL_FLUSH)
    block = packer.compress(bytes(block_bytes)) + packer.flush(zlib.Z_FULL_FLUSH)
    end = b"\x03\x00" + ((unpacked_bytes % 65521) << 16 | 1).to_bytes(4)
    packed = first + block * (unpacked_bytes // block_bytes - 1) + end
    body = _synchsafe(0x0FFFFFFF) + packed  # the size it claims, then the frame
    frame = b"TXXX" + _synchsafe(len(body)) + bytes([0x00, 0x09]) + body
    path.write_bytes(b"ID3\x04\x00\x00" + _synchsafe(len(frame)) + frame + plain.read_bytes())
    return path


def _synchsafe(number: int) -> bytes:
    return bytes((number >> shift) & 0x7F for shift in (21, 14, 7, 0))
