"""Format ``zeek``: ``conn.log``, one row per flow, and ``labels.log``, one row per labelled frame, as Zeek writes its logs.

Tab-separated with ``#fields`` and ``#types`` (docs.zeek.org, log formats); names, states and history letters are those of
Zeek's own ``conn.log``, followed by our labels. Rows are those of level ``flows``; ``uid`` joins them to frames.
"""

import hashlib
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Ints
from coldaisle_analysis.dataset.aggregates.moments import sums
from coldaisle_analysis.export.source import Source
from coldaisle_analysis.export.verdicts import Verdict, verdicts
from coldaisle_contracts.addressing import NTP_PORT

TRUTH = {"label": "enum", "kind": "enum", "episode": "string", "role": "enum", "technique": "string"}
CONN = {
    "ts": "time", "uid": "string", "id.orig_h": "addr", "id.orig_p": "port", "id.resp_h": "addr", "id.resp_p": "port",
    "proto": "enum", "service": "string", "duration": "interval", "orig_bytes": "count", "resp_bytes": "count",
    "conn_state": "string", "history": "string", "orig_pkts": "count", "orig_ip_bytes": "count", "resp_pkts": "count",
    "resp_ip_bytes": "count", **TRUTH,
}  # fmt: skip
LABELS = {"ts": "time", "uid": "string", "file": "string", "frame": "count", **TRUTH}
"""Fields of each log and their types; ``frame`` is ``frame.number`` in the capture file."""
_UNSET = "-"
_TCP = 6
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16


def write(source: Source, folder: Path) -> None:
    """Write both logs."""
    flows = source.level("flows")
    uids = [_uid(source.manifest.id, flow) for flow in flows["flow"].tolist()]
    _write_log(source, folder / "conn.log", CONN, _connections(source, flows, uids))
    _write_log(source, folder / "labels.log", LABELS, _labelled(source, uids))


def _write_log(source: Source, path: Path, fields: dict[str, str], rows: Iterable[Sequence[Any]]) -> None:
    created = f"{source.manifest.created:%Y-%m-%d-%H-%M-%S}"
    head = (
        ("#separator \\x09",),
        ("#set_separator", ","),
        ("#empty_field", "(empty)"),
        ("#unset_field", _UNSET),
        ("#path", path.stem),
        ("#open", created),
        ("#fields", *fields),
        ("#types", *fields.values()),
    )
    with path.open("w", encoding="utf-8") as file:
        for row in chain(head, rows, [("#close", created)]):
            file.write("\t".join(str(cell) or _UNSET for cell in row) + "\n")


def _uid(run: str, flow: int) -> str:
    """Return ``C`` and 17 characters, which Zeek draws at random; here they follow from run and flow."""
    return "C" + hashlib.sha256(f"{run}/{flow}".encode()).hexdigest()[:17]


def _seconds(time_ns: int) -> str:
    return f"{time_ns // 10**9}.{time_ns % 10**9 // 1000:06d}"


def _truth(verdict: Verdict | None) -> Sequence[str]:
    return verdict or ("normal", *[_UNSET] * (len(TRUTH) - 1))


def _connections(source: Source, flows: pd.DataFrame, uids: Sequence[str]) -> Iterable[Sequence[Any]]:
    forward, backward = _ip_bytes(source, len(flows))
    columns = (
        flows["first_ns"].map(_seconds), uids, flows["ip_src"], flows["src_port"], flows["ip_dst"], flows["dst_port"],
        np.where(flows["ip_proto"] == _TCP, "tcp", "udp"), _service(flows), flows["duration"].map("{:.6f}".format),
        flows["fwd_payload"], flows["bwd_payload"], _state(flows), _history(source, len(flows)),
        flows["fwd_packets"], forward, flows["bwd_packets"], backward,
    )  # fmt: skip
    for *cells, verdict in zip(*columns, verdicts(source, flows), strict=True):
        yield [*cells, *_truth(verdict)]


def _labelled(source: Source, uids: Sequence[str]) -> Iterable[Sequence[Any]]:
    packets = source.packets
    columns = (packets["time_ns"], source.flow.tolist(), packets["file"], packets["frame_in_file"])
    for time_ns, flow, file, frame, verdict in zip(*columns, verdicts(source, packets), strict=True):
        if verdict is not None and verdict.label != "normal":
            yield [_seconds(time_ns), uids[flow] if flow >= 0 else _UNSET, file, frame, *verdict]


def _ip_bytes(source: Source, count: int) -> tuple[Ints, Ints]:
    """Return the IP bytes of each flow, forward and backward."""
    members = source.members
    length = source.packets["ip_len"].fillna(0).to_numpy(np.int64)[members.row]
    forward = sums(length * members.forward, members.flow, count)
    return forward, sums(length, members.flow, count) - forward


def _service(flows: pd.DataFrame) -> Any:
    ports = (flows["src_port"] == NTP_PORT) | (flows["dst_port"] == NTP_PORT)
    is_ntp = ports & (flows["ip_proto"] != _TCP)
    return np.select([flows["mqtt_messages"] > 0, is_ntp], ["mqtt", "ntp"], _UNSET)


def _state(flows: pd.DataFrame) -> Any:
    """Return Zeek's ``conn_state`` of each flow (docs.zeek.org, base/protocols/conn): the first state that applies."""
    opened, answered = flows["fwd_syn"] > 0, flows["bwd_syn"] > 0
    closed, closed_back = flows["fwd_fin"] > 0, flows["bwd_fin"] > 0
    broken, broken_back = flows["fwd_rst"] > 0, flows["bwd_rst"] > 0
    replied, udp = flows["bwd_packets"] > 0, flows["ip_proto"] != _TCP
    both = opened & answered
    states = {
        "SF": (udp & replied) | (both & closed & closed_back & ~broken & ~broken_back),
        "S0": (udp & ~replied) | (opened & ~replied & ~broken & ~closed),
        "REJ": opened & ~answered & broken_back,
        "RSTOS0": opened & ~answered & broken,
        "SH": opened & ~answered & closed,
        "RSTO": both & broken,
        "RSTR": both & broken_back,
        "S2": both & closed,
        "S3": both & closed_back,
        "S1": both,
    }
    return np.select(list(states.values()), list(states), "OTH")


def _history(source: Source, count: int) -> list[str]:
    """Return Zeek's ``history`` of each flow: one letter per event at its first occurrence, in capitals for the originator."""
    of = source.members
    syn, ack, fin, rst = (of.flags & bit > 0 for bit in (_SYN, _ACK, _FIN, _RST))
    letters_of = {
        "s": syn & ~ack,
        "h": syn & ack,
        "a": ack & ~syn & ~fin & ~rst & (of.payload == 0),
        "d": of.payload > 0,
        "f": fin,
        "r": rst,
    }
    parts = [
        pd.DataFrame({"flow": of.flow, "letter": np.where(of.forward, letter.upper(), letter)})[mask]
        for letter, mask in letters_of.items()
    ]
    letters = pd.concat(parts).sort_index(kind="stable").drop_duplicates()
    histories = letters.groupby("flow")["letter"].agg("".join).reindex(range(count), fill_value=_UNSET)
    return list(histories)
