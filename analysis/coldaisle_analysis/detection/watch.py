"""Following frames with a detector: every frame gets a score, and an alarm where the policy raises one."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coldaisle_analysis import columns
from coldaisle_analysis.arrays import Floats, Ints, Mask, Texts
from coldaisle_analysis.decoding import Decoder, MqttOptions, View
from coldaisle_analysis.decoding.captures import require_times
from coldaisle_analysis.detection.detector import Detector
from coldaisle_analysis.earliness.policies import Policy
from coldaisle_analysis.evaluation.levels import matrix
from coldaisle_analysis.features import traffic, values
from coldaisle_analysis.features.derived import Derivation
from coldaisle_analysis.forecast import columns as forecast
from coldaisle_analysis.forecast.columns import of_published
from coldaisle_analysis.forecast.kalman import Forecast
from coldaisle_analysis.models.model import scores
from coldaisle_analysis.series.names import publisher, stream_key
from coldaisle_analysis.series.published import Reader, Sent

LEVEL: columns.Level = "packets"
LIVE_FRAMES, LIVE_BYTES = 1 << 12, 1 << 21
"""Most frames, and most bytes, that are scored together in a live watch."""
_TEXTS = ("protocol", "client", "ip_src", "ip_dst")
_DECODED = [name for name in columns.learned(LEVEL) if name not in (*values.COLUMNS, *traffic.COLUMNS)]
"""Input columns that the decoder writes."""


@dataclass(frozen=True)
class Verdicts:
    """The verdicts of a detector on some frames, in order.

    Attributes:
        frame: number of each frame, from 1.
        time_ns: time of the frame, in ns since the epoch.
        score: score of the frame, in [0, 1]; a higher score is a stronger sign of an attack.
        alarm: whether the policy raises an alarm.
        texts: columns that describe the frame, by name, such as ``client``; missing is ``None``.
    """

    frame: Ints
    time_ns: Ints
    score: Floats
    alarm: Mask
    texts: dict[str, Texts]


class Watch:
    """Follows one capture with a detector; the verdict on a frame depends on the frames before it.

    Args:
        detector: the detector.
        policy: name of the policy.
        live: whether few frames come at a time; memory is then reserved for fewer frames.
        mqtt: ports and version of MQTT.
    """

    def __init__(
        self,
        detector: Detector,
        policy: str,
        *,
        live: bool = False,
        mqtt: MqttOptions = MqttOptions(),  # noqa: B008 - frozen
    ) -> None:
        self._detector, self._policy = detector, detector.policy(policy)
        bounds = {"frames": LIVE_FRAMES, "size": LIVE_BYTES} if live else {}
        self._decoder = Decoder(mqtt.ports, version=mqtt.version, **bounds)
        self._derivation, self._forecast = Derivation(), Forecast(detector.site)
        self._reader = Reader(detector.series)
        self._states: dict[str, int] = {}

    def remarks(self) -> list[str]:
        """Return sentences on flaws of the frames so far and on what was not read, see :meth:`Decoder.remarks`."""
        return list(self._decoder.remarks())

    def files(self, paths: Sequence[Path]) -> Iterator[Verdicts]:
        """Follow the frames of captures, in order of time.

        Raises:
            InputError: if a capture cannot be read, or has a frame without a time.
        """
        return map(self._judge, self._decoder.views(paths))

    def frames(self, frames: Sequence[tuple[int, bytes]]) -> Iterator[Verdicts]:
        """Follow Ethernet frames, each with its time, in ns since the epoch.

        Raises:
            ValueError: if there are more than :data:`LIVE_FRAMES`, or more than :data:`LIVE_BYTES` in all.
        """
        return map(self._judge, self._decoder.take(frames))

    def _judge(self, view: View) -> Verdicts:
        require_times(*view.place[:2], view.time_ns)
        texts = {name: view.texts(name) for name in _TEXTS}
        flow = view.numbers("flow").astype(np.int64)
        score = scores(self._detector.pipeline, self._columns(view, texts, flow))
        streams = [
            stream_key(client or None, number) if number >= 0 else ""
            for client, number in zip(texts["client"], flow.tolist(), strict=True)
        ]
        alarm = follow(self._policy, streams, score, self._states)
        return Verdicts(view.frame, view.time_ns, score, alarm, texts)

    def _columns(self, view: View, texts: dict[str, Texts], flow: Ints) -> Floats:
        """Return the models' input of each frame, shape (frames, columns)."""
        columns = {name: view.numbers(name) for name in _DECODED}
        is_publish, sent = _sent(view, texts["ip_src"], columns["to_server"] == 1)
        published = self._reader.first(sent)
        syn, rst = columns["tcp_syn"], columns["tcp_rst"]
        columns |= self._derivation.follow(
            view.time_ns, flow, texts["protocol"], syn, rst, is_publish, published
        )
        forecasts = forecast.follow(self._forecast, of_published(published), view.frames)
        return np.column_stack([matrix(columns, LEVEL), forecasts])


def _sent(view: View, host: Texts, upward: Mask) -> tuple[Mask, Sent]:
    """Return which frames complete a PUBLISH, and the first PUBLISH of each frame from a publisher.

    Args:
        view: the frames.
        host: source address of each frame.
        upward: whether the frame goes to the broker.
    """
    published = view.published
    is_publish = np.zeros(view.frames, np.bool_)
    is_publish[published.row] = True
    places = np.flatnonzero(upward[published.row])
    row = published.row[places]
    port = view.numbers("tcp_srcport")[row].astype(np.int64)
    named = zip(published.client[places], host[row], port.tolist(), strict=True)
    return is_publish, Sent(
        row,
        [publisher(*name) for name in named],
        host[row].tolist(),
        view.time_ns[row],
        published.topic[places].tolist(),
        [published.payload[place] for place in places.tolist()],
    )


def follow(policy: Policy, streams: Iterable[str], score: Floats, states: dict[str, int]) -> Mask:
    """Return which items raise an alarm, given the stream of each; ``states`` holds the policy's state of every stream."""
    alarm = np.zeros(len(score), np.bool_)
    for at, (stream, item) in enumerate(zip(streams, score.tolist(), strict=True)):
        states[stream], alarm[at] = policy.step(states.get(stream, 0), item)
    return alarm
