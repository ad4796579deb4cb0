"""What processing a track costs: time beside one bare ffmpeg command, memory for minutes beside hours.

    python bench/pipeline.py [--runs 5] [--long-minutes 180] [--json figures.json]

Time: probe, encode and preview of a 4-minute FLAC, as a worker does it, in turns with one ffmpeg command that makes
the same files. Memory: the peak of a process that does the same, and all its children, for 4 minutes and for hours.
Everything is made in a temporary folder; hours of FLAC take about 600 MB there.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil

from musicapp.audio.analysis import choose_preview_start_s
from musicapp.audio.encode import encode
from musicapp.audio.ffmpeg import ffmpeg_path
from musicapp.audio.ladder import choose_profiles, parse_profiles
from musicapp.audio.preview import FADE_MS, PREVIEW_BITRATE_KBPS, EarlyPreview
from musicapp.audio.probe import probe

LADDER = ("opus_64", "opus_128", "mp3_256")
SHORT_MINUTES = 4
RATIO_GOAL = 1.15
MEMORY_GOAL = 1.2
SAMPLE_EVERY_S = 0.05
FFMPEG = ffmpeg_path()


@dataclass(frozen=True, slots=True)
class Cost:
    """What one run took; CPU is ours and our children's."""

    wall_s: float
    cpu_s: float


def run_ffmpeg_plainly(*arguments: str) -> None:
    subprocess.run([FFMPEG, "-hide_banner", "-nostdin", "-y", *arguments], check=True, stderr=subprocess.DEVNULL)


def make_track(path: Path, minutes: int) -> None:
    """Write something that compresses like music: wavering tones and a little noise."""
    seconds = minutes * 60
    tones = "0.2*sin(2*PI*220*t)*(1+sin(2*PI*0.3*t))+0.1*sin(2*PI*554*t)*(1+sin(2*PI*0.7*t))"
    run_ffmpeg_plainly(
        *("-f", "lavfi", "-i", f"aevalsrc={tones}|{tones}:s=44100:d={seconds}"),
        *("-f", "lavfi", "-i", f"anoisesrc=c=pink:a=0.02:r=44100:d={seconds}"),
        *("-filter_complex", "[0:a][1:a]amix=inputs=2:normalize=0", "-c:a", "flac", "-sample_fmt", "s16", str(path)),
    )


def process_track(source: Path, out_dir: Path) -> None:
    """Do what a worker does with an upload, without the database."""
    facts = probe(source, source.name)
    with EarlyPreview(out_dir, ffmpeg=FFMPEG) as preview:
        result = encode(
            source,
            out_dir,
            choose_profiles(parse_profiles(LADDER), facts),
            facts=facts,
            max_duration_s=4 * 3600,
            ffmpeg=FFMPEG,
            time_limit_s=3600,
            on_progress=lambda _decoded_ms, _speed: None,
            on_preview=preview.begin,
        )
        assert not result.failed
        assert preview.finish(result.preview)
    json.dumps(result.waveform)


def bare_ffmpeg(source: Path, out_dir: Path) -> None:
    """The yardstick: one command for the same renditions, loudness, waveform PCM and faded preview."""
    start_s = choose_preview_start_s(SHORT_MINUTES * 60_000)
    fade_s = FADE_MS / 1000
    profiles = parse_profiles(LADDER)
    branches = "".join(f"[r{number}]" for number in range(len(profiles)))
    graph = (
        f"[0:a:0]asplit={len(profiles) + 3}{branches}[loud][wave][cut];"
        "[loud]ebur128=peak=true:framelog=quiet,anullsink;"
        "[wave]aformat=sample_rates=8000:channel_layouts=mono:sample_fmts=s16[pcm];"
        f"[cut]atrim=start={start_s}:duration=30,asetpts=PTS-STARTPTS,"
        f"afade=t=in:d={fade_s},afade=t=out:st={30 - fade_s}:d={fade_s}[preview]"
    )
    arguments = ["-i", str(source), "-filter_complex", graph]
    for number, profile in enumerate(profiles):
        path = out_dir / f"{profile.name}{profile.suffix}"
        arguments += ["-map", f"[r{number}]", "-b:a", f"{profile.bitrate_kbps}k", *profile.ffmpeg_args, str(path)]
    arguments += ["-map", "[pcm]", "-f", "s16le", str(out_dir / "wave.s16le")]
    arguments += ["-map", "[preview]", "-b:a", f"{PREVIEW_BITRATE_KBPS}k", str(out_dir / "preview.mp3")]
    run_ffmpeg_plainly(*arguments)


