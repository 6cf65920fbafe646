"""The loop of a watch: read frames, score them, report alarms, until the run has ended."""

import gc
import time
from collections.abc import Callable
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from coldaisle_analysis.detection import Detector, Watch
from coldaisle_analysis.detection.scoring import alarm_json
from coldaisle_analysis.detection.watch import LIVE_BYTES, LIVE_FRAMES
from coldaisle_contracts.errors import RunError
from coldaisle_contracts.manifest import sha256_of
from coldaisle_testbed.holding import is_held
from coldaisle_testbed.live import choice
from coldaisle_testbed.live.alarms import Book
from coldaisle_testbed.live.delays import Delays
from coldaisle_testbed.live.following import Tail, find
from coldaisle_testbed.live.listener import Address, Listener
from coldaisle_testbed.stage import hand_over, is_abandoned

PAUSE_S = 0.001
"""Pause after a read without a frame, in s."""
ALARMS = "alarms"
"""Name of the folder of all alarms, beside the runs."""
SETTLE_S = 2.0
"""A run is over when its folder has its final name, or is gone, and no frame came for this time, in s."""


class AbandonedError(RunError):
    """The making of a watched run was ended, and no process goes on with it.

    Args:
        stage: the folder in which it was made.
    """

    def __init__(self, stage: Path) -> None:
        super().__init__(
            f"{stage}: the making of this run was ended before it was finished; alarms so far are kept: `coldaisle runs` says whether "
            "it can go on, and `coldaisle live` goes on with it"
        )


@dataclass
class _Shard:
    """A shard that is watched; ``read`` is true when its capture is sealed and read to its end."""

    name: str
    tail: Tail
    watch: Watch
    book: Book
    frames: int = 0
    alarms: int = 0
    delays: Delays = field(default_factory=Delays)
    read: bool = False

    def judge(self, frames: list[tuple[int, int, bytes]], listener: Listener | None) -> None:
        """Score frames and report their alarms, without those that were reported before a restart."""
        wall_ns = np.array([wall_ns for _, wall_ns, _ in frames])
        for verdicts in self.watch.frames([(time_ns, frame) for time_ns, _, frame in frames]):
            stamps_ns, wall_ns = np.split(wall_ns, [len(verdicts.frame)])
            delays_ms = (time.time_ns() - stamps_ns) / 1e6
            self.delays.add(delays_ms)
            self.frames += len(stamps_ns)
            rows = np.flatnonzero(verdicts.alarm)
            self.alarms += len(rows)
            lines = [
                {"shard": self.name, **alarm_json(verdicts, row), "delay_ms": round(float(delays_ms[row]), 3)}
                for row in rows[verdicts.frame[rows] > self.book.last].tolist()
            ]
            self.book.write(*lines)
            if listener is not None:
                for line in lines:
                    listener.publish(self.name, line)

    def end(self) -> None:
        """Write the last line with counts and delays, unless it is written."""
        if not self.book.done:
            counts = {"shard": self.name, "frames": self.frames, "alarms": self.alarms}
            self.book.write({"event": "end", **counts, **self.delays.facts()})

    def close(self) -> None:
        """Close its files."""
        self.tail.close()
        self.book.close()


@dataclass
class _Session:
    """A run that is watched.

    Attributes:
        stage: folder of the run.
        opened: opens a shard, given the folder of its raw captures and its name.
        listener: gets the alarms, too; ``None`` for no listener.
        shards: the open shards by name.
    """

    stage: Path
    opened: Callable[[Path, str], _Shard]
    listener: Listener | None
    shards: dict[str, _Shard] = field(default_factory=dict)

    def run(self) -> bool:
        """Watch until the run is over; return false if its making was ended before."""
        looked, quiet_since = -choice.LOOK_S, time.monotonic()
        while True:
            now = time.monotonic()
            if now - looked >= choice.LOOK_S:
                self._look()
                looked = now
            if self._step():
                quiet_since = time.monotonic()
            elif time.monotonic() - quiet_since > SETTLE_S and (self._is_over() or is_abandoned(self.stage)):
                break
            else:
                time.sleep(choice.LOOK_S if self._all_read() else PAUSE_S)
        if is_abandoned(self.stage):
            return False
        for shard in self.shards.values():
            shard.end()
        return True

    def close(self) -> None:
        """Close the files of all shards."""
        for shard in self.shards.values():
            shard.close()

    def _look(self) -> None:
        """Open new shards; one without a timeline, not yet or no longer, is left to the next look."""
        for raw, name in find(self.stage):
            if name not in self.shards:
                with suppress(FileNotFoundError):
                    self.shards[name] = self.opened(raw, name)

    def _step(self) -> bool:
        """Score the new frames of each shard; tell whether there were any."""
        busy = False
        for shard in self.shards.values():
            if shard.read:
                continue
            if frames := shard.tail.read(LIVE_FRAMES, LIVE_BYTES):
                shard.judge(frames, self.listener)
                busy = True
            else:
                shard.read = shard.tail.ended()
        return busy

    def _all_read(self) -> bool:
        """Tell whether every shard is read to its end."""
        return all(shard.read for shard in self.shards.values())

    def _is_over(self) -> bool:
        """Tell whether the run has its final name, or is complete, and every shard is read to its end."""
        if not self.stage.exists():
            return True
        joined = (self.stage / "manifest.json").exists() and not any(self.stage.glob("shards/*"))
        named = not self.stage.resolve().name.startswith(".") and not is_held(self.stage)
        return (joined or named) and self._all_read()


