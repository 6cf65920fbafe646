"""Following frames with a detector: each gets a score, and an alarm where its policy says so."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
from threadpoolctl import ThreadpoolController

from coldaisle_analysis import columns
from coldaisle_analysis.decoding import Batch, Decoder
from coldaisle_analysis.decoding.mqtt import PUBLISH
from coldaisle_analysis.detection.detector import Detector
from coldaisle_analysis.following.forecast import COLUMNS, Floats, Forecast, Ints
from coldaisle_analysis.forecasting import place_of
from coldaisle_analysis.levels import matrix
from coldaisle_analysis.models import scores
from coldaisle_analysis.policies import Policy
from coldaisle_analysis.values import Values

LEVEL: columns.Level = "packets"
LIVE_FRAMES, LIVE_BYTES = 1 << 12, 1 << 21
"""Frames and bytes that are judged together at most."""
_SHOWN = ("protocol", "client", "ip_src", "ip_dst")


@dataclass(frozen=True)
class Verdicts:
    """What a detector says of some frames, in order.

    Attributes:
        frame: number of each frame, from 1.
        time_ns: when it passed, ns since the epoch.
        score: how sure the detector is that it is an attack, in [0, 1].
        alarm: whether the policy alarms.
        shown: columns that say what it is, by name, such as ``client``; missing is ``None``.
    """

    frame: Ints
    time_ns: Ints
    score: Floats
    alarm: npt.NDArray[np.bool_]
    shown: dict[str, npt.NDArray[np.object_]]


class Watch:
    """Follows one capture; what it has seen shapes what it says next.

    Args:
        detector: what scores.
        policy: name of the policy.
        live: whether frames come few at a time: room for fewer at once.
    """

    def __init__(self, detector: Detector, policy: str, *, live: bool = False) -> None:
        self._detector, self._policy = detector, detector.policy(policy)
        self._decoder = Decoder(frames=LIVE_FRAMES, size=LIVE_BYTES) if live else Decoder()
        self._values, self._forecast = Values(), Forecast(detector.site)
        self._states: dict[str, int] = {}
        self._pool = ThreadpoolController()
        self._ticks = 0

    def files(self, paths: Sequence[Path]) -> Iterator[Verdicts]:
        """Follow the frames of captures, in order of time.

        Raises:
            InputError: if one cannot be read.
        """
        return map(self._judge, self._decoder.decode(paths, reuse=True))

    def frames(self, frames: Sequence[tuple[int, bytes]]) -> Iterator[Verdicts]:
        """Follow Ethernet frames that are at hand, each with its time, ns since the epoch.

        Raises:
            ValueError: if they are more than :data:`LIVE_FRAMES` or hold more than :data:`LIVE_BYTES`.
        """
        return map(self._judge, self._decoder.take(frames))

    def _judge(self, batch: Batch) -> Verdicts:
        packets = batch.packets
        shown = {name: _texts(packets.column(name)) for name in _SHOWN}
        columns_seen = self._seen(batch)
        with self._pool.limit(limits=1):
            score = scores(self._detector.pipeline, columns_seen)
        frame = packets.column("frame").to_numpy()
        time_ns = packets.column("time").cast(pa.int64()).to_numpy()
        flow = packets.column("flow").to_numpy().tolist()
        streams = [
            client or (f"flow {number}" if number >= 0 else "")
            for client, number in zip(shown["client"], flow, strict=True)
        ]
        alarm = follow(self._policy, streams, score, self._states)
        return Verdicts(frame, time_ns, score, alarm, shown)

    def _seen(self, batch: Batch) -> Floats:
        """Return what models are given of each frame, shape (frames, columns)."""
        packets = batch.packets
        rows = packets.num_rows
        told = {
            name: _numbers(packets.column(name))
            for name in columns.learned(LEVEL)
            if name in packets.schema.names
        }
        forecasts = np.full((rows, len(COLUMNS)), np.nan)
        for name in columns.learned(LEVEL):
            told.setdefault(name, np.full(rows, np.nan))
        messages = batch.messages
        sent = np.flatnonzero(messages.column("msgtype").to_numpy() == PUBLISH)
        row = messages.column("frame").to_numpy()[sent] - packets.column("frame")[0].as_py() if rows else sent
        row, first = np.unique(row, return_index=True)
        if len(row):
            self._follow(messages.take(pa.array(sent[first])), packets, row, told, forecasts)
        return np.column_stack([matrix(told, LEVEL), forecasts])

    def _follow(
        self,
        sent: pa.RecordBatch,
        packets: pa.RecordBatch,
        row: Ints,
        told: dict[str, Floats],
        forecasts: Floats,
    ) -> None:
        """Fill in what is said of PUBLISH messages: the first of each row."""
        time_ns = packets.column("time").cast(pa.int64()).to_numpy()[row]
        host = [str(name) for name in _texts(packets.column("ip_src"))[row]]
        key = [
            client if client is not None else f"flow {flow}"
            for client, flow in zip(
                sent.column("client").to_pylist(), sent.column("flow").to_pylist(), strict=True
            )
        ]
        payload = [b"" if said is None else said for said in sent.column("payload").to_pylist()]
        value = _celsius(payload)
        for name, column in self._values.follow(key, host, time_ns, value).items():
            if name in told:
                told[name][row] = column
        named = [place_of(*pair)[0] for pair in zip(key, host, strict=True)]
        ticks = np.arange(self._ticks, self._ticks + len(row), dtype=np.int64)
        self._ticks += len(row)
        forecasts[row] = self._forecast.follow(self._forecast.codes(named), time_ns, ticks, value)


def follow(
    policy: Policy, streams: Iterable[str], score: Floats, states: dict[str, int]
) -> npt.NDArray[np.bool_]:
    """Return which items alarm, given the stream of each; the state of every stream is kept in ``states``."""
    alarm = np.zeros(len(score), np.bool_)
    for at, (stream, one) in enumerate(zip(streams, score.tolist(), strict=True)):
        states[stream], alarm[at] = policy.step(states.get(stream, 0), one)
    return alarm


def _texts(column: pa.Array) -> npt.NDArray[np.object_]:
    """Return a column of texts, missing as ``None``."""
    coded = column if isinstance(column, pa.DictionaryArray) else column.dictionary_encode()
    words = np.array([*coded.dictionary.to_pylist(), None], object)
    return np.asarray(words[coded.indices.fill_null(len(words) - 1).to_numpy()])


def _numbers(column: pa.Array) -> Floats:
    """Return a column as numbers, missing as NaN."""
    return np.array(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False), np.float64)


def _celsius(payload: Sequence[bytes]) -> Floats:
    """Return payloads as °C, missing where one is no number."""
    words = pd.Series([said.decode("latin-1") for said in payload], dtype="str")
    return np.asarray(pd.to_numeric(words, errors="coerce"), np.float64)
