"""Slips' ``alerts.json``, one IDMEFv2 message per line, in older versions one IDEA0 message; and ``alerts.log``, the same as text.

An *Event* is a piece of evidence: it has the time of the flow that gave it. An *Incident* sums up a time window of a host: it speaks of
all that this host sent in the window (``StartTime`` to ``EndTime`` in its note). Sources: slips_files/common/idmefv2.py and idea_format.py
of github.com/stratosphereips/StratosphereLinuxIPS; IDEA: idea.cesnet.cz.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coldaisle_analysis.judging.formats.json_lines import first_of, objects

_SEVERITY = {"info": 0.2, "low": 0.4, "medium": 0.6, "high": 0.8, "critical": 1.0}
_TEXT = re.compile(
    r"(?P<time>\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d\S*)(?: \(TW \d+\))?: Src IP (?P<src>[0-9A-Fa-f.:]+)\s*\.\s+(?P<description>.*)"
)
"""A line of ``alerts.log``."""
_TIMES = ("StartTime", "EventTime", "DetectTime")


def is_it(head: str) -> bool:
    """Tell whether the first line is a message of IDMEFv2 or IDEA0, or one of ``alerts.log``."""
    first = first_of(head)
    return (
        bool(_TEXT.match(head))
        or first.get("Format") == "IDEA0"
        or {"Version", "Analyzer", "StartTime"} <= first.keys()
    )


def records(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each message; the score of an event is its severity, from 0.2 (info) to 1, or else its confidence."""
    if not text.lstrip().startswith("{"):
        yield from _of_lines(text)
        return
    for number, message in objects(path, text):
        source, target = (_side(message.get(side)) for side in ("Source", "Target"))
        note = _note(message.get("Note"))
        uids = message.get("uids") or note.get("uids")
        severity = _SEVERITY.get(str(message.get("Severity")).lower())
        yield f"line {number}", {
            "time": next((message[name] for name in _TIMES if message.get(name)), None),
            "end": note.get("EndTime") if message.get("Status") == "Incident" else None,
            "src": source.get("ip"), "src_port": source.get("port"), "dst": target.get("ip"), "dst_port": target.get("port"),
            "proto": source.get("proto"),
            "uid": uids[-1] if isinstance(uids, list) and uids else None,
            "score": severity or message.get("Confidence") or None,
            "description": message.get("Description"),
        }  # fmt: skip


def _of_lines(text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each line of ``alerts.log``; one that names no host is no alert."""
    for number, line in enumerate(text.split("\n"), 1):
        parts = _TEXT.match(line)
        if parts:
            yield f"line {number}", parts.groupdict() | {"time": parts["time"].replace("/", "-")}
        elif line.strip():
            yield f"line {number}", {"alert": "no"}


def _side(value: Any) -> dict[str, Any]:
    """Return address, port and protocol of the first source or target; each may stand alone or in a list."""
    side = _one(value)
    if not isinstance(side, dict):
        return {}
    address = next((_one(side[name]) for name in ("IP", "IP4", "IP6") if side.get(name)), None)
    return {
        "ip": address,
        "port": _one(side.get("Port")),
        "proto": _one(side.get("Protocol") or side.get("Proto")),
    }


def _one(value: Any) -> Any:
    return (value[0] if value else None) if isinstance(value, list) else value


def _note(value: Any) -> dict[str, Any]:
    """Return the note of a message, which is JSON in a text."""
    try:
        note = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return {}
    return note if isinstance(note, dict) else {}
