"""Measures the delay of a detector: a run's frames are written at a steady rate as tcpdump does, and ``coldaisle live`` watches them.

Virtual time passes as in the run, with a time advance before the frames of each millisecond, so that the watch gets the captured times.

    benchmarks/live.py [RUN] [MODEL...]

Prints for each model the delay from a frame's stamp to its verdict at 1,000 and at 20,000 packets/s, and the packets/s of a finished capture.
"""

import argparse
import json
import struct
import subprocess
import sys
import tempfile
import time
from io import FileIO, TextIOWrapper
from pathlib import Path

from coldaisle_contracts.clock import SECOND
from coldaisle_testbed.holding import held

RATES = (1_000, 20_000)
SECONDS = 5.0
STEP_S = 0.001
RECORD = struct.Struct("<IIII")
HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, 1)
SHARD = "day-1"


Frame = tuple[int, bytes]
"""Virtual time, ns since the epoch, and bytes."""


def frames_of(run: Path) -> list[Frame]:
    """Return the frames of a run's captures."""
    frames = []
    for path in sorted((run / "capture").glob("*.pcap")):
        data, at = path.read_bytes(), 24
        while at < len(data):
            seconds, nanos, size, _ = RECORD.unpack_from(data, at)
            frames.append((seconds * SECOND + nanos, data[at + 16 : at + 16 + size]))
            at += 16 + size
    return frames


def record(frame: Frame) -> bytes:
    """Return a frame as a pcap record, stamped now."""
    return RECORD.pack(*divmod(time.time_ns(), SECOND), len(frame[1]), len(frame[1])) + frame[1]


def watched(model: Path, frames: list[Frame], rate: int) -> dict[str, float]:
    """Return the last line of the watch's file of alarms, for frames written at a rate, 1/s."""
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary) / ".bench"
        raw, journal = (stage / "shards" / SHARD / part for part in ("capture/raw", "journal"))
        raw.mkdir(parents=True)
        journal.mkdir()
        (stage / "plan.json").touch()
        command = [sys.executable, "-m", "coldaisle_testbed", "live", "--model", model, "--runs", temporary]
        book = Path(temporary) / "alarms" / "bench" / f"{SHARD}.jsonl"
        timeline = (journal / "timeline.jsonl").open("w", buffering=1, encoding="utf-8")
        with held(stage), timeline, (raw / f"{SHARD}.tcpdump").open("wb", buffering=0) as file:
            file.write(HEADER)
            watcher = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            while not book.exists():
                time.sleep(0.05)
            play(file, timeline, frames, rate)
        (raw / f"{SHARD}.tcpdump").rename(raw / f"{SHARD}-000.pcap")
        stage.rename(Path(temporary) / "bench")
        watcher.wait(60)
        last: dict[str, float] = json.loads(book.read_text(encoding="utf-8").splitlines()[-1])
        return last


def play(file: FileIO, timeline: TextIOWrapper, frames: list[Frame], rate: int) -> None:
    """Write frames at a rate, those of one millisecond together, each time after a line with the offset of their virtual time."""
    start, sent, offset_ns = time.perf_counter(), 0, 0
    while sent < len(frames):
        due = min(int((time.perf_counter() - start) * rate) + 1, len(frames))
        if due > sent:
            wall_ns = time.time_ns()
            offset_ns = max(offset_ns, frames[sent][0] - wall_ns)
            line = {"event": "offset", "shard": SHARD, "wall_ns": wall_ns, "offset_ns": offset_ns}
            timeline.write(json.dumps(line) + "\n")
            file.write(b"".join(map(record, frames[sent:due])))
            sent = due
        time.sleep(STEP_S)


def throughput(model: Path, run: Path) -> float:
    """Return packets/s of a watch over a run's captures, without its start."""
    from coldaisle_analysis.detection import Detector, Watch  # noqa: PLC0415 - only this function needs it

    files = sorted((run / "capture").glob("*.pcap"))
    watch = Watch(Detector.load(model), "best F1")
    begun = time.perf_counter()
    count = sum(len(verdicts.frame) for verdicts in watch.files(files))
    return count / (time.perf_counter() - begun)


def main() -> None:
    """Print one row per model and rate."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, nargs="?", default=Path("runs/latest"), help="a finished run")
    parser.add_argument(
        "models", type=Path, nargs="*", help="detectors of packets; all of the run when left out"
    )
    arguments = parser.parse_args()
    run = arguments.run
    models = arguments.models or sorted((run / "models").glob("packets.*.skops"))
    if absent := [path for path in (run / "capture", *models) if not path.exists()]:
        parser.error(f"{absent[0]} is not there: name a finished run, then files of its models/")
    frames = frames_of(run)
    print(
        f"{'model':24}{'packets/s':>12}{'frames':>10}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'in bulk/s':>12}"
    )
    for model in models:
        bulk = throughput(model, run)
        for rate in RATES:
            end = watched(model, frames[: int(rate * SECONDS)], rate)
            print(
                f"{model.name.split('.')[1]:24}{rate:12,}{end['frames']:10,}{end['delay_ms_p50']:9.1f}"
                f"{end['delay_ms_p99']:9.1f}{end['delay_ms_max']:9.1f}{bulk:12,.0f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
