"""How quickly a detector speaks: a run's frames written at a steady rate as tcpdump would, watched by ``coldaisle live``.

    benchmarks/live.py [RUN] [MODEL...]

For each model: delay from a frame's stamp to its verdict at 1,000 and at 20,000 packets/s, and packets/s when all are there at once.
"""

import json
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SECOND = 1_000_000_000
RATES = (1_000, 20_000)
SECONDS = 5.0
STEP_S = 0.001
HEADER = struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 1 << 18, 1)
SHARD = "day-1"


def frames_of(run: Path) -> list[bytes]:
    """Return the frames of a run's captures."""
    found = []
    for path in sorted((run / "capture").glob("*.pcap")):
        data, at = path.read_bytes(), 24
        while at < len(data):
            size = int.from_bytes(data[at + 8 : at + 12], "little")
            found.append(data[at + 16 : at + 16 + size])
            at += 16 + size
    return found


def record(frame: bytes) -> bytes:
    """Return a frame as a pcap has it, stamped now."""
    seconds, nanos = divmod(time.time_ns(), SECOND)
    return struct.pack("<IIII", seconds, nanos, len(frame), len(frame)) + frame


def watched(model: Path, frames: list[bytes], rate: int) -> dict[str, float]:
    """Return what a watcher says at its end of frames that come at a rate, a second; all at once when it is 0."""
    with tempfile.TemporaryDirectory() as temporary:
        stage = Path(temporary) / ".bench"
        raw = stage / "shards" / SHARD / "capture" / "raw"
        raw.mkdir(parents=True)
        journal = stage / "shards" / SHARD / "journal"
        journal.mkdir()
        line = {"event": "offset", "shard": SHARD, "wall_ns": 0, "offset_ns": 0}
        (journal / "timeline.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
        (stage / "plan.json").touch()
        command = [sys.executable, "-m", "coldaisle_testbed", "live", "--model", model, "--runs", temporary]
        with (raw / f"{SHARD}.tcpdump").open("wb", buffering=0) as file:
            file.write(HEADER)
            watcher = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            book = Path(temporary) / "alarms" / "bench" / f"{SHARD}.jsonl"
            while not book.exists():
                time.sleep(0.05)
            begun = time.perf_counter()
            play(file, frames, rate)
        (raw / f"{SHARD}.tcpdump").rename(raw / f"{SHARD}-000.pcap")
        while watcher.poll() is None and judged(book) is None:
            if rate == 0 and not (stage / "gone").exists() and time.perf_counter() - begun > SECONDS:
                break
            time.sleep(0.05)
            if time.perf_counter() - begun > len(frames) / max(rate, 20_000) + 3 and stage.exists():
                stage.rename(Path(temporary) / "bench")
        if stage.exists():
            stage.rename(Path(temporary) / "bench")
        watcher.wait(60)
        return judged(book) or {}


def play(file: object, frames: list[bytes], rate: int) -> None:
    """Write frames at a rate, those due within a millisecond together."""
    write = file.write  # type: ignore[attr-defined]
    if rate == 0:
        write(b"".join(map(record, frames)))
        return
    start, sent = time.perf_counter(), 0
    while sent < len(frames):
        due = min(int((time.perf_counter() - start) * rate) + 1, len(frames))
        if due > sent:
            write(b"".join(map(record, frames[sent:due])))
            sent = due
        time.sleep(STEP_S)


def judged(book: Path) -> dict[str, float] | None:
    """Return a watcher's last line once it is written."""
    lines = book.read_text(encoding="utf-8").splitlines()
    last = json.loads(lines[-1]) if lines else {}
    return last if last.get("event") == "end" else None


def throughput(model: Path, run: Path) -> float:
    """Return packets/s of a watch over a run's captures, start not included."""
    from coldaisle_analysis.detection import Detector, Watch  # noqa: PLC0415 - only this needs it

    files = sorted((run / "capture").glob("*.pcap"))
    watch = Watch(Detector.load(model), "best F1")
    begun = time.perf_counter()
    count = sum(len(verdicts.frame) for verdicts in watch.files(files))
    return count / (time.perf_counter() - begun)


def main() -> None:
    """Print a row a model."""
    run = Path(sys.argv[1] if len(sys.argv) > 1 else "runs/latest")
    models = [Path(name) for name in sys.argv[2:]] or sorted((run / "models").glob("packets.*.skops"))
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
