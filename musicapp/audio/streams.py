"""Stream facts by PyAV: what the first audio stream is, believed only once a frame of it was decoded."""

import time
from pathlib import Path
from typing import Any

import av
import av.error
import filetype

from musicapp.audio.errors import NotAudioError
from musicapp.audio.facts import StreamFacts
from musicapp.audio.ffmpeg import AUDIO_DEMUXERS, file_url
from musicapp.audio.gapless import id3v2_size_bytes, mp3_gapless, opus_pre_skip

# A broken file may hold megabytes of junk before its first good frame; more than this is not music.
_MAX_PACKETS = 400
_DECODE_LIMIT_S = 1.0
_OPEN_LIMIT_S = 1.5
# Beyond a year it is a broken header, not a length.
_MAX_DECLARED_MS = 366 * 24 * 3600 * 1000

_LOSSLESS = {
    "alac", "ape", "flac", "mlp", "shorten", "tak", "truehd", "tta", "wavpack",
    "dsd_lsbf", "dsd_lsbf_planar", "dsd_msbf", "dsd_msbf_planar",
}  # fmt: skip
_PCM_IN_BROWSERS = {
    "pcm_u8", "pcm_s16le", "pcm_s24le", "pcm_s32le", "pcm_f32le", "pcm_alaw", "pcm_mulaw",
}  # fmt: skip
# container -> (MIME type, codecs that Chromium, Firefox and Safari all play in it)
_BROWSER_CODECS: dict[str, tuple[str, set[str]]] = {
    "mp3": ("audio/mpeg", {"mp3"}),
    "flac": ("audio/flac", {"flac"}),
    "ogg": ("audio/ogg", {"vorbis", "opus", "flac"}),
    "mp4": ("audio/mp4", {"aac"}),
    "aac": ("audio/aac", {"aac"}),
    "wav": ("audio/wav", _PCM_IN_BROWSERS),
    "webm": ("audio/webm", {"opus", "vorbis"}),
}
# Old containers give a count only; one and two channels have one sensible meaning.
_LAYOUTS = {1: "mono", 2: "stereo"}
_OTHER_MIMES = {
    "aiff": "audio/aiff",
    "ape": "audio/x-ape",
    "asf": "audio/x-ms-wma",
    "dsf": "audio/x-dsf",
    "mpc": "audio/x-musepack",
    "wv": "audio/x-wavpack",
}


def read_stream(path: Path) -> tuple[StreamFacts, dict[str, str]]:
    """Return the stream facts of the first audio stream and the tags as ffmpeg names them.

    Raises NotAudioError: "empty", "image", "not_audio" or "undecodable".
    """
    if path.stat().st_size == 0:
        raise NotAudioError("empty", "The file is empty. Upload it again.")
    try:
        with av.open(
            file_url(path),
            metadata_errors="replace",
            timeout=_OPEN_LIMIT_S,
            options={
                "protocol_whitelist": "file",
                "format_whitelist": AUDIO_DEMUXERS,
                "probesize": "5000000",
            },
        ) as container:
            return _read_open_file(path, container)
    except av.error.FFmpegError as error:
        raise _not_audio(path) from error


def _read_open_file(path: Path, container: Any) -> tuple[StreamFacts, dict[str, str]]:
    if not container.streams.audio:
        raise _not_audio(path)
    stream = container.streams.audio[0]
    frame = _first_frame(container, stream)
    if frame is None or frame.sample_rate <= 0 or frame.layout.nb_channels <= 0:
        raise NotAudioError(
            "undecodable",
            "The file calls itself audio, but none of it can be decoded. It may be damaged or cut off: "
            "export it again and upload the new file.",
        )
    container_name = _container_name(path, container.format.name, container)
    codec = "mp3" if stream.codec_context.name == "mp3float" else stream.codec_context.name
    bit_depth = _bit_depth(stream, frame, codec)
    mime, playable = _browser_view(path, container_name, codec, bit_depth)
    delay, padding = _encoder_delay(path, container_name, codec, stream)
    tags = {**container.metadata, **stream.metadata}
    return (
        StreamFacts(
            container=container_name,
            codec=codec,
            mime=mime,
            browser_playable=playable,
            lossless=codec in _LOSSLESS or (codec.startswith("pcm_") and "law" not in codec),
            sample_rate_hz=frame.sample_rate,
            channels=frame.layout.nb_channels,
            layout=_LAYOUTS.get(frame.layout.nb_channels, frame.layout.name),
            bit_depth=bit_depth,
            bitrate_kbps=_bitrate_kbps(path, container, stream),
            declared_duration_ms=_declared_duration_ms(container, stream),
            encoder_delay_samples=delay,
            encoder_padding_samples=padding,
        ),
        {key.lower(): value for key, value in tags.items()},
    )


