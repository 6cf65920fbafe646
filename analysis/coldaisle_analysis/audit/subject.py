"""The subject of an audit: labelled rows, the meaning of their columns, and further facts about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis import columns
from coldaisle_analysis.arrays import Floats, Ints, Mask
from coldaisle_analysis.audit.numbers import ENOUGH, MISSING, as_numbers, fingerprints, middle_and_spread
from coldaisle_analysis.audit.threads import ahead, map_in_threads
from coldaisle_analysis.evaluation.groups import groups_of
from coldaisle_analysis.truth.readings import Account
from coldaisle_contracts.manifest import Manifest

SAMPLE = 4_000
"""How many rows are drawn where a check compares rows with rows."""


class Absent(Exception):  # noqa: N818 - it means that there is nothing to measure, which is no error
    """The data set lacks what a check needs; the message says what."""


@dataclass(frozen=True)
class Subject:
    """Labelled rows under audit.

    Attributes:
        name: name of the data set.
        level: ``packets``, ``readings`` or ``table``.
        frame: the rows, in the order of the file.
        label: which rows are attacks, shape (rows,).
        kind: kind of attack of each row, ``normal`` where there is none.
        features: names of the columns that a model may learn from, as numbers.
        identity: names of the columns that identify a host or a row.
        clocks: names of the columns that hold times.
        meaning: name of the column for each meaning that the rows have: ``time``, ``src``, ``dst``, ``sport``, ``dport``, ``proto``, ``mac``, ``ttl``, ``window``,
            ``ipid``, ``flow``, ``episode``, ``client``, ``payload``, ``id``, ``day``.
        account: the run's settled ledger, where the rows are a run's.
        manifest: the run's manifest, likewise.
        metrics: rows of ``models/metrics.json``, where models were scored.
        croissant: its Croissant metadata, where there is any.
        datasheet: its datasheet in Markdown, likewise.
        texts: the text behind each code, for the features that are text.
        remarks: what a reader should know about how the rows were read, in sentences.
        seed: seed of every draw.
        sweeps: how well each feature separates the labels, kept by :mod:`~coldaisle_analysis.audit.sweep`.
    """

    name: str
    level: str
    frame: pd.DataFrame
    label: Mask
    kind: pd.Series
    features: Sequence[str]
    identity: Sequence[str]
    clocks: Sequence[str]
    meaning: Mapping[str, str]
    account: Account | None = None
    manifest: Manifest | None = None
    metrics: Sequence[Mapping[str, Any]] = ()
    croissant: Mapping[str, Any] | None = None
    datasheet: str | None = None
    texts: Mapping[str, Mapping[float, str]] = field(default_factory=dict)
    remarks: Sequence[str] = ()
    seed: int = 1
    sweeps: dict[str, list[Any]] = field(default_factory=dict, repr=False)
    _codes: dict[str, Floats] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.frame)

    def has(self, *meanings: str) -> bool:
        """Tell whether the rows have columns for all of these meanings."""
        return all(meaning in self.meaning for meaning in meanings)

    def of(self, meaning: str) -> pd.Series:
        """Return the column of a meaning, in the order of the rows, with an index from 0.

        Raises:
            Absent: if the rows have no such column.
        """
        if meaning not in self.meaning:
            raise Absent(f"the rows have no {meaning}")
        return self.frame[self.meaning[meaning]].reset_index(drop=True)

    def numbers(self, name: str) -> Floats:
        """Return a column as numbers, shape (rows,): times in ns, text as codes by first appearance, missing as :data:`MISSING`."""
        if name in self._codes:
            return self._codes[name]
        numbers = as_numbers(self.frame[name])
        if not isinstance(
            self.frame[name].dtype, np.dtype
        ):  # numpy's own numbers are converted faster than they are kept
            self._codes[name] = numbers
        return numbers

    def values(self, name: str, rows: Ints | None = None) -> Floats:
        """Return a feature, missing ones as NaN, in all rows or at some positions, shape (rows,); whole numbers as they are stored."""
        column, taken = self.frame[name], slice(None) if rows is None else rows
        kind = column.dtype.kind if isinstance(column.dtype, np.dtype) else ""
        if kind in {"i", "u"}:
            return np.asarray(column)[taken]
        if kind == "f":
            return np.asarray(
                np.clip(np.asarray(column)[taken].astype(np.float64, copy=False), -ENOUGH, ENOUGH)
            )
        numbers = self.numbers(name)[taken]
        return np.where(numbers == MISSING, np.nan, np.clip(numbers, -ENOUGH, ENOUGH))

    def ordered(self, name: str) -> Floats:
        """Return a column as :meth:`numbers` does, but whole numbers as they are stored, because these are sorted faster."""
        column = self.frame[name]
        whole = isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu"
        return np.asarray(column) if whole else self.numbers(name)

    @cached_property
    def touched(self) -> Mask:
        """The rows that an episode touched, shape (rows,)."""
        if not self.has("episode"):
            return np.zeros(len(self), bool)
        named = self.of("episode").astype("object")
        return (named.notna() & (named != "")).to_numpy()

    def require_features(self) -> None:
        """Refuse rows without a feature.

        Raises:
            Absent: if there is none.
        """
        if not self.features:
            raise Absent("the rows have no feature")

    @cached_property
    def prints(self) -> npt.NDArray[np.uint64]:
        """A hash of the features of each row, shape (rows,); equal rows have equal hashes, missing values included.

        Raises:
            Absent: if there is no feature.
        """
        self.require_features()
        return fingerprints(ahead(map(self.values, self.features)), len(self))

    def scaled(self, rows: Ints) -> Floats:
        """Return the features of rows, missing ones filled with the median of the column, all of equal spread.

        Args:
            rows: positions of the rows, shape (n,).

        Returns:
            Shape (n, features).

        Raises:
            Absent: if there is no feature.
        """
        self.require_features()
        matrix = np.empty((len(rows), len(self.features)))
        for number, name in enumerate(self.features):
            middle, scale = self._scale[number]
            values = self.values(name, rows)
            matrix[:, number] = (np.where(np.isnan(values), middle, values) - middle) / scale
        return np.clip(matrix, -10, 10)

    @cached_property
    def _scale(self) -> list[tuple[float, float]]:
        """Median and spread of each feature."""
        return map_in_threads(lambda name: middle_and_spread(self.values(name)), self.features)

    @cached_property
    def days(self) -> Ints:
        """The day of each row, or its block of time where all lie in one day; a code from 0, shape (rows,).

        For our own levels it is the group that :mod:`~coldaisle_analysis.evaluation.splits` holds out: an episode across midnight counts
        to its first day.
        """
        if self.has("day", "time", "episode") and self.level != "table":
            return groups_of(self.frame)[1]
        if self.has("day"):
            return np.asarray(pd.factorize(self.of("day"), sort=True)[0], np.int64)
        if not self.has("time") or not len(self):
            return np.zeros(len(self), np.int64)
        whole = pd.DataFrame({"time": self.of("time"), "episode": ""})
        return groups_of(whole.assign(day=whole["time"].dt.floor("D")))[1]

    def draw(self, which: Mask, most: int = SAMPLE, salt: int = 0) -> Ints:
        """Return the positions of at most ``most`` rows of a mask, drawn by seed, sorted."""
        rows = np.flatnonzero(which)
        if len(rows) <= most:
            return rows
        return np.sort(np.random.default_rng([self.seed, salt]).choice(rows, most, replace=False))


def of_level(name: str, frame: pd.DataFrame, level: columns.Level, **extras: Any) -> Subject:
    """Return one of our own levels as a subject.

    Args:
        name: name of the data set.
        frame: the level's rows.
        level: the level.
        extras: further facts: ``account``, ``manifest``, ``metrics``, ``croissant``, ``datasheet``.
    """
    return Subject(
        name=name,
        level=level,
        frame=frame,
        label=frame["label"].to_numpy() == 1,
        kind=frame["kind"].astype("str").where(frame["label"] == 1, "normal").reset_index(drop=True),
        features=columns.features(level),
        identity=columns.names(level, "identity"),
        clocks=columns.names(level, "time"),
        meaning={meaning: column for meaning, column in _OURS[level].items() if column in frame},
        **extras,
    )


_OURS: dict[str, dict[str, str]] = {
    "packets": {
        "id": "frame", "time": "time", "day": "day", "src": "ip_src", "dst": "ip_dst", "proto": "ip_proto", "mac": "eth_src",
        "sport": "tcp_srcport", "dport": "tcp_dstport", "ttl": "ip_ttl", "window": "tcp_window", "ipid": "ip_id", "flow": "flow",
        "episode": "episode", "client": "client", "payload": "tcp_len", "seq": "tcp_seq", "ack": "tcp_ack",
        "flags": "tcp_flags", "length": "frame_len",
    },
    "readings": {
        "time": "time", "day": "day", "src": "unit", "client": "client_id", "episode": "episode",
    },
}  # fmt: skip
"""The column of each meaning in our levels."""
