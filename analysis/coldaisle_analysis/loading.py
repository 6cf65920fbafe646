"""Loaders of datasets in the form of scikit-learn's: features, labels, and groups for splitting.

The features are the causal columns (groups ``feature`` and ``value`` of :mod:`columns`). Train and test of a run are whole
days in order of time, the last days are the test side, and no episode lies on both sides (:mod:`~coldaisle_analysis.evaluation.groups`).
The subsets of a campaign are whole weeks.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.utils import Bunch

from coldaisle_analysis import dataset, tables
from coldaisle_analysis.columns import LEVELS, Level, features, markdown
from coldaisle_analysis.evaluation.groups import SUBSETS, Subset, groups_of, side, together
from coldaisle_analysis.weeks import read_frame
from coldaisle_analysis.weeks.lazy import dataset_of, parts
from coldaisle_analysis.weeks.splits import ROLES
from coldaisle_contracts.campaign import Role
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest

TARGETS = ("normal", "attack")
DAD_OFFSET_S = 7200
"""Offset of the published captures' local time from UTC in s: CEST."""
_GROUPING = ("week", "day", "hour", "episode", "label")
"""Columns from which the target and the groups of a campaign's rows follow."""


def load_run(
    run: Path | str,
    *,
    level: Level = "readings",
    subset: Subset = "all",
    identity: bool = False,
    as_frame: bool = False,
    return_X_y: bool = False,  # noqa: N803 - scikit-learn's name
) -> Any:
    """Load one level of a finished run.

    Args:
        run: the run's folder, such as ``runs/latest``.
        level: ``packets``, ``messages``, ``readings``, ``flows`` or ``windows``.
        subset: ``train``, ``test`` (the last 30 % of the days; of a run of one day the last of four parts) or ``all``.
        identity: add the numeric identity columns, which leak (docs/dataset.md).
        as_frame: return pandas objects instead of arrays; their index is the row's place in the level.
        return_X_y: return data and target alone.

    Returns:
        With ``return_X_y`` data, shape (rows, features), and target, shape (rows,). Otherwise a Bunch:

        * ``data``: the features, float64, missing is NaN, shape (rows, features);
        * ``target``: 1 is attack, shape (rows,);
        * ``groups``: the group of each row, its episode or a quarter of a clean day, which a split must not divide, shape (rows,);
        * ``feature_names`` and ``target_names``;
        * ``frame``: every column of the level with ``as_frame``, else ``None``;
        * ``DESCR``: a description in Markdown.

    Raises:
        InputError: if the folder holds no finished run, or no such level or subset exists.

    Examples:
        >>> train = load_run("runs/latest", level="readings", subset="train")
        >>> train.data.shape, int(train.target.sum())
        ((11520, 29), 180)
        >>> X_test, y_test = load_run("runs/latest", level="readings", subset="test", return_X_y=True)
        >>> X_test.shape, y_test.shape
        ((4608, 29), (4608,))
    """
    _refuse_unknown(level, subset)
    manifest = Manifest.load(Path(run))
    frame = tables.read_level(Path(run), level)
    title = f"Run {manifest.id}: scenario {manifest.scenario}, seed {manifest.seed}"
    bunch = _of_days(frame, level, subset, title, identity=identity, as_frame=as_frame)
    return (bunch.data, bunch.target) if return_X_y else bunch


def load_campaign(
    campaign: Path | str,
    *,
    level: Level = "readings",
    subset: Role | Literal["all"] = "all",
    scenario: str | None = None,
    lazy: bool = True,
    identity: bool = False,
    as_frame: bool = False,
    return_X_y: bool = False,  # noqa: N803 - scikit-learn's name
) -> Any:
    """Load one level of the weeks of a campaign, of its folder or of its export.

    Args:
        campaign: the campaign's folder, or one that ``coldaisle campaign export`` made.
        level: see :func:`load_run`.
        subset: ``train``, ``validate``, ``test`` or ``all``; they are whole weeks.
        scenario: name of a scenario, to load its weeks alone.
        lazy: return a dataset from which nothing is read yet; pandas and scikit-learn need ``False``.
        identity: see :func:`load_run`.
        as_frame: see :func:`load_run`; the rows are read at once, whatever ``lazy`` says.
        return_X_y: see :func:`load_run`; likewise.

    Returns:
        A ``pyarrow.dataset.Dataset`` with every column of the level, and before them ``subset`` and ``week`` (such as ``week-3``). DuckDB
        and Polars query it, week by week and column by column, without reading the whole.

        Without ``lazy`` a Bunch as of :func:`load_run`: ``groups`` also has the week, such as ``week-3/e07``.

    Raises:
        InputError: if the folder is no campaign, no such week was played, a file is missing or damaged, or no such level or subset exists.

    Examples:
        >>> readings = load_campaign("campaign", level="readings", subset="train")
        >>> readings.count_rows(), readings.schema.names[:4]
        (32256, ['subset', 'week', 'unit', 'sensor'])
        >>> import duckdb, polars
        >>> duckdb.sql("SELECT week, sum(label) FROM readings GROUP BY week ORDER BY week").fetchall()
        [('made-1', 216), ('made-2', 216)]
        >>> attacked = polars.scan_pyarrow_dataset(readings).filter(polars.col("label") == 1)
        >>> attacked.select("week", "episode").unique().collect().height
        12
        >>> X_test, y_test = load_campaign("campaign", subset="test", return_X_y=True)
        >>> X_test.shape, y_test.shape
        ((16128, 29), (16128,))
    """
    _refuse_unknown(level, subset, (*ROLES, "all"))
    files = parts(Path(campaign), level, None if subset == "all" else subset, scenario)
    rows = dataset_of(files, level)
    if lazy and not (as_frame or return_X_y):
        return rows
    needed = None if as_frame else [*features(level, identity=identity), *_GROUPING]
    frame = read_frame(rows, level, needed)
    title = f"Campaign {Path(campaign).resolve().name}"
    bunch = _of_weeks(frame, level, subset, title, identity=identity, as_frame=as_frame)
    return (bunch.data, bunch.target) if return_X_y else bunch


