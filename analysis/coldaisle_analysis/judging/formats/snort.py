"""Snort's alerts: ``alert_fast``, ``alert_csv`` and ``alert_json``, and Suricata's ``fast.log``, which has the form of ``alert_fast``.

``alert_csv`` has no header: its columns are the default ones of Snort 3 (10) or of Snort 2 (27). Times are read as UTC (``snort -U``).
Sources: docs.snort.org, Alert Logging; Snort 2 manual, section 2.6.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from coldaisle_analysis.judging.formats.json_lines import first_of, objects, small
from coldaisle_contracts.errors import InputError

_TIME = r"\d\d/\d\d(?:/\d{2,4})?-\d\d:\d\d:\d\d\.\d+"
_FAST = re.compile(
    rf"(?P<time>{_TIME})\s+(?:\[\w+\]\s+)?\[\*\*\]\s+\[\d+:\d+:\d+\]\s+(?P<msg>.*?)\s*\[\*\*\].*?(?:\[Priority:\s*(?P<priority>\d+)\].*?)?"
    r"\{(?P<proto>[^}]+)\}\s+(?P<src>\S+)\s+->\s+(?P<dst>\S+)\s*$"
)
_CSV = re.compile(rf"{_TIME}\s*,")
_THREE = ("timestamp", "pkt_num", "proto", "pkt_gen", "pkt_len", "dir", "src_ap", "dst_ap", "rule", "action")
_TWO = (
    "timestamp", "sig_generator", "sig_id", "sig_rev", "msg", "proto", "src", "srcport", "dst", "dstport", "ethsrc", "ethdst",
    "ethlen", "tcpflags", "tcpseq", "tcpack", "tcplen", "tcpwindow", "ttl", "tos", "id", "dgmlen", "iplen", "icmptype",
    "icmpcode", "icmpid", "icmpseq",
)  # fmt: skip
_COLUMNS = {len(names): names for names in (_THREE, _TWO)}


def is_it(head: str) -> bool:
    """Tell whether the first line is one of Snort's alerts."""
    first = first_of(head)
    return (
        bool(_FAST.match(head) or _CSV.match(head))
        or {"src_ap", "dst_ap"} <= first.keys()
        or "pkt_num" in first
    )


def records(path: Path, text: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield each alert; its score is the inverse of its priority, of which 1 is the highest."""
    if text.lstrip().startswith("{"):
        for number, record in objects(path, text):
            facts = small(record)
            yield f"line {number}", facts | {"score": _score(facts.get("priority"))}
        return
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            yield f"line {number}", _of_line(f"{path}: line {number}", line.strip())


def _of_line(place: str, line: str) -> dict[str, Any]:
    if parts := _FAST.fullmatch(line):
        facts = parts.groupdict()
        return facts | {"score": _score(facts["priority"]), "msg": facts["msg"].strip('"')}
    cells = next(csv.reader([line], skipinitialspace=True), [])
    names = _COLUMNS.get(len(cells))
    if names is None or not _CSV.match(line):
        raise InputError(
            place,
            "is none of Snort's alerts: write alert_fast, or alert_csv with its default fields",
            line[:60],
        )
    return {name: cell.strip() for name, cell in zip(names, cells, strict=True)}


def _score(priority: Any) -> float | None:
    """Return the inverse of a priority; ``None`` where there is none, or one of more digits than 32 bits hold."""
    digits = str(priority)
    return 1 / int(digits) if digits.isdecimal() and len(digits) < len("4294967296") and int(digits) else None
