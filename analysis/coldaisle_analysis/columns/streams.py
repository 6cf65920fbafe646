"""Streams: what one client publishes, or one flow while no CONNECT has named its client."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.arrays import Floats, Ints, Rows


class Published(NamedTuple):
    """The first PUBLISH of each frame that completes one, in order of time.

    Attributes:
        row: position of its frame.
        stream: key of its stream, see :func:`stream_key`.
        host: source address of its frame.
        time_ns: time of its frame, in ns since the epoch.
        value: its payload, in °C; missing where it is no number.
    """

    row: Rows
    stream: list[str]
    host: list[str]
    time_ns: Ints
    value: Floats


def stream_key(client: object, flow: int) -> str:
    """Return the key of a stream: its client id, or the number of its flow where the client id is missing."""
    return client if isinstance(client, str) else f"flow {flow}"


def stream_keys(clients: Iterable[object], flows: npt.NDArray[np.integer]) -> list[str]:
    """Return the keys of streams, see :func:`stream_key`."""
    return [stream_key(*pair) for pair in zip(clients, flows.tolist(), strict=True)]


def celsius(payloads: npt.ArrayLike) -> Floats:
    """Return payloads, which are texts, in °C; missing where one is no number."""
    # Not a Series: one of few texts takes ten times as long.
    return np.asarray(pd.to_numeric(np.asarray(payloads, object), errors="coerce"), np.float64)