def watch(
    runs: Path,
    run: Path | None,
    model: Path | None,
    policy: str,
    out: Path | None,
    where: Address | None,
    progress: Callable[[str], None],
) -> None:
    """Watch a run while it is played, until it has ended.

    Args:
        runs: folder of the runs.
        run: folder of the run, see :func:`choice.stage`.
        model: file of a detector; by default :func:`choice.detector` chooses.
        policy: name of one of its policies.
        out: folder of the alarms; by default ``alarms/<run>`` in ``runs``.
        where: an MQTT listener that gets the alarms, too; ``None`` for no listener.
        progress: called with one line per step.

    Raises:
        InputError: if the detector cannot be read, no run begins, or the folder holds the alarms of another detector.
        AbandonedError: if the making of the run is ended before it is finished.
    """
    if run is not None:
        choice.stage(runs, run, progress)  # refuses a folder that is no run before the model is loaded
    model = model or choice.detector(runs, progress)
    detector = Detector.load(model)
    detector.policy(policy)
    with ExitStack() as stack:
        # a few rows at a time: threads would only wait for each other
        stack.enter_context(threadpool_limits(1))
        _warm_up(detector, policy)
        stack.callback(gc.unfreeze)
        listener = (
            stack.enter_context(closing(Listener(where, out or runs / ALARMS, progress))) if where else None
        )
        stage = choice.stage(runs, run, progress).resolve()  # in containers a link leads to it
        folder = out or runs / ALARMS / stage.name.lstrip(".")
        folder.mkdir(parents=True, exist_ok=True)
        if out is None:
            stack.callback(hand_over, folder.parent)
        watching = {"model": detector.model, "policy": policy, "sha256": sha256_of(model)}
        progress(f"watching {stage} with {detector.model}, policy {policy}; alarms: {folder}")

        def opened(raw: Path, shard: str) -> _Shard:
            tail = Tail(raw, shard)
            book = Book(folder / f"{shard}.jsonl", {**watching, "shard": shard})
            return _Shard(shard, tail, Watch(detector, policy, live=True), book)

        session = _Session(stage, opened, listener)
        stack.callback(session.close)
        finished = session.run()
    for line in _summary([*session.shards.values()]):
        progress(line)
    if not finished:
        raise AbandonedError(stage)


def _warm_up(detector: Detector, policy: str) -> None:
    """Score a dummy frame to trigger lazy loading before the run starts, and exempt all objects from garbage collection."""
    list(Watch(detector, policy, live=True).frames([(0, bytes(60))]))
    gc.collect()
    gc.freeze()


def _summary(shards: list[_Shard]) -> list[str]:
    """Return the lines of the summary: frames, alarms and delays."""
    delays = Delays()
    for shard in shards:
        delays.merge(shard.delays)
    frames, alarms = sum(shard.frames for shard in shards), sum(shard.alarms for shard in shards)
    lines = [f"{frames:,} frames in {len(shards)} shards, {alarms:,} alarms"]
    if frames:
        delay = f"median {delays.quantile(0.5):.1f} ms, 99th percentile {delays.quantile(0.99):.1f} ms"
        lines.append(f"from a frame's stamp to its verdict: {delay}")
    return lines
