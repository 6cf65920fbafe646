"""Scores of early detection over cases: ERDE, F_latency and seconds to detection.

Sources: ERDE: Losada and Crestani, *A Test Collection for Research on Depression and Language Use*,
CLEF 2016. F_latency: Sadeque, Xu and Bethard, *Measuring the Latency of Depression Detection in Social
Media*, WSDM 2018. The scripts that eRisk and its participants publish compute the same, with these differences:

* k counts from 1 in all of them; an early version of saeub/eRisk2022-LauSAn counted from 0.
* They compute e^(k-o) directly, which overflows for late alarms; the value is the same.
* Their ERDE is often printed in percent.
* The rate p of F_latency is a constant of the task in eRisk's own script, 0.0078 (a median of 142 posts), as in
  ele94/early-risk-ensemble; 0.0411 and others, from the mean number of posts, in sinai-uja/MentalRiskES-IberLEF. Ours
  follows from the cases, as in the paper; with that of eRisk, see :func:`latency_weighted_f1`.
* jmloyola/unsl_erisk_2022 takes the median length of the positive cases for p; ours is that of all cases.
* Without a true positive eRisk's script takes the median of an empty list, NaN; we return 0, as UNSL and SINAI do.
"""

import math
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from coldaisle_analysis.arrays import Floats
from coldaisle_analysis.earliness import checked
from coldaisle_analysis.earliness.outcomes import Outcomes

ERISK_RATE = 0.0078
"""The rate p of eRisk's latency penalty, for cases of any length."""
_MOST = 1 << 20
"""Items below which costs are kept."""
_LOWEST = -709.0
"""Exponent below which e^-x is no floating-point number."""


def latency_cost(item: npt.ArrayLike, deadline: float) -> Floats:
    """Return lc_o(k) = 1 - 1/(1 + e^(k-o)), the cost of a true positive at item ``item`` with o = ``deadline``.

    The sigmoid is evaluated stably: a detection at the ten-thousandth item costs 1, not an overflow.

    Examples:
        >>> latency_cost([1, 5, 9], deadline=5).round(3).tolist()
        [0.018, 0.5, 0.982]
    """
    items, due = np.asarray(item), checked.number("deadline", deadline)
    if items.dtype.kind == "i" and items.size and items.min() >= 0 and items.max() < _MOST:
        return np.asarray(_costs(due, 1 << int(items.max()).bit_length())[items])
    return _sigmoid(items.astype(np.float64) - due)


@lru_cache(maxsize=64)
def _costs(deadline: float, items: int) -> Floats:
    """Return the cost at each item below so many: policies ask for the same few again and again."""
    return _sigmoid(np.arange(items, dtype=np.float64) - deadline)


def _sigmoid(values: Floats) -> Floats:
    """Return 1/(1 + e^-x) by the exponential of the C library, one call for each value.

    NumPy's own differs in the last digit from one processor to another, and costs must not.
    """
    sigmoid = [0.0 if value <= _LOWEST else 1 / (1 + math.exp(-value)) for value in values.ravel().tolist()]
    return np.array(sigmoid, dtype=np.float64).reshape(values.shape)


def erde(outcomes: Outcomes, deadline: float, *, false_alarm: float | None = None) -> float:
    """Return ERDE_o with o = ``deadline``: the mean cost over cases, lower is better.

    A miss costs 1, a true positive :func:`latency_cost`, a true negative nothing. NaN without a positive case.

    Args:
        outcomes: the cases.
        deadline: o, in items.
        false_alarm: cost of a false alarm; the share of positive cases if missing, as in the paper. A task may fix another.

    Examples:
        >>> round(erde(outcomes, deadline=5), 3)
        0.424
    """
    if not outcomes.attacked.any():
        return float("nan")
    fired = outcomes.alarm > 0
    false_cost = (
        outcomes.share if false_alarm is None else checked.number("false_alarm", false_alarm, least=0)
    )
    cost = np.where(fired & ~outcomes.attacked, false_cost, 0.0)
    cost = np.where(outcomes.attacked & ~fired, 1.0, cost)
    cost = np.where(outcomes.caught, latency_cost(outcomes.alarm, deadline), cost)
    return float(cost.mean())