def _first_frame(container: Any, stream: Any) -> Any:
    deadline = time.monotonic() + _DECODE_LIMIT_S
    packets = container.demux(stream)
    for _ in range(_MAX_PACKETS):
        try:
            packet = next(packets)
        except (StopIteration, av.error.EOFError):
            return None
        except av.error.FFmpegError:
            continue
        try:
            for frame in packet.decode():
                if frame.samples > 0:
                    return frame
        except av.error.FFmpegError:
            pass  # the next packet may be sound: players skip what is broken, and so do we
        if time.monotonic() > deadline:
            return None
    return None


def _not_audio(path: Path) -> NotAudioError:
    with path.open("rb") as file:
        kind = filetype.guess(file.read(8192))
    if kind is not None and kind.mime.startswith("image/"):
        return NotAudioError(
            "image", f"This is a picture ({kind.extension.upper()}), not audio. Choose the audio file."
        )
    return NotAudioError(
        "not_audio",
        "No audio was found in this file. Export it as FLAC, WAV or MP3 and upload that.",
    )


def _container_name(path: Path, format_name: str, container: Any) -> str:
    names = format_name.split(",")
    if "mov" in names:
        return "mp4"
    if "matroska" in names:
        with path.open("rb") as file:
            return "webm" if b"webm" in file.read(64) else "matroska"
    return {"mpc8": "mpc"}.get(names[0], names[0])


def _browser_view(path: Path, container: str, codec: str, bit_depth: int | None) -> tuple[str, bool]:
    mime, codecs = _BROWSER_CODECS.get(container, (_OTHER_MIMES.get(container, ""), set[str]()))
    if container == "matroska":
        mime = "audio/x-matroska"
    playable = codec in codecs
    if container == "flac":
        # Browsers want the marker that ffmpeg can do without, and stop at 24 bit.
        playable = playable and _starts_with_flac_marker(path) and (bit_depth or 0) <= 24
    return mime or "application/octet-stream", playable


def _starts_with_flac_marker(path: Path) -> bool:
    with path.open("rb") as file:
        file.seek(id3v2_size_bytes(file))
        return file.read(4) == b"fLaC"


def _bit_depth(stream: Any, frame: Any, codec: str) -> int | None:
    if codec not in _LOSSLESS and not codec.startswith("pcm_"):
        return None
    if codec.startswith("dsd_"):
        return 1
    # bits_per_raw_sample, which PyAV has only on video; the header says it for FLAC.
    extradata = stream.codec_context.extradata
    if codec == "flac" and extradata and len(extradata) >= 34:
        return int(((extradata[12] & 1) << 4) | (extradata[13] >> 4)) + 1
    if codec == "alac" and extradata and len(extradata) >= 18:
        return int(extradata[17])
    digits = "".join(filter(str.isdigit, codec)) if codec.startswith("pcm_") else ""
    return int(digits) if digits else int(frame.format.bits)


def _declared_duration_ms(container: Any, stream: Any) -> int | None:
    if stream.duration and stream.time_base:
        duration_ms = round(stream.duration * stream.time_base * 1000)
    elif container.duration:
        duration_ms = round(container.duration / 1000)
    else:
        return None
    return duration_ms if 0 < duration_ms < _MAX_DECLARED_MS else None


def _bitrate_kbps(path: Path, container: Any, stream: Any) -> int | None:
    bits_per_second = stream.bit_rate or stream.codec_context.bit_rate
    if not bits_per_second and len(container.streams) == 1:
        # Counts an embedded cover as sound: too high at worst, and then a rendition too many is made.
        bits_per_second = container.bit_rate
    if not bits_per_second:
        duration_ms = _declared_duration_ms(container, stream)
        bits_per_second = path.stat().st_size * 8000 // duration_ms if duration_ms else 0
    return max(1, round(bits_per_second / 1000)) if bits_per_second else None


def _encoder_delay(path: Path, container: str, codec: str, stream: Any) -> tuple[int | None, int | None]:
    if codec == "opus":
        return opus_pre_skip(stream.codec_context.extradata or b""), None
    if container == "mp3":
        with path.open("rb") as file:
            return mp3_gapless(file)
    return None, None
