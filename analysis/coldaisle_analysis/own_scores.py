"""Early-detection metrics of a user's own classifier, from its scores of rows."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from coldaisle_analysis import columns, tables
from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.columns import Level
from coldaisle_analysis.earliness.per_kind import earliness_per_kind
from coldaisle_analysis.earliness.policies import Policy, Threshold, evaluation_set
from coldaisle_analysis.evaluation.alarms import curves_of, measure, rows_of
from coldaisle_analysis.evaluation.groups import SUBSETS, Subset, side
from coldaisle_analysis.evaluation.levels import prepare
from coldaisle_analysis.models.model import EVEN_CHANCE
from coldaisle_contracts.errors import InputError


def score_early(
    run: Path | str,
    level: Level,
    scores: npt.ArrayLike,
    *,
    subset: Subset = "all",
    policy: Policy | float = EVEN_CHANCE,
) -> dict[str, dict[str, Any]]:
    """Return how early a classifier detects the attacks of a run, and how many false alarms it raises.

    The cases, their clean windows and the measures are those of the report (docs/early-detection.md).

    Args:
        run: the run's folder, such as ``runs/latest``.
        level: ``packets`` or ``readings``, whose rows have cases.
        scores: one number per row in the order of :func:`load_run` with the same level and subset, shape (rows,): a score
            that grows with the suspicion, or a boolean that says whether the row alarms.
        subset: the rows that were scored: ``train``, ``test`` or ``all``. Only cases that lie in it as a whole count.
        policy: a threshold, which a score must reach for its row to alarm, or a policy of :mod:`coldaisle_analysis.earliness.policies`, which may look at
            several rows of a stream.

    Returns:
        By kind of case, ``connection`` (packets), ``unit`` and ``sensor`` (readings):

        * ``erde_5``, ``erde_50`` and their ``_bounds`` (a perfect detector, one that never alarms), ``f_latency`` and
          ``latency_weighted_f1``: numbers between 0 and 1;
        * ``seconds_to_detect`` and ``seconds_to_detect_p90``: median and 90th percentile of the time from onset to alarm, in s;
        * ``cases``, ``positive_cases``, ``caught_cases``, ``episodes`` and ``episodes_caught``: counts;
        * ``incidents_per_day``: false alarms per day; those of one stream less than 900 s apart count as one incident;
        * ``precision`` and ``recall`` of rows;
        * ``per_kind``: cases, caught cases, median items and seconds of each kind of attack;
        * ``recall_by_items`` and ``recall_by_seconds``: ``[delay, recall]`` at up to 40 delays.

        A number that does not exist, such as a delay when nothing was caught, is NaN.

    Raises:
        InputError: if the folder holds no finished run, no such level or subset exists, or the scores do not fit its rows.

    Examples:
        >>> test = load_run("runs/latest", level="readings", subset="test")
        >>> perfect = score_early("runs/latest", "readings", test.target == 1, subset="test")
        >>> perfect["sensor"]["f_latency"], perfect["sensor"]["seconds_to_detect"]
        (1.0, 300.0)
        >>> silent = score_early("runs/latest", "readings", 0 * test.target, subset="test")
        >>> silent["sensor"]["caught_cases"], silent["sensor"]["positive_cases"]
        (0, 4)
    """
    _refuse_unknown(level, subset)
    frame = tables.read_level(Path(run), level)
    rows = side(frame, subset)
    score = np.zeros(len(frame))
    score[rows] = _checked(scores, int(rows.sum()), f"level {level}, subset {subset}")
    prepared = prepare(frame, level)
    chosen = Threshold(float(policy)) if isinstance(policy, (int, float)) else policy
    metrics = {}
    for case, cases in prepared.cases.items():
        evaluated = evaluation_set(cases, prepared.labels, prepared.episodes, rows)
        alarms = evaluated.alarms(chosen, score)
        outcomes = evaluated.cases.outcomes(alarms)
        metrics[case] = {
            **measure(evaluated, alarms),
            **rows_of(prepared, evaluated, alarms),
            "per_kind": earliness_per_kind(outcomes, evaluated.cases.kinds),
            **curves_of(outcomes),
        }
    return metrics


def _refuse_unknown(level: str, subset: str) -> None:
    for place, value, allowed in (("level", level, columns.LEARNED), ("subset", subset, SUBSETS)):
        if value not in allowed:
            raise InputError(place, f"use one of {', '.join(allowed)}", value)


def _checked(scores: npt.ArrayLike, rows: int, whose: str) -> Floats:
    """Return the scores as an array of numbers, shape (rows,).

    Raises:
        InputError: if they are no numbers, not one per row, or not finite.
    """
    try:
        numbers = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError("scores", f"give a finite number or a boolean for each row ({error})") from error
    if numbers.shape != (rows,):
        raise InputError(
            "the shape of scores",
            f"give one score for each of the {rows:,} rows of {whose}, such as predict_proba(X)[:, 1]",
            numbers.shape,
        )
    wrong = np.flatnonzero(~np.isfinite(numbers))
    if wrong.size:
        raise InputError(
            f"scores[{wrong[0]}]", "give a finite number or a boolean for each row", float(numbers[wrong[0]])
        )
    return numbers
