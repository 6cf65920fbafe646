"""What the hosts in captures report: one series for each number that a publisher sends under one topic, or in one field of a payload."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats, Ints, Mask
from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.decoding.mqtt import PUBLISH, SUBSCRIBE, V3_1
from coldaisle_analysis.features import packets
from coldaisle_analysis.series.published import Reader
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.units import VALUE

FEWEST = 3
"""The fewest readings of a series that show its period."""
_FIRMWARE = re.compile(r"-v\d[\d.]*$")
"""Suffix that a unit's client ids have while it runs another firmware."""
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?", re.ASCII)
_NEAR = 0.25
"""Greatest distance of a usual pause from the median pause, as a share of it."""


class Spoken(NamedTuple):
    """How a message is sent: level of the protocol, quality of service, and whether the broker retains it."""

    level: int
    qos: int
    retain: int


@dataclass(frozen=True)
class Series:
    """The readings of one series of a host.

    Attributes:
        host: address of the host.
        client: client id without the suffix of a firmware; empty where no CONNECT tells it, or each reading has another.
        topic: topic of its first message.
        payload: pattern of its payloads, with ``{value}`` for the number; empty where something else in them changes, too.
        time_ns: times of the readings, in ns since the epoch.
        celsius: the readings; that they are in °C has to show.
        spoken: how most of them are sent.
    """

    host: str
    client: str
    topic: str
    payload: str
    time_ns: Ints
    celsius: Floats
    spoken: Spoken

    @cached_property
    def period_s(self) -> float:
        """Median pause between two readings, in s; 0 for fewer than :data:`FEWEST` readings."""
        return float(np.median(np.diff(self.time_ns))) / SECOND if len(self.celsius) >= FEWEST else 0.0

    @property
    def is_regular(self) -> bool:
        """Whether most pauses have nearly the same length."""
        pauses = np.diff(self.time_ns) / SECOND
        return self.period_s > 0 and bool(np.mean(abs(pauses - self.period_s) <= _NEAR * self.period_s) > 0.5)  # noqa: PLR2004 - most

    @cached_property
    def median(self) -> float:
        """Its median, to two decimals."""
        return round(float(np.median(self.celsius)), 2)


class Reported(NamedTuple):
    """All series in captures, and sentences on flaws of the captures and on what a site does not have."""

    series: tuple[Series, ...]
    remarks: tuple[str, ...]


def read(paths: Sequence[Path], mqtt: MqttOptions) -> Reported:
    """Return what the publishers in captures report.

    Args:
        paths: captures in order of time.
        mqtt: ports and version of MQTT.

    Raises:
        InputError: if a file cannot be read.
    """
    trace = packets.trace(paths, mqtt=mqtt)
    sent, reader = packets.sent_in(trace.packets, trace.messages), Reader()
    spoken = _spoken(trace)
    messages = zip(
        sent.host,
        sent.publisher,
        sent.time_ns.tolist(),
        sent.topic,
        sent.payload,
        reader.values(sent),
        spoken,
        strict=True,
    )
    rows = [
        (host, publisher, name.removeprefix(publisher), time_ns, topic, payload, value, way)
        for host, publisher, time_ns, topic, payload, values, way in messages
        for name, value in values
        if np.isfinite(value)
    ]
    columns = ["host", "publisher", "quantity", "time_ns", "topic", "payload", "value", "spoken"]
    without = reader.forms["none"]
    empty = [f"{without:,} messages hold no number, and are left out"] if without else []
    remarks = (*trace.remarks, *empty, *_of_messages(trace))
    return Reported(tuple(_series(pd.DataFrame(rows, columns=columns))), remarks)


def _series(table: pd.DataFrame) -> Iterator[Series]:
    """Yield the series; a client that sends once is one of many on its host, so that host and topic alone tell its series."""
    table = table.assign(publisher=table["publisher"].str.replace(_FIRMWARE, "", regex=True))
    ends = zip(table["publisher"], table["host"], strict=True)
    is_named = np.array([not publisher.startswith(host) for publisher, host in ends], np.bool_)
    lasting = table.groupby(["host", "publisher"])["value"].transform("size") > 1
    table["publisher"] = table["publisher"].where(lasting, "")
    table["client"] = table["publisher"].where(is_named, "")
    for (host, _, _), rows in table.groupby(["host", "publisher", "quantity"], sort=False):
        time_ns, values = rows["time_ns"].to_numpy(np.int64), rows["value"].to_numpy(np.float64)
        pattern = _pattern(float(values[0]), rows["payload"].tolist())
        client, topic = str(rows["client"].iloc[0]), str(rows["topic"].iloc[0])
        ((usual, _),) = Counter(rows["spoken"]).most_common(1)
        yield Series(str(host), client, topic, pattern, time_ns, values, usual)


def _spoken(trace: packets.Trace) -> list[Spoken]:
    """Return how each message of a publisher is sent; what no CONNECT tells is taken for MQTT 3.1."""
    sent = trace.messages[_published(trace)]
    level, qos, retain = (
        sent[name].to_numpy(np.int64, na_value=usual)
        for name, usual in (("level", V3_1), ("qos", 1), ("retain", 0))
    )
    return list(map(Spoken, level.tolist(), qos.tolist(), retain.tolist()))


def _published(trace: packets.Trace) -> Mask:
    """Return which messages are a PUBLISH from a publisher."""
    upward = trace.packets["to_server"].to_numpy()[trace.messages["row"]] == 1
    return np.asarray((trace.messages["msgtype"] == PUBLISH).to_numpy(bool, na_value=False) & upward)


def _pattern(value: float, payloads: Sequence[bytes]) -> str:
    """Return what payloads have in common around one number, which is the value in the first of them."""
    first = payloads[0].decode(packets.BYTES)
    places = [place.span() for place in _NUMBER.finditer(first) if float(place[0]) == value]
    if len(places) != 1:
        return ""
    before, behind = first[: places[0][0]], first[places[0][1] :]
    form = re.compile(re.escape(before) + _NUMBER.pattern + re.escape(behind))
    alike = all(form.fullmatch(payload.decode(packets.BYTES)) for payload in payloads)
    return f"{before}{VALUE}{behind}" if alike else ""


def _of_messages(trace: packets.Trace) -> Iterator[str]:
    """Yield a sentence for each property of the messages that the messages of a site do not have."""
    messages = trace.messages
    is_publish = (messages["msgtype"] == PUBLISH).to_numpy(bool, na_value=False)
    asks = (messages["msgtype"] == SUBSCRIBE).to_numpy(bool, na_value=False)
    if count := messages[asks | (is_publish & ~_published(trace))]["flow"].nunique():
        yield f"connections subscribe ({count:,} of them): a site has no subscribers"
