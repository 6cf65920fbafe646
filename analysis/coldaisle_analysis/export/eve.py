"""Format ``eve``: one JSON object per line, as in Suricata's ``eve.json``.

There is an ``mqtt`` event for each frame that completes a message (its first one), and an ``alert`` for each frame that is part
of an attack, with the technique of MITRE ATT&CK for ICS in its metadata. Names are Suricata's (docs.suricata.io, EVE JSON format).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from coldaisle_analysis.export.source import Source
from coldaisle_analysis.export.verdicts import Verdict, verdicts
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.taxonomy import ATTACK_MATRIX

MESSAGES = (
    "reserved", "connect", "connack", "publish", "puback", "pubrec", "pubrel", "pubcomp", "subscribe", "suback",
    "unsubscribe", "unsuback", "pingreq", "pingresp", "disconnect", "auth",
)  # fmt: skip
"""Names of MQTT's control packets, by their number."""
SIGNATURES = {name: 1_000_001 + number for number, name in enumerate(KINDS)}
"""Signature id of each kind, in the range kept for local rules."""
_FLAGS = {"mqtt_dup": "dup", "mqtt_retain": "retain"}
_FIELDS = {
    "mqtt_qos": "qos", "mqtt_topic": "topic", "mqtt_msgid": "message_id", "mqtt_payload": "message",
    "mqtt_protoname": "protocol_string", "mqtt_version": "protocol_version", "mqtt_clientid": "client_id",
    "mqtt_connack": "return_code",
}  # fmt: skip
"""Our columns under Suricata's names."""
_ADDRESSES = {"ip_src": "src_ip", "src_port": "src_port", "ip_dst": "dest_ip", "dst_port": "dest_port"}
_CARRIERS = {"MQTT": "TCP", "NTP": "UDP"}
_COLUMNS = ("time_ns", "frame_in_file", "file", "flow", "eth_src", "eth_dst", "protocol", "mqtt_msgtype")


def write(source: Source, folder: Path) -> None:
    """Write ``eve.json``, in order of time."""
    with (folder / "eve.json").open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(event, separators=(",", ":")) + "\n" for event in events(source))


def events(source: Source) -> Iterator[dict[str, Any]]:
    """Yield the events of a run, in order of time; the message of a frame comes before its alert."""
    packets = source.packets
    labels = verdicts(source, packets)
    attack = np.array([verdict is not None and verdict.label == "attack" for verdict in labels], bool)
    rows = np.flatnonzero(attack | packets["mqtt_msgtype"].notna().to_numpy(bool))
    for row, frame in zip(rows.tolist(), _records(source, rows), strict=True):
        verdict, head = labels[row], _head(frame)
        if "mqtt_msgtype" in frame:
            yield head | {"event_type": "mqtt", "mqtt": _message(frame)}
        if verdict is not None and attack[row]:
            yield head | {"event_type": "alert", "alert": _alert(verdict)}


def _records(source: Source, rows: Any) -> Iterator[dict[str, Any]]:
    """Yield the fields of each of these frames, without missing ones."""
    packets = source.packets.iloc[rows]
    ports = {
        f"{end}_port": packets[f"tcp_{end}port"].fillna(packets[f"udp_{end}port"]) for end in ("src", "dst")
    }
    table = packets.assign(flow=source.flow[rows], **ports)
    names = [*_COLUMNS, *_FIELDS, *_FLAGS, *_ADDRESSES]
    columns = [table[name].astype("object").where(table[name].notna(), None).tolist() for name in names]
    for cells in zip(*columns, strict=True):
        yield {name: cell for name, cell in zip(names, cells, strict=True) if cell is not None}


def _head(frame: dict[str, Any]) -> dict[str, Any]:
    """Return the fields that every event begins with."""
    head: dict[str, Any] = {"timestamp": f"{np.datetime64(frame['time_ns'] // 1000, 'us')}+0000"}
    if frame["flow"] >= 0:
        head["flow_id"] = frame["flow"] + 1
    head |= {"pcap_cnt": frame["frame_in_file"], "pcap_filename": frame["file"]}
    head |= {theirs: frame[ours] for ours, theirs in _ADDRESSES.items() if ours in frame}
    proto = _CARRIERS.get(frame["protocol"], frame["protocol"])
    return head | {"proto": proto, "ether": {"src_mac": frame["eth_src"], "dest_mac": frame["eth_dst"]}}


def _message(frame: dict[str, Any]) -> dict[str, Any]:
    fields = {theirs: frame[ours] for ours, theirs in _FIELDS.items() if ours in frame}
    flags = {theirs: bool(frame[ours]) for ours, theirs in _FLAGS.items() if ours in frame}
    return {MESSAGES[frame["mqtt_msgtype"]]: fields | flags}


def _alert(verdict: Verdict) -> dict[str, Any]:
    kind = KINDS[verdict.kind]
    return {
        "action": "allowed",
        "gid": 1,
        "signature_id": SIGNATURES[kind.name],
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
