"""The loop: read, judge, tell; until the run has ended."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from coldaisle_analysis.detection import Detector, Watch
from coldaisle_analysis.detection.scoring import told
from coldaisle_analysis.detection.watch import LIVE_BYTES, LIVE_FRAMES
from coldaisle_contracts.errors import InputError
from coldaisle_testbed.live.alarms import Book, Listener
from coldaisle_testbed.live.following import Tail, find

PAUSE_S = 0.002
"""Pause after a look that found nothing, s."""
APPEAR_S = 60.0
"""How long it waits for a run to begin, s."""
SETTLE_S = 2.0
"""A run is over when its folder has its name, or is gone, and nothing came for so long, s."""


@dataclass
class _Shard:
    """A shard that is followed, and how long each of its frames took from stamp to verdict, ms."""

    tail: Tail
    watch: Watch
    book: Book
    frames: int = 0
    alarms: int = 0
    delays: list[float] = field(default_factory=list)
    over: bool = False


def watch(
    runs: Path,
    run: Path | None,
    model: Path,
    policy: str,
    out: Path | None,
    where: str | None,
    progress: Callable[[str], None],
) -> None:
    """Watch a run while it is played, until it has ended.

    Args:
        runs: folder of the runs.
        run: folder of the run that is being made; the newest unfinished one in ``runs`` when left out.
        model: file of a detector.
        policy: name of one of its policies.
        out: folder of the alarms; ``alarms/<run>`` in ``runs`` when left out.
        where: HOST:PORT of an MQTT listener, none when left out.
        progress: told a line a step.

    Raises:
        InputError: if the detector cannot be read, no run begins, or the folder holds the alarms of another detector.
    """
    detector = Detector.load(model)
    detector.policy(policy)
    stage = run or _begun(runs, progress)
    folder = out or runs / "alarms" / stage.name.lstrip(".")
    folder.mkdir(parents=True, exist_ok=True)
    watching = {"model": detector.model, "policy": policy, "sha256": sha256(model.read_bytes()).hexdigest()}
    progress(f"watching {stage} with {detector.model}, policy {policy}; alarms: {folder}")
    with ExitStack() as stack:
        listener = stack.enter_context(Listener(where)) if where else None
        shards: dict[str, _Shard] = {}
        try:
            _follow(
                stage,
                shards,
                lambda raw, shard: _open(raw, shard, detector, policy, folder, watching),
                listener,
            )
        finally:
            for shard in shards.values():
                shard.tail.close()
                shard.book.close()
    for line in _summary(shards):
        progress(line)


def _begun(runs: Path, progress: Callable[[str], None]) -> Path:
    """Return the newest run that is being made; wait for one to begin."""
    until, told = time.monotonic() + APPEAR_S, False
    while time.monotonic() < until:
        stages = [
            path for path in runs.glob(".*") if (path / "plan.json").exists() or (path / "shards").exists()
        ]
        if stages:
            return max(stages, key=lambda path: path.stat().st_mtime)
        if not told:
            progress(f"waiting for a run to begin in {runs}")
            told = True
        time.sleep(0.1)
    raise InputError(runs, "no run is being made here: start one with `coldaisle up`")


def _open(
    raw: Path, shard: str, detector: Detector, policy: str, folder: Path, watching: dict[str, Any]
) -> _Shard:
    book = Book(folder / f"{shard}.jsonl", {**watching, "shard": shard})
    return _Shard(Tail(raw, shard), Watch(detector, policy, live=True), book)


def _follow(
    stage: Path, shards: dict[str, _Shard], opened: Callable[[Path, str], _Shard], listener: Listener | None
) -> None:
    """Read, judge and tell until the run is over."""
    looked = quiet_since = time.monotonic()
    looked -= 1
    while True:
        now = time.monotonic()
        if now - looked > 0.1:  # noqa: PLR2004 - ten times a second
            looked = now
            for raw, name in find(stage):
                if name not in shards:
                    shards[name] = opened(raw, name)
        busy = False
        for name, shard in shards.items():
            if not shard.over and (found := shard.tail.read(LIVE_FRAMES, LIVE_BYTES)):
                busy = True
                _judge(name, shard, found, listener)
        now = time.monotonic()
        if busy:
            quiet_since = now
        elif (now - quiet_since > SETTLE_S and not stage.exists()) or (
            shards
            and now - quiet_since > SETTLE_S
            and all(shard.tail.ended() for shard in shards.values())
            and not any(stage.glob("shards/*"))
            and (stage / "manifest.json").exists()
        ):
            break
        else:
            time.sleep(PAUSE_S)
    for name, shard in shards.items():
        _end(name, shard)


def _judge(name: str, shard: _Shard, found: list[tuple[int, int, bytes]], listener: Listener | None) -> None:
    """Judge frames and tell their alarms."""
    at = 0
    for verdicts in shard.watch.frames([(time_ns, frame) for time_ns, _, frame in found]):
        now_ns = time.time_ns()
        walls = np.array([wall_ns for _, wall_ns, _ in found[at : at + len(verdicts.frame)]])
        delays = (now_ns - walls) / 1e6
        at += len(walls)
        shard.frames += len(walls)
        shard.delays.extend(delays.tolist())
        for row in np.flatnonzero(verdicts.alarm).tolist():
            shard.alarms += 1
            if int(verdicts.frame[row]) > shard.book.last:
                line = {"shard": name, **told(verdicts, row), "delay_ms": round(float(delays[row]), 3)}
                shard.book.write(line)
                if listener is not None:
                    listener.publish(name, line)


def _end(name: str, shard: _Shard) -> None:
    if not shard.book.done:
        shard.book.write(
            {
                "event": "end",
                "shard": name,
                "frames": shard.frames,
                "alarms": shard.alarms,
                **_quantiles(shard.delays),
            }
        )


def _quantiles(delays: list[float]) -> dict[str, float]:
    """Return median, 99th percentile and maximum of the delays from a frame's stamp to its verdict, ms."""
    if not delays:
        return {}
    names = ("delay_ms_p50", "delay_ms_p99", "delay_ms_max")
    return {
        name: round(float(value), 3)
        for name, value in zip(names, np.quantile(delays, [0.5, 0.99, 1]), strict=True)
    }


def _summary(shards: dict[str, _Shard]) -> list[str]:
    """Return in lines what was seen."""
    frames, alarms = sum(one.frames for one in shards.values()), sum(one.alarms for one in shards.values())
    delays = [delay for one in shards.values() for delay in one.delays]
    lines = [f"{frames:,} frames in {len(shards)} shards, {alarms:,} alarms"]
    if delays:
        middle, late, _ = np.quantile(delays, [0.5, 0.99, 1])
        lines.append(
            f"from a frame's stamp to its verdict: median {middle:.1f} ms, 99th percentile {late:.1f} ms"
        )
    return lines