def measure(run: Callable[[Path, Path], None], source: Path) -> Cost:
    with tempfile.TemporaryDirectory() as out_dir:
        cpu_before, began = _cpu_s(), time.perf_counter()
        run(source, Path(out_dir))
        return Cost(time.perf_counter() - began, _cpu_s() - cpu_before)


def _cpu_s() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def peak_tree_bytes(source: Path) -> int:
    """Return the most that a process which processes `source` held at any moment, its children included."""
    peak = 0
    with subprocess.Popen([sys.executable, __file__, "--only-process", str(source)]) as worker:
        tree = psutil.Process(worker.pid)
        while worker.poll() is None:
            peak = max(peak, _resident_bytes(tree))
            time.sleep(SAMPLE_EVERY_S)
    if worker.returncode:
        raise RuntimeError(f"processing {source.name} ended with {worker.returncode}")
    return peak


def _resident_bytes(tree: psutil.Process) -> int:
    total = 0
    try:
        for process in [tree, *tree.children(recursive=True)]:
            # Shares of pages, or a child counts all of ours in the moment between fork and exec.
            total += process.memory_full_info().pss
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return 0  # one ended between two looks; the next look counts
    return total


def compare_times(source: Path, runs: int) -> dict[str, object]:
    ours: list[Cost] = []
    bare: list[Cost] = []
    measure(process_track, source)  # warms the file cache and our imports
    for _ in range(runs):
        bare.append(measure(bare_ffmpeg, source))
        ours.append(measure(process_track, source))
    wall = statistics.median(cost.wall_s for cost in ours) / statistics.median(cost.wall_s for cost in bare)
    cpu = statistics.median(cost.cpu_s for cost in ours) / statistics.median(cost.cpu_s for cost in bare)
    print("| 4-minute FLAC, median of", runs, "| wall s | CPU s |\n|---|---|---|")
    for name, costs in (("probe, encode, preview", ours), ("one bare ffmpeg", bare)):
        wall_s, cpu_s = (statistics.median(getattr(cost, key) for cost in costs) for key in ("wall_s", "cpu_s"))
        print(f"| {name} | {wall_s:.2f} | {cpu_s:.2f} |")
    print(f"| **ratio** (goal: at most {RATIO_GOAL}) | **{wall:.3f}** | **{cpu:.3f}** |\n", flush=True)
    return {
        "ours": [asdict(cost) for cost in ours],
        "bare_ffmpeg": [asdict(cost) for cost in bare],
        "wall_ratio": wall,
        "cpu_ratio": cpu,
    }


def compare_memory(short: Path, long: Path, long_minutes: int) -> dict[str, object]:
    print("| peak memory of the process tree | MiB |\n|---|---|")
    short_bytes = peak_tree_bytes(short)
    print(f"| {SHORT_MINUTES} minutes | {short_bytes / 2**20:.0f} |", flush=True)
    long_bytes = peak_tree_bytes(long)
    print(f"| {long_minutes} minutes | {long_bytes / 2**20:.0f} |")
    print(f"| **ratio** (goal: at most {MEMORY_GOAL}) | **{long_bytes / short_bytes:.3f}** |\n", flush=True)
    return {"short_bytes": short_bytes, "long_bytes": long_bytes, "ratio": long_bytes / short_bytes}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--long-minutes", type=int, default=180)
    parser.add_argument("--json", type=Path, help="write the figures to this file as well")
    parser.add_argument("--only-process", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder_name:
        folder = Path(folder_name)
        if arguments.only_process:
            process_track(arguments.only_process, folder)
            return
        machine = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "cores": os.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30),
            "load_before": os.getloadavg()[0],
            "system": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        }
        print(f"{machine['at']}, {machine['cores']} cores, {machine['memory_gib']} GiB, {machine['system']}, "
              f"load before: {machine['load_before']:.1f}\n", flush=True)  # fmt: skip
        short, long = folder / "short.flac", folder / "long.flac"
        make_track(short, SHORT_MINUTES)
        times = compare_times(short, arguments.runs)
        make_track(long, arguments.long_minutes)
        memory = compare_memory(short, long, arguments.long_minutes)
    if arguments.json:
        arguments.json.write_text(json.dumps({"machine": machine, "time": times, "memory": memory}, indent=2) + "\n")


if __name__ == "__main__":
    main()
