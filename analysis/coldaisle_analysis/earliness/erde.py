"""Scores of early detection over cases: ERDE, F_latency and seconds to detection.

A case is one sequence of items: the packets of a connection, the readings of a unit or of a sensor, from the onset
of an episode to its end (a positive case), or in a clean window matched to one (a negative case). :mod:`coldaisle_analysis.earliness.cases`
finds these items and windows; here a case is three numbers.

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

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from coldaisle_analysis.arrays import Floats

ERISK_RATE = 0.0078
"""The rate p of eRisk's latency penalty, for cases of any length."""


@dataclass(frozen=True)
class Outcomes:
    """The outcomes of n cases with one detector.

    Attributes:
        attacked: whether the case follows an episode; bool, shape (n,).
        length: items in the case; at least 1, shape (n,).
        alarm: item of the first alarm, counted from 1; 0 without an alarm, shape (n,).
        seconds: time from the onset to that item, in s; NaN without an alarm, shape (n,).

    Examples:
        >>> import numpy as np
        >>> attacked, length = np.array([True, True, True, False, False]), np.array([9, 9, 9, 9, 9])
        >>> alarm, seconds = np.array([1, 5, 0, 0, 4]), np.array([2.0, 10.0, np.nan, np.nan, np.nan])
        >>> outcomes = Outcomes(attacked, length, alarm, seconds)  # two hits, a miss, a true negative, a false alarm
    """

    attacked: npt.NDArray[np.bool_]
    length: npt.NDArray[np.int64]
    alarm: npt.NDArray[np.int64]
    seconds: Floats

    @property
    def caught(self) -> npt.NDArray[np.bool_]:
        """Return which cases are true positives.

        Examples:
            >>> outcomes.caught.tolist()
            [True, True, False, False, False]
        """
        return self.attacked & (self.alarm > 0)

    @property
    def share(self) -> float:
        """Return the share of positive cases, NaN without a case.

        Examples:
            >>> outcomes.share
            0.6
        """
        return float(self.attacked.mean()) if self.attacked.size else float("nan")


def latency_cost(item: npt.ArrayLike, deadline: float) -> Floats:
    """Return lc_o(k) = 1 - 1/(1 + e^(k-o)), the cost of a true positive at item ``item`` with o = ``deadline``.

    The sigmoid is evaluated stably: a detection at the ten-thousandth item costs 1, not an overflow.

    Examples:
        >>> latency_cost([1, 5, 9], deadline=5).round(3).tolist()
        [0.018, 0.5, 0.982]
    """
    return np.asarray(expit(np.asarray(item, dtype=np.float64) - deadline), dtype=np.float64)


def erde(outcomes: Outcomes, deadline: float) -> float:
    """Return ERDE_o with o = ``deadline``: the mean cost over cases, lower is better.

    A miss costs 1, a false alarm the share of positive cases, a true positive :func:`latency_cost`, a true
    negative nothing. NaN without a positive case.

    Examples:
        >>> round(erde(outcomes, deadline=5), 3)
        0.424
    """
    if not outcomes.attacked.any():
        return float("nan")
    fired = outcomes.alarm > 0
    cost = np.where(fired & ~outcomes.attacked, outcomes.share, 0.0)
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
    return np.asarray(-1 + 2 * expit(rate * (np.asarray(item, dtype=np.float64) - 1)), dtype=np.float64)


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


def latency_weighted_f1(outcomes: Outcomes) -> float:
    """Return F_latency with the rate of eRisk, :data:`ERISK_RATE`: comparable from one data set to another.

    The rate is made for cases of 142 posts; if cases are much shorter, the penalty is small and the value is close to F1.

    Examples:
        >>> round(latency_weighted_f1(outcomes), 3)
        0.661
    """
    return _weighted_f1(outcomes, ERISK_RATE)


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
