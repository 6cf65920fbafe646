"""Rules that name the class of frames: one CSV with a rule per line, the first that matches counts.

Columns: ``class``, and any of ``from`` and ``to`` (ISO 8601 with an offset; ``to`` is exclusive), ``address`` (an IP address, a network
or a MAC address, of either end or named in ARP), ``port`` (a port or a range, of either end), ``filter`` (a capture filter, see
pcap-filter(7)) and ``capture`` (name of the capture). An empty cell matches every frame.
"""

import ipaddress
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
import pandas as pd

from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.dataset.labels.filters import Filter
from coldaisle_analysis.dataset.labels.truth import TRUTH, named
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import refuse_odd

COLUMNS = ("class", "from", "to", "address", "port", "filter", "capture")
_REMEDY = f"give a CSV of rules with the columns {', '.join(COLUMNS)}; all but class may be missing"
_MAC = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?")
_IPS, _MACS = ("ip_src", "ip_dst", "arp_src_ip", "arp_dst_ip"), ("eth_src", "eth_dst", "arp_src_mac")
_PORTS = ("tcp_srcport", "tcp_dstport", "udp_srcport", "udp_dstport")
Condition = Callable[[pd.DataFrame, Path], Mask]


@dataclass
class _Rule:
    """A rule: its line, its class, what it asks of a frame, and how many frames it has matched."""

    line: int
    name: str
    conditions: list[Condition] = field(default_factory=list)
    frames: int = 0


class Rules:
    """The rules of a file.

    Args:
        path: the file.

    Raises:
        InputError: if it cannot be read, or a cell cannot be used, with its line.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        table = _read(path)
        unknown = [str(name) for name in table if name not in COLUMNS]
        if unknown:
            raise InputError(f"{path}: line 1", _REMEDY, unknown[0])
        self._rules = [self._rule(number + 2, cells) for number, cells in enumerate(table.to_dict("records"))]

    @staticmethod
    def is_one(path: Path) -> bool:
        """Tell whether a file is one of rules: it has the column ``class``, and no number of a frame."""
        columns = _read(path, rows=0)
        return "class" in columns and "frame.number" not in columns

    def _rule(self, line: int, cells: dict[object, str]) -> _Rule:
        rule = _Rule(line, cells["class"].strip())
        place = f"{self._path}: line {line}: "
        if not rule.name:
            raise InputError(f"{place}class", "name the class of the frames")
        for name, cell in cells.items():
            if name != "class" and cell.strip():
                try:
                    rule.conditions.append(_CONDITIONS[str(name)](cell.strip()))
                except ValueError as error:
                    raise InputError(place + str(name), str(error), cell) from error
        return rule

    def applied(self, truth: pd.DataFrame, frames: pd.DataFrame, pcap: Path) -> pd.DataFrame:
        """Return the label columns of a capture's frames, those of frames that a rule matches by its class.

        Args:
            truth: the label columns so far.
            frames: the capture's rows of level ``packets``.
            pcap: its path.
        """
        names, free = np.full(len(frames), "", object), np.ones(len(frames), np.bool_)
        for rule in self._rules:
            matched = free.copy()
            for condition in rule.conditions:
                matched &= condition(frames, pcap)
            rule.frames += int(matched.sum())
            names[matched] = rule.name
            free &= ~matched
        ruled = named(names)
        return truth.assign(**{name: truth[name].where(free, ruled[name]) for name in TRUTH})

    def idle(self) -> Iterator[str]:
        """Yield a sentence for each rule that matched no frame."""
        for rule in self._rules:
            if not rule.frames:
                yield f"{self._path.name}: the rule in line {rule.line} ({rule.name}) matches no frame that no rule before it matches"


def _read(path: Path, rows: int | None = None) -> pd.DataFrame:
    refuse_odd(path, _REMEDY)
    try:
        with path.open(encoding="utf-8-sig") as file:
            separator = ";" if ";" in file.readline() else ","
        table = pd.read_csv(
            path,
            sep=separator,
            dtype="str",
            keep_default_na=False,
            index_col=False,
            nrows=rows,
            encoding="utf-8-sig",
        )
    except (OSError, ValueError) as error:
        raise InputError(path, _REMEDY) from error
    return table.rename(columns=lambda name: str(name).strip())


def _time(cell: str) -> int:
    try:
        time = pd.Timestamp(cell)
    except ValueError:
        time = None
    if time is None or pd.isna(time) or time.tzinfo is None:
        raise ValueError("write ISO 8601 with an offset, such as 2026-03-02T14:00:00+01:00 or …Z")
    return int(time.as_unit("ns").value)


def _address(cell: str) -> Condition:
    if _MAC.fullmatch(cell.lower()):
        return lambda frames, _: _any(frames, _MACS, lambda mac: mac == cell.lower())
    try:
        network = ipaddress.ip_network(cell, strict=False)
    except ValueError as error:
        raise ValueError("write an IP address, a network such as 198.18.0.0/24, or a MAC address") from error
    return lambda frames, _: _any(frames, _IPS, lambda ip: ipaddress.ip_address(ip) in network)


def _any(frames: pd.DataFrame, columns: tuple[str, ...], is_meant: Callable[[str], bool]) -> Mask:
    """Return which frames have a text that is meant in one of some columns."""
    matched = np.zeros(len(frames), np.bool_)
    for name in columns:
        codes, names = pd.factorize(frames[name].astype("object"))
        matched |= np.array([*(is_meant(str(text)) for text in names), False], np.bool_)[codes]
    return matched


def _port(cell: str) -> Condition:
    ports = _PORT.fullmatch(cell)
    low, high = (int(ports[1]), int(ports[2] or ports[1])) if ports else (1, 0)
    if not low <= high < 1 << 16:
        raise ValueError("write a port or a range such as 1883-1884")
    return lambda frames, _: (
        frames[list(_PORTS)]
        .apply(lambda port: port.between(low, high))
        .fillna(value=False)
        .any(axis=1)
        .to_numpy(bool)
    )


def _from(cell: str) -> Condition:
    time_ns = _time(cell)
    return lambda frames, _: frames["time_ns"].to_numpy() >= time_ns


def _to(cell: str) -> Condition:
    time_ns = _time(cell)
    return lambda frames, _: frames["time_ns"].to_numpy() < time_ns


def _filter(cell: str) -> Condition:
    compiled = Filter(cell)
    return lambda _, pcap: compiled.matches(pcap)


def _capture(cell: str) -> Condition:
    return lambda frames, pcap: np.full(len(frames), fnmatchcase(pcap.name, cell))


_CONDITIONS: dict[str, Callable[[str], Condition]] = {
    "from": _from, "to": _to, "address": _address, "port": _port, "filter": _filter, "capture": _capture,
}  # fmt: skip
