"""The frames that alerts speak of, by the rules of docs/judge.md.

An alert is matched by the first rule that finds a frame:

1. ``frame``: its frame number, in the file that it names or through all captures; addresses and time must not contradict it;
2. ``flow``: addresses and both ports (or a Community ID) in either direction, and time;
3. ``hosts``: both addresses in either direction, where a port is missing, and time;
4. ``source``: its only address as the sender's, and time.

An alert of an instant gets the frame of the flow that is nearest in time, no further away than a tolerance. An alert of a stretch of time
gets all frames of the flow in it, and is *raised* at the last of them: nobody can know it before. One that Suricata raises when it gives a flow
up gets the last frame of the flow alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.arrays import Ints, Mask, Rows
from coldaisle_analysis.judging.frames import Frames, with_flows
from coldaisle_analysis.judging.instants import nearest, searched

RULES = ("frame", "flow", "hosts", "source")
"""The names of the rules, in the order in which they are tried."""
_KEYS = {
    "flow": ("src", "src_port", "dst", "dst_port"),
    "hosts": ("src", "dst"),
    "source": ("src",),
}
_PORTS = 1 << 16
_NO_ADDRESS = 0


@dataclass(frozen=True)
class Matches:
    """The frames of n alerts.

    Attributes:
        rule: position in :data:`RULES` of the rule that found its frames, -1 where none did, shape (n,).
        raised: row of the frame with which it is known, -1 where there is none, shape (n,).
        alert: the alert of each pair, shape (pairs,).
        row: a row that the alert speaks of, shape (pairs,).
    """

    rule: Ints
    raised: Rows
    alert: Rows
    row: Rows

    @property
    def unmatched(self) -> Mask:
        """Return which alerts match no frame."""
        return self.rule < 0

    def counts(self, counted: Mask | None = None) -> dict[str, int]:
        """Return the number of alerts, all or those that are counted, that each rule matched."""
        rule = self.rule if counted is None else self.rule[counted]
        return {name: int((rule == place).sum()) for place, name in enumerate(RULES)}


class _Pairs(NamedTuple):
    """Alerts and the rows that they speak of."""

    alert: Rows
    row: Rows


def match(alerts: pd.DataFrame, frames: Frames, within_ns: int) -> Matches:
    """Return the frames of alerts.

    Args:
        alerts: see :func:`~coldaisle_analysis.judging.alerts.table_of`.
        frames: the frames.
        within_ns: the tolerance, in ns.
    """
    encoded = _Encoded.of(with_flows(alerts, frames), frames)
    rule = np.full(len(alerts), -1, np.int64)
    parts: list[_Pairs] = []
    for place, name in enumerate(RULES):
        left = np.flatnonzero(rule < 0)
        pairs = (
            _by_number(alerts, encoded, frames, within_ns, left)
            if name == "frame"
            else encoded.near(name, left, within_ns)
        )
        rule[pairs.alert] = place
        parts.append(pairs)
    alert, row = (np.concatenate(column).astype(np.intp) for column in zip(*parts, strict=True))
    raised = np.full(len(alerts), -1, np.intp)
    by_time = np.lexsort((row, frames.time_ns[row]))
    raised[alert[by_time]] = row[by_time]  # the last assignment counts: the latest frame
    kept = (row == raised[alert]) | ~alerts["closes"].to_numpy(np.bool_)[alert]
    return Matches(rule, raised, alert[kept], row[kept])


def _by_number(
    alerts: pd.DataFrame, encoded: "_Encoded", frames: Frames, within_ns: int, left: Rows
) -> _Pairs:
    """Return alerts with the frame whose number they have.

    It is one of the file that they name; else of all files counted through, or, if the alert has a time to tell them apart, of any file.
    """
    number = alerts["number"].fillna(0).to_numpy(np.int64)
    places = {name: place for place, name in enumerate(frames.files)}
    file = alerts["file"].map(places).fillna(0 if len(places) == 1 else -1).to_numpy(np.int64)
    candidates = [np.where((number > 0) & (number <= len(frames.file)), number - 1, -1)]
    for place in places.values():
        of_file = np.flatnonzero(frames.file == place)
        of_file = of_file[np.argsort(frames.in_file[of_file], kind="stable")]
        row = of_file[np.minimum(np.searchsorted(frames.in_file[of_file], number), len(of_file) - 1)]
        wanted = (file == place) | ((file < 0) & encoded.is_timed)
        candidates.append(np.where(wanted & (frames.in_file[row] == number), row, -1))
    chosen = np.full(len(alerts), -1, np.intp)
    for row in candidates:  # a file counts more, so files come last
        agrees = (row >= 0) & encoded.agrees(row, within_ns)
        chosen[agrees] = row[agrees]
    found = left[chosen[left] >= 0]
    return _Pairs(found, chosen[found])


@dataclass(frozen=True)
class _Encoded:
    """Alerts and frames with their addresses as the same numbers; 0 stands for no address, -1 for no port.

    Attributes:
        alerts: columns ``src``, ``dst``, ``src_port``, ``dst_port``, ``proto`` (0 for any), and ``start`` and ``end`` in ns; an alert of an
            instant has the same start and end, one without a time a start behind its end.
        frames: the same columns of the frames, with ``time``.
    """

    alerts: pd.DataFrame
    frames: pd.DataFrame

    @classmethod
    def of(cls, alerts: pd.DataFrame, frames: Frames) -> "_Encoded":
        names = ["src", "dst"]
        words = pd.concat(
            [table[name].astype("object") for table in (alerts, frames.ends) for name in names],
            ignore_index=True,
        )
        codes = np.asarray(pd.factorize(words)[0], np.int64) + 1
        ends = np.cumsum([len(alerts), len(alerts), len(frames.ends)])
        alert_src, alert_dst, src, dst = np.split(codes, ends)
        start = alerts["time_ns"].fillna(1).to_numpy(np.int64)
        end = alerts["end_ns"].fillna(alerts["time_ns"]).fillna(0).to_numpy(np.int64)
        return cls(
            pd.DataFrame({
                "src": alert_src, "dst": alert_dst, **_ports(alerts), "proto": alerts["proto"].fillna(0).to_numpy(np.int64),
                "start": start, "end": end,
            }),
            pd.DataFrame({"src": src, "dst": dst, **_ports(frames.ends), "proto": frames.proto, "time": frames.time_ns}),
        )  # fmt: skip

    @property
    def is_timed(self) -> Mask:
        """Return which alerts have a time."""
        return np.asarray(self.alerts["start"] <= self.alerts["end"])

    def agrees(self, row: Rows, within_ns: int) -> Mask:
        """Return whether each alert may speak of a row: its addresses are among the frame's, and it is near in time, as far as it says."""
        alerts, frames = self.alerts, self.frames.iloc[np.maximum(row, 0)].reset_index(drop=True)
        agrees = np.ones(len(alerts), np.bool_)
        for name in ("src", "dst"):
            agrees &= (
                (alerts[name] == _NO_ADDRESS)
                | (alerts[name] == frames["src"])
                | (alerts[name] == frames["dst"])
            )
        away = np.maximum(alerts["start"] - frames["time"], frames["time"] - alerts["end"])
        return np.asarray(agrees & (~self.is_timed | (away <= within_ns)))

    def near(self, rule: str, left: Rows, within_ns: int) -> _Pairs:
        """Return the alerts that a rule applies to with the frames that it finds."""
        names, alerts = _KEYS[rule], self.alerts.iloc[left]
        src, dst = (alerts[name] != _NO_ADDRESS for name in ("src", "dst"))
        ports = (alerts["src_port"] >= 0) & (alerts["dst_port"] >= 0)
        applicable = {"flow": src & dst & ports, "hosts": src & dst & ~ports, "source": src & ~dst}
        applies = (applicable[rule] & self.is_timed[left]).to_numpy(np.bool_)
        chosen = left[applies]
        pairs = [self._near(names, chosen[proto], within_ns, with_proto=with_proto)
                 for with_proto in (False, True)
                 for proto in [(self.alerts["proto"].to_numpy()[chosen] > 0) == with_proto]]  # fmt: skip
        return _Pairs(*(np.concatenate(column) for column in zip(*pairs, strict=True)))

    def _near(self, names: Sequence[str], chosen: Rows, within_ns: int, *, with_proto: bool) -> _Pairs:
        """Return the frames of some alerts that agree in the named columns: the nearest, or all in a stretch of time."""
        if not len(chosen):
            return _Pairs(chosen, chosen)
        key = np.concatenate(
            [_key(table, names, with_proto=with_proto) for table in (self.alerts.iloc[chosen], self.frames)]
        )
        codes = np.unique(key, axis=0, return_inverse=True)[1].ravel()
        wanted, of_frame = codes[: len(chosen)], codes[len(chosen) :]
        time = self.frames["time"].to_numpy()
        order = np.lexsort((time, of_frame))
        order = order[np.isin(of_frame[order], wanted)]
        start, end = (self.alerts[name].to_numpy()[chosen] for name in ("start", "end"))
        low, high = (
            np.array(searched(of_frame[order], time[order], wanted, moment), np.intp)
            for moment in (start, end + 1)
        )
        first, last = nearest(time[order], of_frame[order], wanted, start, end, low, high, within_ns)
        count = np.maximum(last - first, 0)
        alert = np.repeat(chosen, count)
        place = np.repeat(first - np.cumsum(count) + count, count) + np.arange(count.sum())
        return _Pairs(alert, order[place])


def _key(table: pd.DataFrame, names: Sequence[str], *, with_proto: bool) -> npt.NDArray[np.int64]:
    """Return the columns that have to agree, the two ends of a flow in one order for both directions, shape (rows, columns)."""
    src = table["src"].to_numpy(np.int64) * _PORTS
    dst = table["dst"].to_numpy(np.int64) * _PORTS
    if "src_port" in names:
        src, dst = src + table["src_port"].to_numpy(np.int64), dst + table["dst_port"].to_numpy(np.int64)
    columns = [src] if "dst" not in names else [np.minimum(src, dst), np.maximum(src, dst)]
    return np.column_stack([*columns, table["proto"].to_numpy(np.int64)] if with_proto else columns)


def _ports(table: pd.DataFrame) -> dict[str, npt.NDArray[np.int64]]:
    return {name: table[name].fillna(-1).to_numpy(np.int64) for name in ("src_port", "dst_port")}
