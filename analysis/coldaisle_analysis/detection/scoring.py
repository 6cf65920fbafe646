"""Scoring finished captures with a detector: one row per frame, one line per alarm."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits

from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.detection.detector import Detector
from coldaisle_analysis.detection.watch import Verdicts, Watch
from coldaisle_analysis.staging import refuse_used, staged

SCHEMA = pa.schema([
    ("frame", pa.int64()), ("time", pa.timestamp("ns", "UTC")), ("score", pa.float64()), ("alarm", pa.bool_()),
])  # fmt: skip
FEW = 10
"""Number of alarms that are shown."""


@dataclass(frozen=True)
class Scored:
    """Captures that a detector has scored.

    Attributes:
        frames: number of their frames.
        alarms: every alarm as JSON, see :func:`alarm_json`.
        out: folder of the results; ``None`` where nothing was written.
        remarks: sentences on flaws of the captures and on what was not read of them.
    """

    frames: int
    alarms: list[dict[str, Any]]
    out: Path | None
    remarks: tuple[str, ...] = ()

    def lines(self) -> list[str]:
        """Return what a terminal shows: the counts, and the folder or the first alarms."""
        count = f"{self.frames:,} frames, {len(self.alarms):,} alarms"
        if self.out is not None:
            return [count, *self.remarks, str(self.out)]
        alarms = [json.dumps(alarm) for alarm in self.alarms[:FEW]]
        cut = len(self.alarms) > FEW
        more = [f"{FEW} of {len(self.alarms):,} alarms shown; all with --out DIR"] if cut else []
        return [*alarms, *more, *self.remarks, count]


def score(
    model: Path,
    pcaps: Sequence[Path],
    policy: str,
    out: Path | None,
    mqtt: MqttOptions = MqttOptions(),  # noqa: B008 - frozen
) -> Scored:
    """Score captures with a detector.

    Args:
        model: file of a detector.
        pcaps: captures in order of time.
        policy: name of one of the detector's policies.
        out: folder to make for ``scores.parquet`` and ``alarms.jsonl``; when omitted, nothing is written.
        mqtt: ports and version of MQTT.

    Raises:
        InputError: if the detector or a capture cannot be read, or the folder cannot be made.
    """
    with threadpool_limits(1):  # a few rows at a time, as in a live watch
        watch = Watch(Detector.load(model), policy, mqtt=mqtt)
        scored = _score(watch.files(pcaps), out)
        return replace(scored, remarks=tuple(watch.remarks()))


def _score(verdicts: Iterator[Verdicts], out: Path | None) -> Scored:
    if out is None:
        return Scored(*_collect(verdicts), out)
    refuse_used(out)
    with staged(out.parent / f".{out.name}") as folder:
        with pq.ParquetWriter(folder / "scores.parquet", SCHEMA) as file:
            frames, alarms = _collect(_written(verdicts, file))
        lines = "".join(json.dumps(alarm) + "\n" for alarm in alarms)
        (folder / "alarms.jsonl").write_text(lines, encoding="utf-8")
        folder.replace(out)
    return Scored(frames, alarms, out)


def _collect(verdicts: Iterator[Verdicts]) -> tuple[int, list[dict[str, Any]]]:
    """Return the number of frames, and the alarms."""
    frames, alarms = 0, list[dict[str, Any]]()
    for part in verdicts:
        frames += len(part.frame)
        alarms += [alarm_json(part, row) for row in np.flatnonzero(part.alarm).tolist()]
    return frames, alarms


def _written(verdicts: Iterator[Verdicts], file: pq.ParquetWriter) -> Iterator[Verdicts]:
    for part in verdicts:
        columns = (part.frame, part.time_ns, part.score, part.alarm)
        arrays = [pa.array(column, field.type) for column, field in zip(columns, SCHEMA, strict=True)]
        file.write_table(pa.table(arrays, schema=SCHEMA))
        yield part


def alarm_json(verdicts: Verdicts, row: int) -> dict[str, Any]:
    """Return an alarm as JSON; ``time`` is in UTC."""
    time_ns = int(verdicts.time_ns[row])
    return {
        "event": "alarm",
        "frame": int(verdicts.frame[row]),
        "time": f"{np.datetime64(time_ns, 'ns')}Z",
        "time_ns": time_ns,
        "score": float(verdicts.score[row]),
        **{name: values[row] for name, values in verdicts.texts.items()},
    }
