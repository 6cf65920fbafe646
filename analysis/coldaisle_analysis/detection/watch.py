"""Following frames with a detector: each gets a score, and an alarm where its policy says so."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis import columns
from coldaisle_analysis.arrays import Floats, Ints
from coldaisle_analysis.decoding import Decoder, View
from coldaisle_analysis.detection.detector import Detector
from coldaisle_analysis.earliness.policies import Policy
from coldaisle_analysis.evaluation.levels import matrix
from coldaisle_analysis.features import traffic, values
from coldaisle_analysis.features.traffic import Traffic
from coldaisle_analysis.features.values import Values
from coldaisle_analysis.forecast.columns import place_of
from coldaisle_analysis.forecast.kalman import COLUMNS, Forecast
from coldaisle_analysis.models import scores

LEVEL: columns.Level = "packets"
LIVE_FRAMES, LIVE_BYTES = 1 << 12, 1 << 21
"""Frames and bytes that are judged together at most."""
_SHOWN = ("protocol", "client", "ip_src", "ip_dst")
_FOLLOWED = [name for name in columns.learned(LEVEL) if name in values.COLUMNS]
"""Columns that compare a sensor's values."""
_DECODED = [name for name in columns.learned(LEVEL) if name not in (*values.COLUMNS, *traffic.COLUMNS)]
"""Columns that the decoder writes."""


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
        self._values, self._traffic, self._forecast = Values(), Traffic(), Forecast(detector.site)
        self._states: dict[str, int] = {}
        self._ticks = 0

    def files(self, paths: Sequence[Path]) -> Iterator[Verdicts]:
        """Follow the frames of captures, in order of time.

        Raises:
            InputError: if one cannot be read.
        """
        return map(self._judge, self._decoder.views(paths))

    def frames(self, frames: Sequence[tuple[int, bytes]]) -> Iterator[Verdicts]:
        """Follow Ethernet frames that are at hand, each with its time, ns since the epoch.

        Raises:
            ValueError: if they are more than :data:`LIVE_FRAMES` or hold more than :data:`LIVE_BYTES`.
        """
        return map(self._judge, self._decoder.take(frames))

    def _judge(self, view: View) -> Verdicts:
        shown = {name: view.texts(name) for name in _SHOWN}
        columns_seen = self._seen(view, shown)
        score = scores(self._detector.pipeline, columns_seen)
        streams = [
            client or (f"flow {flow}" if flow >= 0 else "")
            for client, flow in zip(shown["client"], view.numbers("flow").astype(np.int64), strict=True)
        ]
        alarm = follow(self._policy, streams, score, self._states)
        return Verdicts(view.frame, view.time_ns, score, alarm, shown)

    def _seen(self, view: View, shown: dict[str, npt.NDArray[np.object_]]) -> Floats:
        """Return what models are given of each frame, shape (frames, columns)."""
        told = {name: view.numbers(name) for name in _DECODED}
        told |= {name: np.full(view.frames, np.nan) for name in _FOLLOWED}
        forecasts = np.full((view.frames, len(COLUMNS)), np.nan)
        row = self._follow_values(view, shown, told, forecasts)
        published = np.zeros(view.frames, np.bool_)
        published[row] = True
        what = {
            traffic.ARP: shown["protocol"] == "ARP",
            traffic.SYN: told["tcp_syn"] > 0,
            traffic.RST: told["tcp_rst"] > 0,
            traffic.PUBLISH: published,
        }
        late, run = told["publish_late"], told["value_run"]
        told |= self._traffic.follow(view.time_ns, view.numbers("flow").astype(np.int64), what, late, run)
        return np.column_stack([matrix(told, LEVEL), forecasts])

    def _follow_values(
        self,
        view: View,
        shown: dict[str, npt.NDArray[np.object_]],
        told: dict[str, Floats],
        forecasts: Floats,
    ) -> npt.NDArray[np.intp]:
        """Fill in what is said of the first PUBLISH of each frame; return the frames that have one."""
        sent = view.published
        row, time_ns = sent.row, view.time_ns[sent.row]
        if not len(row):
            return row
        host = [str(name) for name in shown["ip_src"][row]]
        key = [
            client if client is not None else f"flow {flow}"
            for client, flow in zip(sent.client, sent.flow.tolist(), strict=True)
        ]
        value = _celsius(sent.payload)
        for name, column in self._values.follow(key, host, time_ns, value).items():
            if name in told:
                told[name][row] = column
        named = [place_of(*pair)[0] for pair in zip(key, host, strict=True)]
        ticks = np.arange(self._ticks, self._ticks + len(row), dtype=np.int64)
        self._ticks += len(row)
        forecasts[row] = self._forecast.follow(self._forecast.codes(named), time_ns, ticks, value)
        return row


def follow(
    policy: Policy, streams: Iterable[str], score: Floats, states: dict[str, int]
) -> npt.NDArray[np.bool_]:
    """Return which items alarm, given the stream of each; the state of every stream is kept in ``states``."""
    alarm = np.zeros(len(score), np.bool_)
    for at, (stream, one) in enumerate(zip(streams, score.tolist(), strict=True)):
        states[stream], alarm[at] = policy.step(states.get(stream, 0), one)
    return alarm


def _celsius(payload: Sequence[bytes]) -> Floats:
    """Return payloads as °C, missing where one is no number."""
    # Not a Series: one of few words takes ten times as long.
    words = np.array([said.decode("latin-1") for said in payload], object)
    return np.asarray(pd.to_numeric(words, errors="coerce"), np.float64)
