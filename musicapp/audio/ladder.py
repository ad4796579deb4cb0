"""The ladder of renditions: which recipes there are, and which of them a file deserves."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from musicapp.audio.facts import StreamFacts


@dataclass(frozen=True, slots=True)
class RenditionProfile:
    """A recipe for one encoded version. `ffmpeg_args` are output options without the bitrate."""

    name: str
    codec: str
    bitrate_kbps: int
    suffix: str
    mime: str
    ffmpeg_args: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Codec:
    suffix: str
    mime: str
    ffmpeg_args: tuple[str, ...]
    lowest_kbps: int
    highest_kbps: int
    steps_kbps: tuple[int, ...] = ()
    """The only bitrates there are, for a codec that has no others."""


_CODECS = {
    # Constrained: free VBR doubles the bitrate of dense sound, and the name is a promise to small lines.
    "opus": _Codec(".opus", "audio/ogg", ("-c:a", "libopus", "-vbr", "constrained", "-f", "opus"), 6, 510),
    "mp3": _Codec(
        ".mp3", "audio/mpeg", ("-c:a", "libmp3lame", "-write_xing", "1", "-f", "mp3"), 32, 320,
        (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    ),
    "aac": _Codec(".m4a", "audio/mp4", ("-c:a", "aac", "-movflags", "+faststart", "-f", "ipod"), 16, 320),
}  # fmt: skip
# libopus's top setting is heard at low bitrates only; above this it costs a third more CPU for nothing.
_OPUS_FULL_COMPLEXITY_KBPS = 96


def parse_profiles(names: Sequence[str]) -> tuple[RenditionProfile, ...]:
    """Return the profiles for names such as "opus_64", "mp3_256", "aac_192".

    Raises ValueError that names the unknown one and what is allowed.
    """
    profiles = tuple(_parse(name) for name in names)
    if not profiles:
        raise ValueError("The ladder of renditions is empty: name at least one, for example opus_128.")
    if len({profile.name for profile in profiles}) != len(profiles):
        raise ValueError(f"A rendition is named twice: {', '.join(names)}.")
    return profiles


def _parse(name: str) -> RenditionProfile:
    codec_name, _, bitrate = name.partition("_")
    codec = _CODECS.get(codec_name)
    if codec is None or not bitrate.isascii() or not bitrate.isdigit():
        raise ValueError(
            f"Unknown rendition {name!r}: write a codec ({', '.join(_CODECS)}) and kbit/s, as in opus_128."
        )
    bitrate_kbps = int(bitrate)
    if not codec.lowest_kbps <= bitrate_kbps <= codec.highest_kbps:
        raise ValueError(f"Rendition {name!r}: {codec_name} takes {codec.lowest_kbps} to {codec.highest_kbps} kbit/s.")
    if codec.steps_kbps and bitrate_kbps not in codec.steps_kbps:
        raise ValueError(f"Rendition {name!r}: {codec_name} takes {', '.join(map(str, codec.steps_kbps))}.")
    return RenditionProfile(
        name, codec_name, bitrate_kbps, codec.suffix, codec.mime, _arguments(codec_name, bitrate_kbps)
    )


def _arguments(codec_name: str, bitrate_kbps: int) -> tuple[str, ...]:
    arguments = _CODECS[codec_name].ffmpeg_args
    if codec_name == "opus":
        complexity = 10 if bitrate_kbps <= _OPUS_FULL_COMPLEXITY_KBPS else 5
        arguments += ("-compression_level", str(complexity), "-ar", "48000")
    return arguments


def choose_profiles(profiles: Sequence[RenditionProfile], facts: StreamFacts) -> tuple[RenditionProfile, ...]:
    """Return the profiles to make of this file: none with more bits than a lossy source has.

    Those above the source's bitrate are dropped; if all are, the smallest stays, at the source's
    bitrate. Mono needs half the bits. Profiles keep their names whatever their bitrate became.
    """
    # A name promises a quality: opus_128 in mono is 64 kbit/s, and no worse.
    wanted = [_with_bitrate(profile, profile.bitrate_kbps // 2) for profile in profiles]
    if facts.channels > 1:
        wanted = list(profiles)
    source_kbps = facts.bitrate_kbps
    if facts.lossless or source_kbps is None:
        return tuple(wanted)
    affordable = tuple(profile for profile in wanted if profile.bitrate_kbps <= source_kbps)
    if affordable:
        return affordable
    smallest = min(wanted, key=lambda profile: profile.bitrate_kbps)
    return (_with_bitrate(smallest, source_kbps),)


def _with_bitrate(profile: RenditionProfile, bitrate_kbps: int) -> RenditionProfile:
    codec = _CODECS.get(profile.codec)
    if codec is None:  # a recipe from elsewhere: nothing is known about its limits
        return replace(profile, bitrate_kbps=bitrate_kbps)
    allowed = [step for step in codec.steps_kbps if step <= bitrate_kbps]
    bitrate_kbps = max(allowed) if allowed else max(bitrate_kbps, codec.lowest_kbps)
    return replace(profile, bitrate_kbps=bitrate_kbps, ffmpeg_args=_arguments(profile.codec, bitrate_kbps))
