"""A level of the dataset as learning sees it: what a detector may look at, the truth, and what belongs together."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis import columns
from coldaisle_analysis.cases import Cases, find_cases, named_episodes
from coldaisle_analysis.models import Matrix
from coldaisle_analysis.splits import Labels, groups_of

Codes = npt.NDArray[np.int64]
DAY_S = 86_400.0


@dataclass(frozen=True)
class Level:
    """One level of a dataset, ready to learn from; all arrays have one entry a row.

    Attributes:
        name: ``packets`` (every captured frame is a row) or ``readings`` (every planned reading is one).
        names: names of the feature columns.
        features: the numeric feature and value columns, shape (rows, features); missing is NaN.
        identity: identity columns as codes, shape (rows, columns).
        labels: 1 is attack.
        kinds: kind of episode.
        episodes: code of the episode, -1 outside one.
        held_out: what a group is: ``day``, or ``block`` where all rows lie in one day.
        groups: code of the day or block; an episode lies in one.
        days: length of the capture, days, for false alarms per day.
        cases: the cases of early detection.
    """

    name: columns.Level
    names: tuple[str, ...]
    features: Matrix
    identity: Matrix
    labels: Labels
    kinds: pd.Series
    episodes: Codes
    held_out: str
    groups: Codes
    days: float
    cases: Cases


def prepare(frame: pd.DataFrame, name: columns.Level) -> Level:
    """Return a level of the dataset, given its rows as :mod:`coldaisle_analysis.columns` describes them."""
    held_out, groups = groups_of(frame)
    span = (frame["time"].max() - frame["time"].min()) / pd.Timedelta(seconds=1)
    return Level(
        name=name,
        names=tuple(columns.features(name)),
        features=frame[columns.features(name)].to_numpy(dtype=np.float64, na_value=np.nan),
        identity=np.column_stack(
            [pd.factorize(frame[column])[0] for column in columns.names(name, "identity")]
        ),
        labels=frame["label"].to_numpy(dtype=np.int8),
        kinds=frame["kind"].astype("str"),
        episodes=pd.factorize(named_episodes(frame))[0].astype(np.int64),
        held_out=held_out,
        groups=groups,
        days=max(float(span) if len(frame) else 0.0, 1.0) / DAY_S,
        cases=find_cases(frame, _stream(frame, name), _known_ns(frame, name)),
    )


def _stream(frame: pd.DataFrame, name: columns.Level) -> pd.Series:
    """Return whose sequence a row continues: the sensor's connection (packets), the unit's readings (readings)."""
    if name == "readings":
        return frame["unit"].astype("object")
    client, flow = frame["client"].astype("object"), frame["flow"].astype("object")
    return client.where(client.notna() & (client != ""), flow.where(flow >= 0))


def _known_ns(frame: pd.DataFrame, name: columns.Level) -> Codes:
    """Return when everything a row's features say had happened, ns since the epoch."""
    return frame["decided_ns" if name == "readings" else "time_ns"].to_numpy(dtype=np.int64)
