"""Following frames with a detector: each gets a score, and an alarm where its policy says so."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coldaisle_analysis import columns
from coldaisle_analysis.arrays import Floats, Ints, Mask, Texts
from coldaisle_analysis.columns.streams import Published, celsius, stream_key, stream_keys
from coldaisle_analysis.decoding import Decoder, View
from coldaisle_analysis.detection.detector import Detector
from coldaisle_analysis.earliness.policies import Policy
from coldaisle_analysis.evaluation.levels import matrix
from coldaisle_analysis.features import traffic, values
from coldaisle_analysis.features.derived import Decoded, Derivation
from coldaisle_analysis.features.packets import BYTES
from coldaisle_analysis.forecast import columns as forecast
from coldaisle_analysis.forecast.columns import series_of_published
from coldaisle_analysis.forecast.kalman import Forecast
from coldaisle_analysis.models import scores

LEVEL: columns.Level = "packets"
LIVE_FRAMES, LIVE_BYTES = 1 << 12, 1 << 21
"""Frames and bytes that are judged together at most."""
_SHOWN = ("protocol", "client", "ip_src", "ip_dst")
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
    alarm: Mask
    shown: dict[str, Texts]


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
        self._derivation, self._forecast = Derivation(), Forecast(detector.site)
        self._states: dict[str, int] = {}

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
        texts = {name: view.texts(name) for name in _SHOWN}
        flow = view.numbers("flow").astype(np.int64)
        score = scores(self._detector.pipeline, self._columns(view, texts, flow))
        streams = [
            stream_key(client or None, number) if number >= 0 else ""
            for client, number in zip(texts["client"], flow.tolist(), strict=True)
        ]
        alarm = follow(self._policy, streams, score, self._states)
        return Verdicts(view.frame, view.time_ns, score, alarm, texts)

    def _columns(self, view: View, texts: dict[str, Texts], flow: Ints) -> Floats:
        """Return what models are given of each frame, shape (frames, columns)."""
        columns = {name: view.numbers(name) for name in _DECODED}
        sent = view.published
        published = Published(
            sent.row,
            stream_keys(sent.client, sent.flow),
            texts["ip_src"][sent.row].tolist(),
            view.time_ns[sent.row],
            celsius([payload.decode(BYTES) for payload in sent.payload]),
        )
        syn, rst = columns["tcp_syn"], columns["tcp_rst"]
        frames = Decoded(view.time_ns, flow, texts["protocol"], syn, rst, published)
        columns |= self._derivation.follow(frames)
        forecasts = forecast.follow(self._forecast, series_of_published(published), view.frames)
        return np.column_stack([matrix(columns, LEVEL), forecasts])


def follow(policy: Policy, streams: Iterable[str], score: Floats, states: dict[str, int]) -> Mask:
    """Return which items alarm, given the stream of each; the state of every stream is kept in ``states``."""
    alarm = np.zeros(len(score), np.bool_)
    for at, (stream, one) in enumerate(zip(streams, score.tolist(), strict=True)):
        states[stream], alarm[at] = policy.step(states.get(stream, 0), one)
    return alarm
