"""Names of streams, publishers and series.

A *stream* is what one client sends, or one flow while no CONNECT has named its client. A *publisher* is a client by its client id, or
by its address where it has none. A *series* is one quantity that a publisher reports: ``station:plant/line1#temperature`` is the field
``temperature`` of the JSON that the client ``station`` publishes on ``plant/line1``. An InRow's client id already names one sensor, so
it is the name of that sensor's series.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.arrays import Texts
from coldaisle_contracts.topics import TOPIC, base_id, is_inrow


def stream_key(client: object, flow: int) -> str:
    """Return the key of a stream: its client id, or the number of its flow where the client id is missing."""
    return client if isinstance(client, str) else f"flow {flow}"


def stream_keys(clients: Iterable[object], flows: npt.NDArray[np.integer]) -> list[str]:
    """Return the keys of streams, see :func:`stream_key`."""
    return [stream_key(*pair) for pair in zip(clients, flows.tolist(), strict=True)]


def publisher(client: object, address: str, port: object) -> str:
    """Return the name of a publisher: its client id; its address if its client id is empty; address and port before any CONNECT.

    A client that stays anonymous is known by its address alone, because each of its connections has another port
    (MQTT 3.1.1, section 3.1.3.1). Without a CONNECT, the clients of one host can only be told apart by their ports.
    """
    if isinstance(client, str):
        return client or address
    return f"{address}:{port}"


def publishers(packets: pd.DataFrame) -> Texts:
    """Return the publisher to whose connection each frame belongs, ``None`` where it is in no connection of a client.

    A frame before the CONNECT of its connection has none.

    Args:
        packets: level ``packets``.
    """
    client = (
        packets["client"].astype("object").where(packets["client"].notna(), None).to_numpy(object, copy=True)
    )
    flow = packets["flow"].to_numpy(np.int64)
    named = np.zeros(flow.max(initial=-1) + 2, np.bool_)
    named[flow[client != None]] = True  # noqa: E711 - compares each
    by_address = np.flatnonzero((client == "") | (~named[flow] & packets["tcp_srcport"].notna().to_numpy()))
    upward = packets["to_server"].to_numpy()[by_address] == 1
    host, port = (
        np.where(upward, *(packets[name].astype("object").to_numpy()[by_address] for name in ends))
        for ends in (("ip_src", "ip_dst"), ("tcp_srcport", "tcp_dstport"))
    )
    client[by_address] = [publisher(*end) for end in zip(client[by_address], host, port, strict=True)]
    return client


def series_name(name: str, topic: str, field: str) -> str:
    """Return the name of a series.

    Args:
        name: name of its publisher, see :func:`publisher`.
        topic: the topic.
        field: the field of the payload, empty where the payload is the number.
    """
    if topic == TOPIC and not field and is_inrow(base_id(name)):
        return name
    return f"{name}:{topic}#{field}" if field else f"{name}:{topic}"


def sensor_name(series: str) -> str:
    """Return the name of the sensor that reports a series: that of an InRow's sensor is its client id without the suffix."""
    return base_id(series) if is_inrow(base_id(series)) else series
