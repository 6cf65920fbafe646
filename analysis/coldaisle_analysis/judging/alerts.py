"""Alerts as a table: what each says of when and where, in any of the formats of :mod:`formats`."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from pathlib import PurePath
from typing import Any

import pandas as pd

from coldaisle_analysis.class_names import is_benign
from coldaisle_analysis.judging.values import (
    LONGEST_NS,
    PORTS,
    endpoint,
    number_of,
    protocol,
    time_ns_of,
    whole,
)
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.errors import InputError

NAMES: dict[str, tuple[str, ...]] = {
    "number": ("frame_in_file", "frame", "frame_number", "frame.number", "pcap_cnt", "pkt_num"),
    "file": ("file", "pcap_filename", "capture"),
    "time_ns": ("time_ns", "timestamp", "time", "ts", "frame.time_epoch", "time_epoch", "seconds", "start", "start_time"),
    "end_ns": ("end_ns", "end", "end_time"),
    "duration": ("duration",),
    "src": ("src", "src_ip", "ip.src", "ip_src", "src_addr", "srcip", "source", "id.orig_h", "src_ap"),
    "src_port": ("src_port", "srcport", "sport", "tcp.srcport", "tcp_srcport", "udp_srcport", "id.orig_p"),
    "dst": ("dst", "dst_ip", "dest_ip", "ip.dst", "ip_dst", "dst_addr", "dstip", "destination", "id.resp_h", "dst_ap"),
    "dst_port": (
        "dst_port", "dest_port", "dstport", "dport", "tcp.dstport", "tcp_dstport", "udp_dstport", "id.resp_p", "p",
    ),
    "proto": ("proto", "protocol", "ip_proto", "ip.proto"),
    "community_id": ("community_id",),
    "uid": ("uid",),
    "score": ("score", "confidence", "probability"),
    "closes": ("#closes",),
    "name": ("signature", "msg", "note", "name", "description", "rule", "kind"),
}  # fmt: skip
"""Each fact of an alert, and the names that formats have for it; the first name with a value counts."""
VERDICTS = ("prediction", "predicted", "verdict", "alert", "anomaly", "is_attack", "attack", "label")
"""Names of a column that says whether a row is an alert at all; the first one that is there counts, so that a label beside it does not."""
_NO = {"f", "(empty)"}
"""Values of such a column that say no, beside the names of classes that are no attack."""
_ABSENT = {"", "-", "(empty)", "nan", "none", "null"}


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert.

    Attributes:
        place: file and line, for sentences.
        number: number of its frame.
        file: name of the capture file that the frame is in.
        time_ns: time in ns since the epoch.
        end_ns: end of the stretch of time that it speaks of, in ns; ``None`` if it speaks of an instant.
        src: source address.
        src_port: source port.
        dst: destination address.
        dst_port: destination port.
        proto: number of the IP protocol.
        community_id: Community ID of its flow.
        uid: Zeek's name of its connection.
        closes: whether it was raised when its flow had ended, and speaks of the last frame in that stretch of time alone.
        score: a greater one is a more certain, or more severe, alert; one of 0 or less is none.
        name: the detector's words for it.
    """

    place: str
    number: int | None = None
    file: str | None = None
    time_ns: int | None = None
    end_ns: int | None = None
    src: str | None = None
    src_port: int | None = None
    dst: str | None = None
    dst_port: int | None = None
    proto: int | None = None
    community_id: str | None = None
    uid: str | None = None
    closes: bool = False
    score: float = 1.0
    name: str = ""


def is_alert(record: Mapping[str, Any]) -> bool:
    """Tell whether a row is an alert: it is, unless its column of :data:`VERDICTS` says no."""
    name = next((name for name in VERDICTS if record.get(name) is not None), None)
    value = str(record[name]).strip() if name else ""
    return name is None or not (value.lower() in _NO or is_benign(value))


def alert_of(place: str, record: Mapping[str, Any], near_ns: int) -> Alert:
    """Return an alert from its facts, under any of their :data:`NAMES` in small letters.

    Args:
        place: file and line.
        record: the facts.
        near_ns: a time that the capture holds, which decides the year where a format has none.

    Raises:
        InputError: if a value cannot be read.
    """
    facts = {key: value for key, names in NAMES.items() if (value := _first(record, names)) is not None}
    src, src_port = endpoint(f"{place}: src", facts.get("src"))
    dst, dst_port = endpoint(f"{place}: dst", facts.get("dst"))
    time_ns = time_ns_of(f"{place}: time", facts.get("time_ns"), near_ns)
    end_ns = time_ns_of(f"{place}: end", facts.get("end_ns"), near_ns)
    if end_ns is None and time_ns is not None and "duration" in facts:
        end_ns = time_ns + int(number_of(f"{place}: duration", facts["duration"]) * SECOND)
    if end_ns is not None and (time_ns is None or end_ns < time_ns):
        raise InputError(
            f"{place}: end", "write a start that is not behind it", facts.get("end_ns", facts.get("duration"))
        )
    return Alert(
        place=place,
        number=whole(f"{place}: frame number", facts.get("number"), 1, LONGEST_NS),
        file=PurePath(str(facts["file"])).name if "file" in facts else None,
        time_ns=time_ns,
        end_ns=end_ns,
        src=src,
        src_port=whole(f"{place}: source port", facts.get("src_port", src_port), 0, PORTS),
        dst=dst,
        dst_port=whole(f"{place}: destination port", facts.get("dst_port", dst_port), 0, PORTS),
        proto=protocol(facts.get("proto")),
        community_id=str(facts["community_id"]) if "community_id" in facts else None,
        uid=str(facts["uid"]) if "uid" in facts else None,
        closes=bool(facts.get("closes")),
        score=number_of(f"{place}: score", facts.get("score", 1.0)),
        name=str(facts.get("name", "")),
    )


def along(alert: Alert, connection: Alert) -> Alert:
    """Return an alert with what it leaves out taken from the connection that it names; without a time it speaks of all of it."""
    known = {
        "src": connection.src,
        "src_port": connection.src_port,
        "dst": connection.dst,
        "dst_port": connection.dst_port,
    }
    if alert.time_ns is None:
        known |= {"time_ns": connection.time_ns, "end_ns": connection.end_ns}
    facts = {name: value for name, value in known.items() if getattr(alert, name) is None}
    return replace(alert, proto=alert.proto or connection.proto, **facts) if facts else alert  # type: ignore[arg-type]


def table_of(alerts: list[Alert]) -> pd.DataFrame:
    """Return alerts as a table, one row each, with a column per attribute; missing whole numbers are ``pd.NA``."""
    names = [field.name for field in fields(Alert)]
    table = pd.DataFrame([asdict(alert) for alert in alerts], columns=names)
    whole = ["number", "time_ns", "end_ns", "src_port", "dst_port", "proto"]
    return table.astype({**dict.fromkeys(whole, "Int64"), "score": "float64"})


def _first(record: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    """Return the first value that is there under one of these names."""
    for name in names:
        value = record.get(name)
        if value is not None and str(value).strip().lower() not in _ABSENT:
            return value
    return None