def erde_bounds(share: float, deadline: float) -> tuple[float, float]:
    """Return the ERDE_o of a perfect detector and of one that never alarms, for a share of positive cases.

    Scores of two data sets can be compared only relative to these bounds.

    Examples:
        >>> [round(bound, 3) for bound in erde_bounds(share=0.6, deadline=5)]
        [0.011, 0.6]
    """
    return share * float(latency_cost(1, deadline)), share


def case_f1(outcomes: Outcomes) -> float:
    """Return the F1 over cases, each counted once; NaN without a positive case.

    Examples:
        >>> round(case_f1(outcomes), 3)
        0.667
    """
    if not outcomes.attacked.any():
        return float("nan")
    fired = int((outcomes.alarm > 0).sum())
    return 2 * int(outcomes.caught.sum()) / (fired + int(outcomes.attacked.sum()))


def latency_penalty(item: npt.ArrayLike, rate: float) -> Floats:
    """Return penalty(k) = -1 + 2/(1 + e^(-p(k-1))) of a true positive at item ``item``: 0 at the first, towards 1.

    Args:
        item: counted from 1.
        rate: p, the rate at which it grows.

    Examples:
        >>> latency_penalty([1, 9, 999], rate=0.1373).round(2).tolist()
        [0.0, 0.5, 1.0]
    """
    return -1 + 2 * _sigmoid(rate * (np.asarray(item, dtype=np.float64) - 1))


def latency_rate(outcomes: Outcomes) -> float:
    """Return p = ln 3/(median case length - 1), at which the penalty is one half at the median length.

    Where the median case has one item there is no later item to be penalised for, and p is 0.

    Examples:
        >>> round(latency_rate(outcomes), 4)
        0.1373
    """
    span = float(np.median(outcomes.length)) - 1
    return float(np.log(3) / span) if span > 0 else 0.0


def f_latency(outcomes: Outcomes) -> float:
    """Return F_latency with the rate of these cases; it is 1 if every positive case is caught at its first item.

    It is 0 without a true positive and NaN without a positive case.

    Examples:
        >>> round(f_latency(outcomes), 3)
        0.577
    """
    return _weighted_f1(outcomes, latency_rate(outcomes)) if outcomes.attacked.any() else float("nan")


def latency_weighted_f1(outcomes: Outcomes, rate: float = ERISK_RATE) -> float:
    """Return F_latency with the rate of eRisk, :data:`ERISK_RATE`: comparable from one data set to another.

    The rate is made for cases of 142 posts; if cases are much shorter, the penalty is small and the value is close to F1.

    Args:
        outcomes: the cases.
        rate: another rate p, from 0 on: ln 3/(k - 1) halves the value of alarms at item k.

    Examples:
        >>> round(latency_weighted_f1(outcomes), 3)
        0.661
    """
    return _weighted_f1(outcomes, checked.number("rate", rate, least=0))


def _weighted_f1(outcomes: Outcomes, rate: float) -> float:
    """Return F1·speed, where the speed is 1 - median penalty over true positives."""
    if not outcomes.caught.any():
        return 0.0 if outcomes.attacked.any() else float("nan")
    speed = 1 - np.median(latency_penalty(outcomes.alarm[outcomes.caught], rate))
    return float(case_f1(outcomes) * speed)


def seconds_to_detect(outcomes: Outcomes) -> tuple[float, float]:
    """Return median and 90th percentile of the time from onset to alarm over true positives, in s; NaN without any.

    Examples:
        >>> seconds_to_detect(outcomes)  # median and 90th percentile
        (6.0, 9.2)
    """
    waited = outcomes.seconds[outcomes.caught]
    if not waited.size:
        return float("nan"), float("nan")
    median, late = np.quantile(waited, [0.5, 0.9])
    return float(median), float(late)