def load_dad(
    folder: Path | str,
    *,
    level: Level = "readings",
    subset: Subset = "all",
    identity: bool = False,
    as_frame: bool = False,
    return_X_y: bool = False,  # noqa: N803 - scikit-learn's name
) -> Any:
    """Load one level of the published DAD captures (Vigoya et al., Sensors 2020, 20(13), 3745).

    Args:
        folder: the folder of the captures (``*.pcap``) and their label tables (``*labels.csv``), one of each per day.
        level: see :func:`load_run`.
        subset: see :func:`load_run`.
        identity: see :func:`load_run`.
        as_frame: see :func:`load_run`.
        return_X_y: see :func:`load_run`.

    Returns:
        As :func:`load_run`; the ``kind`` of a labelled row is ``attack``.

    Raises:
        InputError: if the folder lacks captures or label tables, or one does not match, with file and line.

    Examples:
        >>> dad = load_dad("dad", level="packets")
        >>> dad.data.shape, dad.target_names
        ((271, 59), ['normal', 'attack'])
    """
    _refuse_unknown(level, subset)
    pcaps, labels = (sorted(Path(folder).glob(pattern)) for pattern in ("*.pcap", "*labels.csv"))
    if not pcaps or len(pcaps) != len(labels):
        raise InputError(
            folder,
            f"holds {len(pcaps)} captures and {len(labels)} label tables: name the folder of the published captures",
        )
    frame = dataset.from_captures(pcaps, labels, DAD_OFFSET_S).levels()[level]
    bunch = _of_days(frame, level, subset, "The published DAD captures", identity=identity, as_frame=as_frame)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _refuse_unknown(level: str, subset: str, subsets: Sequence[str] = SUBSETS) -> None:
    for place, value, allowed in (("level", level, LEVELS), ("subset", subset, subsets)):
        if value not in allowed:
            raise InputError(place, f"use one of {', '.join(allowed)}", value)


def _of_days(
    frame: pd.DataFrame, level: Level, subset: Subset, title: str, *, identity: bool, as_frame: bool
) -> Bunch:
    """Return the rows of one side of a run as scikit-learn's ``Bunch``."""
    held_out, rows = groups_of(frame)[0], frame[side(frame, subset)]
    scope = f"{title}.\n\nLevel {level}, subset {subset} (train and test are split by {held_out}, in order of time)"
    days = f"the days {', '.join(map(str, sorted(rows['day'].unique())))}"
    described = _described(scope, days, level, rows, rows["episode"].where(rows["label"] == 1).nunique())
    return _bunch(rows, level, together(rows), described, identity=identity, as_frame=as_frame)


def _of_weeks(
    rows: pd.DataFrame, level: Level, subset: str, title: str, *, identity: bool, as_frame: bool
) -> Bunch:
    """Return the rows of weeks as scikit-learn's ``Bunch``."""
    week = rows["week"].astype("str")
    groups = (week + "/" + together(rows)).to_numpy(np.str_)
    episodes = len(np.unique(groups[rows["label"].to_numpy() == 1]))
    scope = f"{title}.\n\nLevel {level}, subset {subset} (subsets are whole weeks)"
    weeks = f"the weeks {', '.join(week.unique())}"
    described = _described(scope, weeks, level, rows, episodes)
    return _bunch(rows, level, groups, described, identity=identity, as_frame=as_frame)


def _bunch(
    rows: pd.DataFrame,
    level: Level,
    groups: npt.NDArray[np.str_],
    described: str,
    *,
    identity: bool,
    as_frame: bool,
) -> Bunch:
    """Return rows as scikit-learn's ``Bunch``."""
    names = features(level, identity=identity)
    data, target = rows[names].astype("float64"), rows["label"].astype("int8")
    return Bunch(
        data=data if as_frame else data.to_numpy(),
        target=target if as_frame else target.to_numpy(),
        groups=groups,
        feature_names=names,
        target_names=list(TARGETS),
        frame=rows if as_frame else None,
        DESCR=described,
    )


def _described(scope: str, origin: str, level: Level, rows: pd.DataFrame, episodes: int) -> str:
    """Return a description of the loaded rows in Markdown."""
    return (
        f"{scope}: {len(rows):,} rows of {origin}; {int(rows['label'].sum()):,} rows of {episodes} episodes are attacks. "
        "Missing values are NaN. Features are the columns of the groups `feature` and `value`.\n\n"
        f"{markdown(level)}\n"
    )
