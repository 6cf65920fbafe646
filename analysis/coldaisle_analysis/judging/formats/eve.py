"""Suricata's ``eve.json``: events of type ``alert``; all other events are left out (docs.suricata.io, EVE JSON format).

An alert without ``pcap_cnt`` was raised when Suricata gave a flow up (``pkt_src`` is ``stream (flow timeout)``), minutes after its last frame.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coldaisle_analysis.judging.formats.json_lines import first_of, objects

_FACTS = (
    "timestamp", "pcap_cnt", "pcap_filename", "src_ip", "src_port", "dest_ip", "dest_port", "proto", "community_id",
)  # fmt: skip


def is_it(head: str) -> bool:
    """Tell whether the first line is an event of EVE."""
    return "event_type" in first_of(head)


def records(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each event; the score of an alert is the inverse of its severity, of which 1 is the highest."""
    for number, event in objects(path, text):
        alert = event.get("alert")
        facts = {name: event.get(name) for name in _FACTS}
        if event.get("event_type") != "alert" or not isinstance(alert, dict):
            yield f"line {number}", {"alert": "no"}
            continue
        severity = alert.get("severity")
        score = 1 / severity if isinstance(severity, int) and severity > 0 else None
        yield (
            f"line {number}",
            facts | _flow_ended(event) | {"signature": alert.get("signature"), "score": score},
        )


def _flow_ended(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the stretch of time of a flow that was given up; nothing for an alert that has a frame."""
    flow = event.get("flow")
    if event.get("pcap_cnt") is not None or not isinstance(flow, dict) or not flow.get("start"):
        return {}
    return {"timestamp": flow["start"], "end": event.get("timestamp"), "#closes": True}
