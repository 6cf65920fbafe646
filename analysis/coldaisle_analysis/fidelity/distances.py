"""Distances between days of our plays and published days, compared with the spread on either side.

A day is compared with a day, so that all distances rest on about as many frames. Numbers are compared by Wasserstein's distance of order 1:
the mean shift, in the measure's unit, that turns one distribution into the other (``scipy.stats.wasserstein_distance``; Ramdas, García
Trillos and Cuturi, Entropy 19(2), 47, 2017). Beside it stands the statistic of Kolmogorov and Smirnov, the largest difference of the two
cumulative distributions, between 0 and 1 (``scipy.stats.ks_2samp``; Hodges, Arkiv för Matematik 3(43), 469-486, 1958). Mixes are compared by the
total variation distance, the share of frames that would have to change their class (Gibbs and Su, International Statistical Review 70(3), 419-435, 2002).
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product

import numpy as np
from scipy.stats import ks_2samp, wasserstein_distance

from coldaisle_analysis.arrays import Floats, Texts
from coldaisle_analysis.fidelity.days import Day
from coldaisle_analysis.fidelity.measures import MEASURES, Measure
from coldaisle_contracts.errors import plain

FEWEST = 8
"""The fewest values of a measure for a day to be compared."""
POINTS = 1_000
"""The most values of a measure that are kept of a day: these are then its quantiles."""
PAIRS = 200
"""The most pairs of days between which a distance is measured; more are drawn by seed."""
USUAL = 0.95
"""Quantile of the distances on one side that is its spread."""
_LONGEST = 80
"""Greatest length of the name of a class, in characters."""
_CLASSES = 3
"""The most classes of a mix that a result names."""


@dataclass(frozen=True)
class Sketch:
    """What is kept of a day: its source, quantiles of numbers, shares of classes."""

    source: str
    numbers: dict[str, Floats] = field(default_factory=dict)
    shares: dict[str, dict[str, float]] = field(default_factory=dict)

    def has(self, measure: Measure) -> bool:
        """Tell whether the day has enough values of a measure."""
        return measure.name in (self.shares if measure.is_mix else self.numbers)


Pair = tuple[Sketch, Sketch]


@dataclass(frozen=True)
class Distance:
    """One distance with the spreads on either side.

    Attributes:
        between: median distance between one of our days and a published one; NaN if there is none.
        own: spread of our plays: the 95 % quantile of distances between days of different plays; NaN for a single play.
        published: spread of the published days, likewise; NaN for a single day.
    """

    between: float = np.nan
    own: float = np.nan
    published: float = np.nan

    @property
    def large(self) -> bool | None:
        """Whether it exceeds both spreads, or the only one there is; ``None`` where there is no distance or no spread."""
        spreads = [spread for spread in (self.own, self.published) if np.isfinite(spread)]
        if not np.isfinite(self.between) or not spreads:
            return None
        return bool(self.between > max(spreads))


@dataclass(frozen=True)
class Compared:
    """How one measure compares.

    Attributes:
        measure: the measure.
        shift: Wasserstein's distance in the measure's unit; for a mix the total variation distance.
        shape: the statistic of Kolmogorov and Smirnov; for a mix the same as ``shift``.
        ours: the middle of ours: 5 %, 50 % and 95 % quantiles, or the classes whose shares differ most.
        theirs: the same of the published days.
        note: why it is not compared, or empty.
    """

    measure: Measure
    shift: Distance
    shape: Distance
    ours: dict[str, float]
    theirs: dict[str, float]
    note: str = ""

    @property
    def large(self) -> bool | None:
        """Whether one of the two distances is large; ``None`` where neither can be said to be."""
        answers = [distance.large for distance in (self.shift, self.shape)]
        return None if None in answers else any(answers)


def sketch(day: Day) -> Sketch:
    """Return what is kept of a day; its size does not grow with the day."""
    out = Sketch(day.source)
    for measure in MEASURES:
        values = measure.of(day)
        if len(values) < FEWEST:
            continue
        if measure.is_mix:
            out.shares[measure.name] = _shares(values)
        else:
            out.numbers[measure.name] = _quantiles(np.asarray(values, np.float64))
    return out


def compare(ours: Sequence[Sketch], theirs: Sequence[Sketch], seed: int) -> list[Compared]:
    """Compare every measure, large differences first, then by the distance of the shape.

    Args:
        ours: days of our plays.
        theirs: published days.
        seed: seed for the pairs that are drawn where there are more than :data:`PAIRS`.
    """
    rows = [_compared(measure, ours, theirs, np.random.default_rng(seed)) for measure in MEASURES]
    return sorted(rows, key=lambda row: (row.large is not True, -np.nan_to_num(row.shape.between, nan=-1.0)))


def _compared(
    measure: Measure, ours: Sequence[Sketch], theirs: Sequence[Sketch], rng: np.random.Generator
) -> Compared:
    here, there = ([day for day in side if day.has(measure)] for side in (ours, theirs))
    pairs = [_drawn(list(product(here, there)), rng), _drawn(_apart(here), rng), _drawn(_apart(there), rng)]
    shift = _distance(pairs, measure, _share_moved if measure.is_mix else _wasserstein)
    shape = shift if measure.is_mix else _distance(pairs, measure, _kolmogorov)
    without = [name for name, days in (("our", here), ("published", there)) if not days]
    note = f"fewer than {FEWEST} values on each of {' and of '.join(without)} days" if without else ""
    return Compared(measure, shift, shape, *_summaries(measure, here, there), note)


def _apart(days: Sequence[Sketch]) -> list[Pair]:
    """Return all pairs of days of different sources."""
    return [(one, other) for one, other in combinations(days, 2) if one.source != other.source]


def _drawn(pairs: list[Pair], rng: np.random.Generator) -> list[Pair]:
    if len(pairs) <= PAIRS:
        return pairs
    return [pairs[place] for place in np.sort(rng.choice(len(pairs), PAIRS, replace=False))]


def _distance(
    pairs: Sequence[list[Pair]], measure: Measure, apart: Callable[[str, Sketch, Sketch], float]
) -> Distance:
    """Return a distance between the sides and its spreads: the first pairs have a day of either side, the others of one."""
    values = [[apart(measure.name, *pair) for pair in side] for side in pairs]
    levels = (0.5, USUAL, USUAL)
    return Distance(
        *(float(np.quantile(of, level)) if of else np.nan for of, level in zip(values, levels, strict=True))
    )


def _wasserstein(name: str, one: Sketch, other: Sketch) -> float:
    return float(wasserstein_distance(one.numbers[name], other.numbers[name]))


def _kolmogorov(name: str, one: Sketch, other: Sketch) -> float:
    return float(ks_2samp(one.numbers[name], other.numbers[name], method="asymp").statistic)


def _share_moved(name: str, one: Sketch, other: Sketch) -> float:
    here, there = one.shares[name], other.shares[name]
    return sum(abs(here.get(word, 0.0) - there.get(word, 0.0)) for word in here | there) / 2


def _quantiles(values: Floats) -> Floats:
    """Return all values, sorted, or where they are many the values at evenly spaced ranks."""
    ordered = np.sort(values)
    if len(ordered) <= POINTS:
        return ordered
    ranks = (np.arange(POINTS) + 0.5) / POINTS * len(ordered)
    return np.asarray(ordered[ranks.astype(np.int64)])


def _shares(words: Floats | Texts) -> dict[str, float]:
    return {
        word: count / len(words)
        for word, count in Counter(plain(str(word), _LONGEST) for word in words).items()
    }


def _summaries(
    measure: Measure, ours: Sequence[Sketch], theirs: Sequence[Sketch]
) -> tuple[dict[str, float], dict[str, float]]:
    """Return what a result shows of either side."""
    if not measure.is_mix:
        return _middle(measure, ours), _middle(measure, theirs)
    here, there = _mean(measure, ours), _mean(measure, theirs)
    apart = sorted(here | there, key=lambda word: (-abs(here.get(word, 0.0) - there.get(word, 0.0)), word))
    named = apart[:_CLASSES]
    return {word: here.get(word, 0.0) for word in named}, {word: there.get(word, 0.0) for word in named}


def _middle(measure: Measure, days: Sequence[Sketch]) -> dict[str, float]:
    if not days:
        return {}
    values = np.concatenate([day.numbers[measure.name] for day in days])
    return {f"{level:.0%}": float(np.quantile(values, level)) for level in (0.05, 0.5, 0.95)}


def _mean(measure: Measure, days: Sequence[Sketch]) -> dict[str, float]:
    totals = Counter[str]()
    for day in days:
        totals.update(day.shares[measure.name])
    return {word: total / len(days) for word, total in totals.items()}
