"""One dataset level prepared for learning: features, labels, and groups for splitting."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis import columns
from coldaisle_analysis.arrays import Floats, Ints, Labels, Mask
from coldaisle_analysis.earliness.cases import Cases, find_cases, named_episodes
from coldaisle_analysis.earliness.chains import Chains
from coldaisle_analysis.evaluation.groups import groups_of, together
from coldaisle_analysis.forecast.columns import SensorValues, sensor_values
from coldaisle_contracts.clock import DAY_S


@dataclass(frozen=True)
class Level:
    """One level of a dataset, ready to learn from; all arrays have one entry per row.

    Attributes:
        name: ``packets`` (every captured frame is a row) or ``readings`` (every planned reading is one).
        names: names of the columns of ``features``.
        features: the result of :func:`matrix`, shape (rows, columns); missing is NaN.
        sensor_values: the readings of the sensors, for forecasts.
        identity: identity columns as codes, shape (rows, columns).
        labels: 1 is attack.
        benign: whether the row belongs to a benign anomaly.
        kinds: kind of the row's episode.
        episodes: code of the episode, -1 outside one.
        held_out: the unit of a group: ``day``, or ``block`` where all rows lie in one day.
        groups: code of the day or block; an episode lies in one.
        together: name of the rows that must stay on one side of an inner fold, see :func:`groups.together`.
        known_ns: when all that a row's features describe had happened, in ns since the epoch.
        days: length of the capture in days, for false alarms per day.
        cases: the cases of early detection by kind of stream: ``connection`` (packets), or ``unit`` and
            ``sensor`` (readings).
        visible: which attack rows left a trace, see :mod:`coldaisle_analysis.twins`; ``None`` where the run was not compared with twins.
        chains: the chains of attacks that the rows belong to; ``None`` in a run without a chain.
    """

    name: columns.Level
    names: tuple[str, ...]
    features: Floats
    sensor_values: SensorValues
    identity: Floats
    labels: Labels
    benign: Mask
    kinds: pd.Series
    episodes: Ints
    held_out: str
    groups: Ints
    together: npt.NDArray[np.str_]
    known_ns: Ints
    days: float
    cases: dict[str, Cases]
    visible: Mask | None = None
    chains: Chains | None = None


def matrix(table: Mapping[str, Any], level: columns.Level) -> Floats:
    """Return the features of some rows, shape (rows, len(columns.learned(level))); missing is NaN.

    Args:
        table: the level's columns by name, as pandas columns or arrays.
        level: the level.
    """
    names = columns.learned(level)
    features = np.empty((len(next(iter(table.values()))), len(names)))
    for place, name in enumerate(names):
        column = table[name]
        values = (
            column if isinstance(column, np.ndarray) else column.to_numpy(dtype=np.float64, na_value=np.nan)
        )
        features[:, place] = np.abs(values) if name in columns.SIZED else values
    return features


def prepare(frame: pd.DataFrame, name: columns.Level, visible: Mask | None = None) -> Level:
    """Return a level of the dataset from its rows.

    Args:
        frame: its rows, see :mod:`coldaisle_analysis.columns`.
        name: the level.
        visible: which attack rows left a trace, one entry per row; ``None`` where that is not known.
    """
    held_out, groups = groups_of(frame)
    known_ns = frame["decided_ns" if name == "readings" else "time_ns"].to_numpy(dtype=np.int64)
    span = (frame["time"].max() - frame["time"].min()) / pd.Timedelta(seconds=1)
    return Level(
        name=name,
        names=tuple(columns.learned(name)),
        features=matrix({column: frame[column] for column in columns.learned(name)}, name),
        sensor_values=sensor_values(frame, name),
        identity=np.column_stack(
            [pd.factorize(frame[column])[0] for column in columns.names(name, "identity")]
        ),
        labels=frame["label"].to_numpy(dtype=np.int8),
        benign=frame["benign"].to_numpy() == 1,
        kinds=frame["kind"].astype("str"),
        episodes=pd.factorize(named_episodes(frame))[0].astype(np.int64),
        held_out=held_out,
        groups=groups,
        together=together(frame),
        known_ns=known_ns,
        days=max(float(span) if len(frame) else 0.0, 1.0) / DAY_S,
        cases={kind: find_cases(frame, stream, known_ns) for kind, stream in _streams(frame, name).items()},
        visible=visible,
        chains=Chains.of(frame, known_ns),
    )


def _streams(frame: pd.DataFrame, name: columns.Level) -> dict[str, pd.Series]:
    """Return the stream of each row by kind of stream: a sensor's connection, or unit and sensor of a reading."""
    if name == "readings":
        sensor = frame.groupby(["unit", "sensor"], observed=True).ngroup()
        return {"unit": frame["unit"].astype("object"), "sensor": sensor}
    client, flow = frame["client"].astype("object"), frame["flow"].astype("object")
    return {"connection": client.where(client.notna() & (client != ""), flow.where(flow >= 0))}
