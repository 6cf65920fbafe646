"""Format ``eve``: one JSON object per line, as Suricata 7 writes ``eve.json`` with ``pcap-file``, ``community-id`` and ``ethernet`` on.

An ``mqtt`` event for each transaction (:mod:`transactions`), an ``alert`` for each frame that is part of an attack, with the technique of
MITRE ATT&CK for ICS in its metadata. A test in a container compares the ``mqtt`` events with Suricata's own, field by field.
"""

import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Ints
from coldaisle_analysis.decoding import captures
from coldaisle_analysis.decoding.mqtt import NAMES
from coldaisle_analysis.export.control_packets import ControlPacket, packets_of
from coldaisle_analysis.export.source import Source
from coldaisle_analysis.export.transactions import Transaction, transactions
from coldaisle_analysis.export.verdicts import Verdict, verdicts
from coldaisle_analysis.judging.frames import community_id
from coldaisle_contracts.kinds import KINDS, SHIPPED
from coldaisle_contracts.taxonomy import ATTACK_MATRIX

SIGNATURES = {name: 1_000_001 + number for number, name in enumerate(SHIPPED)}
"""Signature id of each kind that coldaisle ships, in the range kept for local rules: 1,000,000 to 1,999,999."""
_FROM_CAPTURE, _FROM_TIMEOUT = "wire/pcap", "stream (flow timeout)"
_TCP, _UDP = 6, 17
_PROTOCOLS = {_TCP: "TCP", _UDP: "UDP", 1: "ICMP"}
_OLD = 4
"""Protocol level of a connection whose CONNECT is not known."""
_RESERVED = "reserved type"
"""What our flaw of a frame says of a control packet that no version of MQTT has."""
_COLUMNS = (
    "frame_in_file",
    "file",
    "eth_src",
    "eth_dst",
    "protocol",
    "ip_proto",
    "ip_src",
    "ip_dst",
    "time_ns",
)


def write(source: Source, folder: Path) -> None:
    """Write ``eve.json``, in order of time."""
    with (folder / "eve.json").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(event, separators=(",", ":")) + "\n" for event in events(source))


def events(source: Source) -> Iterator[dict[str, Any]]:
    """Yield the events of a run, in order of time; the alert of a frame comes before what the frame completes, as in Suricata."""
    labels = verdicts(source, source.packets)
    attack = [row for row, verdict in enumerate(labels) if verdict is not None and verdict.label == "attack"]
    done = sorted(transactions(_packets(source)), key=lambda transaction: transaction.last)
    rows = sorted({*attack, *(row for one in done for row in (one.first, one.last))})
    frames = dict(zip(rows, _records(source, np.array(rows, np.int64)), strict=True))
    moments = sorted(
        [*((row, 0, labels[row]) for row in attack), *((one.last, 1, one) for one in done)],
        key=lambda moment: moment[:2],
    )
    for row, _, what in moments:
        if isinstance(what, Transaction):
            yield _transaction(what, frames)
        elif what is not None:
            yield _head(frames[row]) | {"event_type": "alert", "alert": _alert(what)} | _file(frames[row])


def _packets(source: Source) -> Iterator[tuple[int, int, ControlPacket | None]]:
    """Yield row, flow and content of each MQTT control packet of a run."""
    whole = _whole(source)
    reserved = (
        source.packets["malformed"].astype("object").str.contains(_RESERVED, na=False).to_numpy(np.bool_)
    )
    flow = source.packets["flow"].to_numpy(np.int64)
    broken = ((row, int(flow[row]), None) for row in np.flatnonzero(reserved).tolist() if row not in whole)
    yield from sorted(
        [*((row, *packet) for row, packets in whole.items() for packet in packets), *broken],
        key=itemgetter(0),
    )


def _whole(source: Source) -> dict[int, list[tuple[int, ControlPacket | None]]]:
    """Return flow and content of the packets that each frame completes, by its row."""
    messages, packets = source.level("messages"), source.packets
    messages = messages[messages["flow"] >= 0]
    files, in_file = packets["file"].astype("str").to_numpy(), packets["frame_in_file"].to_numpy(np.int64)
    whole: dict[int, list[tuple[int, ControlPacket | None]]] = {}
    for name, of_file in messages.groupby(files[messages["frame"].to_numpy(np.int64) - 1], sort=False):
        frames = captures.read([source.run / "capture" / str(name)])
        for number, of_frame in groupby(of_file.to_dict("records"), key=itemgetter("frame")):
            row, several = int(number) - 1, list(of_frame)
            parsed = _parsed(_payload(frames.frame(int(in_file[row]) - 1)), several)
            whole[row] = [(int(several[0]["flow"]), packet) for packet in parsed]
    return whole


def _payload(frame: bytes) -> bytes:
    """Return the TCP payload of an Ethernet frame with IPv4."""
    begin = 14
    end = begin + int.from_bytes(frame[begin + 2 : begin + 4])
    segment = begin + (frame[begin] & 15) * 4
    return frame[segment + (frame[segment + 12] >> 4) * 4 : end]


