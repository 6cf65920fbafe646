"""Loaders of datasets in the form of scikit-learn's: features, labels, and groups for splitting.

The features are the causal columns (groups ``feature`` and ``value`` of :mod:`columns`). Train and test are whole
days in order of time, the last days are the test side, and no episode lies on both sides (:mod:`~coldaisle_analysis.evaluation.groups`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from sklearn.utils import Bunch

from coldaisle_analysis import dataset, tables
from coldaisle_analysis.columns import LEVELS, Level, features, markdown
from coldaisle_analysis.evaluation.groups import SUBSETS, Subset, groups_of, side, together
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest

TARGETS = ("normal", "attack")
DAD_OFFSET_S = 7200
"""Offset of the published captures' local time from UTC in s: CEST."""


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
    bunch = _bunch(frame, level, subset, title, identity=identity, as_frame=as_frame)
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
    bunch = _bunch(frame, level, subset, "The published DAD captures", identity=identity, as_frame=as_frame)
    return (bunch.data, bunch.target) if return_X_y else bunch


def _refuse_unknown(level: str, subset: str) -> None:
    for place, value, allowed in (("level", level, LEVELS), ("subset", subset, SUBSETS)):
        if value not in allowed:
            raise InputError(place, f"use one of {', '.join(allowed)}", value)


def _bunch(
    frame: pd.DataFrame, level: Level, subset: Subset, title: str, *, identity: bool, as_frame: bool
) -> Bunch:
    """Return the rows of one side as scikit-learn's ``Bunch``."""
    held_out, rows = groups_of(frame)[0], frame[side(frame, subset)]
    names = features(level, identity=identity)
    data, target = rows[names].astype("float64"), rows["label"].astype("int8")
    return Bunch(
        data=data if as_frame else data.to_numpy(),
        target=target if as_frame else target.to_numpy(),
        groups=together(rows),
        feature_names=names,
        target_names=list(TARGETS),
        frame=rows if as_frame else None,
        DESCR=_described(title, level, subset, rows, sorted(rows["day"].unique()), held_out),
    )


def _described(
    title: str, level: Level, subset: Subset, rows: pd.DataFrame, days: Sequence[int], held_out: str
) -> str:
    """Return a description of the loaded rows in Markdown."""
    attacks, episodes = int(rows["label"].sum()), rows.loc[rows["label"] == 1, "episode"].nunique()
    return (
        f"{title}.\n\nLevel {level}, subset {subset} (train and test are split by {held_out}, in order of time): "
        f"{len(rows):,} rows of the days {', '.join(map(str, days))}; {attacks:,} rows of {episodes} episodes are attacks. "
        "Missing values are NaN. Features are the columns of the groups `feature` and `value`.\n\n"
        f"{markdown(level)}\n"
    )
