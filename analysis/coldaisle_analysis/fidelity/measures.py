"""What is compared of a day: numbers with a unit, and mixes of classes."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Floats, Mask, Texts
from coldaisle_analysis.decoding.mqtt import CONNACK, CONNECT, PUBACK
from coldaisle_analysis.fidelity.days import Day
from coldaisle_contracts.clock import SECOND

Topic = Literal["sizes", "times", "delays", "headers", "values", "flows", "mix"]
LEAST_S = 1e-6
"""Shortest time that is told from none, in s: logarithms of times begin here."""
_ACK, _SYN_ACK = 0x10, 0x12
_NUMBER = re.compile(r"\d")
_TOGETHER_S = 1.0
"""Longest pause between the readings that a host sends together, in s."""
_LONGEST = 20
"""How many characters of a payload show its form."""
_FEWEST = 24
"""The fewest values of a series for its autocorrelation."""


@dataclass(frozen=True)
class Measure:
    """One thing that is compared.

    Attributes:
        name: its name.
        topic: what it is about.
        unit: unit of its distance: ``bytes``, ``s``, ``decades`` (of a time, base 10), ``°C``, ``1``, or ``share`` for a mix.
        meaning: what is measured.
        of: takes it of a day: numbers, or the class of each frame for a mix.
    """

    name: str
    topic: Topic
    unit: str
    meaning: str
    of: Callable[[Day], Floats | Texts]

    @property
    def is_mix(self) -> bool:
        """Whether it is a mix of classes."""
        return self.unit == "share"


def _decades(seconds: Floats) -> Floats:
    finite = seconds[np.isfinite(seconds)]
    return np.log10(np.maximum(finite, LEAST_S))


def _finite(values: Floats) -> Floats:
    return values[np.isfinite(values)]


def _pure_ack(day: Day, *, server: bool) -> Mask:
    """Return which frames only acknowledge, towards the server or away from it."""
    empty = (day.numbers("tcp_len") == 0) & (day.numbers("tcp_flags") == _ACK)
    return np.asarray(empty & day.towards(server=server))


def _ntp(day: Day, mode: int) -> Mask:
    return np.asarray(day.numbers("ntp_mode") == mode)


def _between_ntp(day: Day) -> Floats:
    """Return the times between the queries of each host, in s."""
    rows = day.packets.loc[_ntp(day, 3), ["ip_src", "time_ns"]]
    gaps = rows.groupby("ip_src", observed=True)["time_ns"].diff().to_numpy(np.float64) / SECOND
    return _finite(np.round(gaps, 6))


def _between_sensors(day: Day) -> Floats:
    """Return the times between the readings that a host sends together, in decades of s."""
    rows = day.packets.loc[day.readings, ["ip_src", "time_ns"]]
    gaps = rows.groupby("ip_src", observed=True)["time_ns"].diff().to_numpy(np.float64) / SECOND
    return _decades(np.round(gaps[gaps < _TOGETHER_S], 6))


def _between_hosts(day: Day) -> Floats:
    """Return the times between the first readings of different hosts in one slot, in decades of s."""
    rows = day.packets.loc[day.readings, ["ip_src", "time_ns"]]
    gaps = rows["time_ns"].diff().to_numpy(np.float64) / SECOND
    other = rows["ip_src"].astype("object").ne(rows["ip_src"].astype("object").shift()).to_numpy()
    return _decades(np.round(gaps[other & (gaps < 10 * _TOGETHER_S)], 6))


def _jitter(day: Day) -> Floats:
    """Return how much later or earlier than usual each reading comes after the one before, in s."""
    rows = day.packets.loc[day.readings, ["series", "publish_iat"]]
    usual = rows.groupby("series", observed=True)["publish_iat"].transform("median")
    return _finite(np.round((rows["publish_iat"] - usual).to_numpy(np.float64), 6))


def _deviation(day: Day) -> Floats:
    """Return each value less the median of its series on that day, in °C."""
    rows = day.packets.loc[day.readings, ["series", "mqtt_value"]]
    usual = rows.groupby("series", observed=True)["mqtt_value"].transform("median")
    return _finite((rows["mqtt_value"] - usual).to_numpy(np.float64))


def _autocorrelation(day: Day) -> Floats:
    """Return the lag-1 autocorrelation of each series on that day."""
    rows = day.packets.loc[day.readings, ["series", "mqtt_value"]]
    series = [values for _, values in rows.groupby("series", observed=True)["mqtt_value"]]
    return _finite(
        np.array([values.autocorr() for values in series if len(values) >= _FEWEST and values.std() > 0])
    )


def _classes(day: Day, rows: Mask, *names: str, both_ways: bool = False) -> Texts:
    """Return the class of each chosen frame: ``up`` to the server or ``down``, unless both ways are one, and the values of columns."""
    table = day.packets.loc[rows, list(names)].astype("object")
    words = table.where(table.notna(), "-").astype("str").to_numpy(object).tolist()
    ways = ["down ", "up "] if not both_ways else ["", ""]
    upward = (day.numbers("to_server")[rows] == 1).tolist()
    return np.array([ways[up] + " ".join(parts) for up, parts in zip(upward, words, strict=True)], object)


def _steps(day: Day) -> Texts:
    """Return by how much the IP identification of each TCP frame is above the one before in its direction, as a class."""
    rows = day.packets.loc[np.isfinite(day.numbers("tcp_len")), ["flow", "to_server", "ip_id"]]
    steps = rows.groupby(["flow", "to_server"])["ip_id"].diff().dropna().astype("int64") % 65_536
    names = pd.cut(steps, [-1, 0, 1, 255, 65_535], labels=["0", "1", "2 to 255", "more"])
    return np.asarray(names, object)


def _form(day: Day) -> Texts:
    """Return the payload of each reading with every digit as 0."""
    return np.array(
        [_NUMBER.sub("0", str(text)[:_LONGEST]) for text in day.texts("mqtt_payload")[day.readings]], object
    )


def _has(day: Day, name: str) -> Mask:
    return np.isfinite(day.numbers(name))


def _flow(name: str, *, decades: bool = False) -> Callable[[Day], Floats]:
    def of(day: Day) -> Floats:
        values = day.flows[name].to_numpy(np.float64)
        return _decades(np.round(values, 6)) if decades else _finite(values)

    return of


MEASURES = (
    Measure("frame_len_up", "sizes", "bytes", "length of frames to the server",
            lambda day: day.numbers("frame_len")[day.towards(server=True)]),
    Measure("frame_len_down", "sizes", "bytes", "length of frames from the server",
            lambda day: day.numbers("frame_len")[day.towards(server=False)]),
    Measure("mqtt_len", "sizes", "bytes", "remaining length of MQTT control packets",
            lambda day: _finite(day.numbers("mqtt_len"))),
    Measure("any_iat", "times", "decades", "time between two frames of the capture",
            lambda day: _decades(np.diff(day.packets["time_ns"].to_numpy(np.int64)) // 1000 / 1e6)),
    Measure("flow_iat", "times", "decades", "time between two frames of a connection",
            lambda day: _decades(day.numbers("flow_iat")[_has(day, "tcp_len")])),
    Measure("iat_up", "times", "decades", "time between two frames of a connection to the server",
            lambda day: _decades(day.numbers("dir_iat")[day.towards(server=True)])),
    Measure("iat_down", "times", "decades", "time between two frames of a connection from the server",
            lambda day: _decades(day.numbers("dir_iat")[day.towards(server=False)])),
    Measure("publish_iat", "times", "s", "time between two readings of a sensor",
            lambda day: _finite(day.numbers("publish_iat")[day.readings])),
    Measure("publish_jitter", "times", "s", "publish_iat less its median of the sensor and day", _jitter),
    Measure("sensor_gap", "times", "decades", "time between the readings that a host sends together", _between_sensors),
    Measure("host_gap", "times", "decades", "time from the last reading of a host to the next host's", _between_hosts),
    Measure("ntp_iat", "times", "s", "time between two NTP queries of a host", _between_ntp),
    Measure("syn_ack_delay", "delays", "decades", "from SYN to SYN-ACK",
            lambda day: _decades(day.numbers("reply_s")[(day.numbers("tcp_flags") == _SYN_ACK) & day.towards(server=False)])),
    Measure("connack_delay", "delays", "decades", "from CONNECT to CONNACK",
            lambda day: _decades(day.numbers("reply_s")[day.is_type(CONNACK)])),
    Measure("puback_delay", "delays", "decades", "from PUBLISH to PUBACK",
            lambda day: _decades(day.numbers("reply_s")[day.is_type(PUBACK)])),
    Measure("ack_delay_up", "delays", "decades", "from a frame of the server to the client's bare ACK",
            lambda day: _decades(day.numbers("reply_s")[_pure_ack(day, server=True)])),
    Measure("ack_delay_down", "delays", "decades", "from a frame of the client to the server's bare ACK",
            lambda day: _decades(day.numbers("reply_s")[_pure_ack(day, server=False)])),
    Measure("ntp_delay", "delays", "decades", "from an NTP query to its answer",
            lambda day: _decades(day.numbers("reply_s")[_ntp(day, 4)])),
    Measure("ttl", "headers", "share", "time to live", lambda day: _classes(day, _has(day, "ip_ttl"), "ip_ttl", both_ways=True)),
    Measure("dscp", "headers", "share", "service class and protocol",
            lambda day: _classes(day, _has(day, "ip_dscp"), "protocol", "ip_dscp", both_ways=True)),
    Measure("dont_fragment", "headers", "share", "don't-fragment flag", lambda day: _classes(day, _has(day, "ip_df"), "ip_df", both_ways=True)),
    Measure("ip_id_step", "headers", "share", "step of the IP identification in a connection", _steps),
    Measure("tcp_options", "headers", "share", "length of the TCP header, by flags",
            lambda day: _classes(day, _has(day, "tcp_len"), "tcp_flags", "tcp_hdr_len")),
    Measure("tcp_window", "headers", "share", "TCP window as sent",
            lambda day: _classes(day, _has(day, "tcp_len"), "tcp_window")),
    Measure("connect", "headers", "share", "version, keepalive and clean session of a CONNECT",
            lambda day: _classes(day, day.is_type(CONNECT), "mqtt_version", "mqtt_keepalive", "mqtt_cleansess")),
    Measure("value", "values", "°C", "value of a reading", lambda day: day.numbers("mqtt_value")[day.readings]),
    Measure("value_deviation", "values", "°C", "value less the median of its sensor and day", _deviation),
    Measure("value_step", "values", "°C", "increment: value less the sensor's value before",
            lambda day: _finite(day.numbers("value_diff")[day.readings])),
    Measure("value_autocorrelation", "values", "1", "lag-1 autocorrelation of a sensor on a day", _autocorrelation),
    Measure("payload_form", "values", "share", "payload with every digit as 0", _form),
    Measure("flow_duration", "flows", "decades", "from first to last frame of a flow", _flow("duration", decades=True)),
    Measure("flow_packets", "flows", "1", "frames of a flow", _flow("packets")),
    Measure("flow_bytes", "flows", "bytes", "bytes of a flow", _flow("bytes")),
    Measure("flow_size_std", "flows", "bytes", "standard deviation of a flow's lengths", _flow("size_std")),
    Measure("flow_iat_mean", "flows", "decades", "mean time between two frames of a flow", _flow("iat_mean", decades=True)),
    Measure("protocols", "mix", "share", "protocol of a frame", lambda day: day.texts("protocol")),
    Measure("tcp_flags", "mix", "share", "flags of a TCP segment, by direction",
            lambda day: _classes(day, _has(day, "tcp_len"), "tcp_flags")),
    Measure("mqtt_types", "mix", "share", "type of an MQTT control packet, by direction",
            lambda day: _classes(day, _has(day, "mqtt_msgtype"), "mqtt_msgtype")),
    Measure("mqtt_flags", "mix", "share", "QoS, DUP and RETAIN of a PUBLISH",
            lambda day: _classes(day, day.is_type(3), "mqtt_qos", "mqtt_dup", "mqtt_retain")),
)  # fmt: skip
"""Everything that is compared."""


def markdown() -> str:
    """Return all measures as a Markdown table, as docs/fidelity.md shows them."""
    rows = [f"| `{row.name}` | {row.topic} | {row.unit} | {row.meaning} |" for row in MEASURES]
    return "\n".join(["| measure | topic | unit of its shift | meaning |", "|---|---|---|---|", *rows])