def _parsed(payload: bytes, messages: Sequence[Mapping[Any, Any]]) -> list[ControlPacket | None]:
    """Return the packets that a frame completes: from its bytes, or from our columns where the first one began in an earlier frame."""
    level = messages[0]["level"]
    parsed = list(packets_of(payload, _OLD if pd.isna(level) else int(level)))
    kinds = [packet.kind if packet else None for packet in parsed]
    same = len(parsed) == len(messages) and all(
        kind in (None, message["msgtype"]) for kind, message in zip(kinds, messages, strict=True)
    )
    return parsed if same else [_from_columns(message) for message in messages]


_FIELDS = {
    "protoname": "protocol_string", "version": "protocol_version", "clientid": "client_id", "session_present": "session_present",
    "connack": "return_code", "topic": "topic", "msgid": "message_id",
}  # fmt: skip
"""Our columns under Suricata's names."""


def _from_columns(message: Mapping[Any, Any]) -> ControlPacket:
    """Return a packet as far as our columns tell it."""
    kind, qos = int(message["msgtype"]), 0 if pd.isna(message["qos"]) else int(message["qos"])
    flags = {name: bool(not pd.isna(message[name]) and message[name]) for name in ("retain", "dup")}
    facts = {theirs: message[ours] for ours, theirs in _FIELDS.items() if not pd.isna(message[ours])}
    whole = {name: value if isinstance(value, str) else int(value) for name, value in facts.items()}
    text = (
        {"message": message["payload"].decode("utf-8", "backslashreplace")}
        if isinstance(message["payload"], bytes)
        else {}
    )
    return ControlPacket(kind, qos, whole.get("message_id"), {"qos": qos, **flags, **whole, **text})  # type: ignore[arg-type]


def _transaction(transaction: Transaction, frames: Mapping[int, dict[str, Any]]) -> dict[str, Any]:
    """Return the event of a transaction: where its last packet came, with the addresses of its first."""
    first, last = frames[transaction.first], frames[transaction.last]
    turned = first["ip_src"] != last["ip_src"]
    head = _head(_turned(last) if turned else last)
    if transaction.waits_for is not None:
        head = {name: value for name, value in head.items() if name not in ("pcap_cnt", "ether")} | {
            "pkt_src": _FROM_TIMEOUT
        }
    body: dict[str, Any] = {}
    for packet in transaction.packets:
        body[NAMES[packet.kind]] = packet.fields
    return head | {"event_type": "mqtt", "mqtt": body} | _file(last)


def _turned(frame: dict[str, Any]) -> dict[str, Any]:
    """Return a frame with sender and receiver exchanged."""
    pairs = (("ip_src", "ip_dst"), ("src_port", "dst_port"), ("eth_src", "eth_dst"))
    return frame | {
        one: frame[other] for pair in pairs for one, other in (pair, pair[::-1]) if other in frame
    }


def _records(source: Source, rows: Ints) -> Iterator[dict[str, Any]]:
    """Yield the fields of each of these frames, without missing ones."""
    packets = source.packets
    table = packets[list(_COLUMNS)].iloc[rows].assign(
        flow=source.flow[rows], src_port=_port(packets, "srcport").iloc[rows], dst_port=_port(packets, "dstport").iloc[rows]
    )  # fmt: skip
    names = [str(name) for name in table]
    columns = [table[name].astype("object").where(table[name].notna(), None).tolist() for name in names]
    for cells in zip(*columns, strict=True):
        yield {name: cell for name, cell in zip(names, cells, strict=True) if cell is not None}


def _port(packets: pd.DataFrame, name: str) -> pd.Series:
    return packets[f"tcp_{name}"].fillna(packets[f"udp_{name}"])


def _head(frame: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that every event begins with."""
    head: dict[str, Any] = {"timestamp": f"{np.datetime64(frame['time_ns'] // 1000, 'us')}+0000"}
    if frame["flow"] >= 0:
        head["flow_id"] = frame["flow"] + 1
    head["pcap_cnt"] = frame["frame_in_file"]
    names = {"ip_src": "src_ip", "src_port": "src_port", "ip_dst": "dest_ip", "dst_port": "dest_port"}
    head |= {theirs: frame[ours] for ours, theirs in names.items() if ours in frame}
    head |= {"proto": _PROTOCOLS.get(frame.get("ip_proto", 0), frame["protocol"]), "pkt_src": _FROM_CAPTURE}
    head["ether"] = {"src_mac": frame["eth_src"], "dest_mac": frame["eth_dst"]}
    if "src_port" in frame:
        ends = (frame["ip_src"], frame["ip_dst"], frame["src_port"], frame["dst_port"], frame["ip_proto"])
        head["community_id"] = community_id(*ends)
    return head


def _file(frame: dict[str, Any]) -> dict[str, Any]:
    return {"pcap_filename": frame["file"]}


def signature_of(kind: str) -> int:
    """Return the signature id of a kind; for one of another package it follows from the name, far from ours."""
    return SIGNATURES.get(kind) or 1_100_000 + zlib.crc32(kind.encode()) % 900_000


def _alert(verdict: Verdict) -> dict[str, Any]:
    kind = KINDS[verdict.kind]
    return {
        "action": "allowed",
        "gid": 1,
        "signature_id": signature_of(kind.name),
        "rev": 1,
        "signature": f"coldaisle {kind.name}: {kind.effect}",
        "category": kind.family,
        "severity": 1,
        "metadata": {
            "mitre_matrix": [ATTACK_MATRIX],
            "mitre_technique_id": [verdict.technique],
            "episode": [verdict.episode],
            "role": [verdict.role],
        },
    }
