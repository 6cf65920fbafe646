"""Numbers of a comparison as a reader wants them: times in ms, distances of times as factors, shares in percent."""

import math

from coldaisle_analysis.fidelity.distances import Compared
from coldaisle_analysis.fidelity.measures import Measure

ABSENT = "\N{EN DASH}"
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"))


def apart(measure: Measure, distance: float) -> str:
    """Return a shift of a measure: a factor for logarithms of times, points of a percent for mixes, else with its unit."""
    if not math.isfinite(distance):
        return ABSENT
    if measure.unit == "decades":
        return f"\N{MULTIPLICATION SIGN}{10**distance:.3g}"
    if measure.is_mix:
        return f"{distance:.1%}"
    return f"{distance:.3g}" + (f" {measure.unit}" if measure.unit != "1" else "")


def share(value: float) -> str:
    """Return a number between 0 and 1, or a dash for none."""
    return f"{value:.2f}" if math.isfinite(value) else ABSENT


def middle(row: Compared, side: dict[str, float], most: int | None = None) -> str:
    """Return the middle of one side: the median, or the share of each class that differs most, ``most`` of them."""
    if not side:
        return ABSENT
    if row.measure.is_mix:
        return ", ".join(f"{value:.1%} {word}" for word, value in list(side.items())[:most])
    return value_of(row.measure, side["50%"])


def value_of(measure: Measure, value: float) -> str:
    """Return a value of a measure with its unit."""
    if measure.unit == "decades":
        return duration(10**value)
    return f"{value:,.6g}" + (f" {measure.unit}" if measure.unit != "1" else "")


def duration(seconds: float) -> str:
    """Return a time with three digits in s, ms or µs."""
    size, unit = next(((size, unit) for size, unit in _UNITS if seconds >= size), _UNITS[-1])
    return f"{seconds / size:.3g} {unit}"
