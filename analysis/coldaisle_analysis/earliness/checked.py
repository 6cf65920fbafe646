"""Checks of the arrays that callers pass: a refusal is one sentence with the argument, the value and the remedy."""

from datetime import date
from numbers import Real
from typing import Any

import numpy as np
import numpy.typing as npt

from coldaisle_analysis.arrays import Floats, Ints, Mask

NS = 1_000_000_000
"""Nanoseconds in a second."""


def flat(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return values as an array of one dimension, shape (n,).

    Raises:
        ValueError: if they have another shape.
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise ValueError(f"{name} has shape {array.shape}: give one value after another, shape (n,)")
    return array


def flags(name: str, values: npt.ArrayLike) -> Mask:
    """Return booleans, or numbers that are 0 or 1, as booleans, shape (n,).

    Raises:
        ValueError: if there is another value.
    """
    array = flat(name, values)
    if array.dtype == np.bool_ or not array.size:
        return array.astype(np.bool_, copy=False)
    if array.dtype.kind in "iuf":
        wrong = np.flatnonzero((array != 0) & (array != 1))
    else:  # values of any type, which need not know how to be compared
        wrong = np.flatnonzero(
            [not (isinstance(value, Real) and value in {0, 1}) for value in array.tolist()]
        )
    if wrong.size:
        raise ValueError(f"{name}[{wrong[0]}] is {_shown(array[wrong[0]])}: give True or False, or 1 or 0")
    return array.astype(np.bool_)


def floats(name: str, values: npt.ArrayLike) -> Floats:
    """Return numbers, shape (n,); NaN stands for a missing one.

    Raises:
        ValueError: if a value is no number.
    """
    try:
        return flat(name, values).astype(np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} has a value that is no number ({error}): give finite numbers") from error


def numbers(name: str, values: npt.ArrayLike) -> Floats:
    """Return finite numbers, shape (n,).

    Raises:
        ValueError: if a value is no number or not finite.
    """
    array = floats(name, flat(name, values))
    wrong = np.flatnonzero(~np.isfinite(array))
    if wrong.size:
        raise ValueError(f"{name}[{wrong[0]}] is {_shown(array[wrong[0]])}: give finite numbers")
    return array


def counts(name: str, values: npt.ArrayLike, least: int) -> Ints:
    """Return whole numbers from ``least`` on, shape (n,).

    Raises:
        ValueError: if a number is less or not whole.
    """
    array = flat(name, values)
    if array.dtype.kind != "i":
        array = numbers(name, array)
    wrong = (array < least) | (array % 1 != 0) if array.dtype.kind == "f" else array < least
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(f"{name}[{place}] is {_shown(array[place])}: give whole numbers from {least} on")
    return array.astype(np.int64, copy=False)


def codes(name: str, values: npt.ArrayLike) -> Ints:
    """Return a number for each distinct value, such as a name, shape (n,).

    Raises:
        ValueError: if values cannot be compared with each other.
    """
    array = flat(name, values)
    try:
        return np.unique(array, return_inverse=True)[1].astype(np.int64)
    except TypeError as error:
        raise ValueError(f"{name} mixes types ({error}): give names alone, or numbers alone") from error


def same_length(**arrays: npt.NDArray[Any]) -> None:
    """Refuse arrays of different lengths.

    Raises:
        ValueError: with the length of each.
    """
    if len({len(array) for array in arrays.values()}) > 1:
        lengths = ", ".join(f"{name} {len(array)}" for name, array in arrays.items())
        raise ValueError(f"the arrays have different lengths ({lengths}): give one value of each per row")


def number(name: str, value: float, least: float = -np.inf) -> float:
    """Return a finite number from ``least`` on.

    Raises:
        ValueError: if it is something else.
    """
    if not (isinstance(value, (Real, np.bool_)) and np.isfinite(float(value)) and value >= least):
        bound = "" if least == -np.inf else f" from {least:g} on"
        raise ValueError(f"{name} is {_shown(value)}: give a finite number{bound}")
    return float(value)


def positive(name: str, value: float) -> float:
    """Return a finite number above 0.

    Raises:
        ValueError: if it is something else.
    """
    if not (isinstance(value, Real) and np.isfinite(float(value)) and value > 0):
        raise ValueError(f"{name} is {_shown(value)}: give a finite number above 0")
    return float(value)


def ticks(**arrays: npt.ArrayLike) -> tuple[list[npt.NDArray[Any]], int]:
    """Return times on one axis, and how many ticks of it are one unit of the caller.

    Dates become whole ns, so 10⁹ ticks are one second. Numbers are in the caller's own unit; they stay whole if all are.

    Raises:
        ValueError: if a time is missing or no time, or if dates and numbers are mixed.
    """
    read = {name: _ticks(name, values) for name, values in arrays.items()}
    kinds = {array.dtype.kind: name for name, array in read.items() if array.size}
    if "M" in kinds and len(kinds) > 1:
        number = next(name for kind, name in kinds.items() if kind != "M")
        raise ValueError(
            f"{kinds['M']} are dates and {number} are numbers: give both as dates or both as numbers"
        )
    dtype = np.float64 if "f" in kinds else np.int64
    return [array.astype(dtype) for array in read.values()], NS if "M" in kinds else 1


def offset(value: float, unit: int) -> float:
    """Return a duration in ticks, whole where it can be, so that it is compared exactly with whole ticks."""
    whole = round(value * unit)
    return whole if unit != 1 or whole == value else value


def _ticks(name: str, values: npt.ArrayLike) -> npt.NDArray[Any]:
    """Return dates as ``datetime64[ns]``, whole numbers as they are, other numbers as floating-point numbers."""
    array = flat(name, values)
    if array.dtype == np.object_ and any(isinstance(value, date) for value in array):
        array = _dates(name, array)
    if array.dtype.kind == "M":
        missing = np.flatnonzero(np.isnat(array))
        if missing.size:
            raise ValueError(f"{name}[{missing[0]}] is no time (NaT): leave rows without a time out")
        return array.astype("datetime64[ns]")
    return array if array.dtype.kind in "iu" and array.dtype != np.uint64 else numbers(name, array)


def _dates(name: str, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return dates of Python or pandas, all with a time zone or all without one, as ``datetime64``."""
    missing = [at for at, value in enumerate(values) if not isinstance(value, date) or value != value]  # noqa: PLR0124 - NaT
    if missing:
        raise ValueError(
            f"{name}[{missing[0]}] is no time ({values[missing[0]]}): leave rows without a time out"
        )
    zoned = [getattr(value, "tzinfo", None) is not None for value in values]
    if any(zoned) != all(zoned):
        raise ValueError(
            f"{name} has dates with and without a time zone: give all dates with one, or all without"
        )
    if not all(zoned):
        return values.astype("datetime64[us]")
    return np.array([value.timestamp() * 1e6 for value in values]).round().astype("datetime64[us]")


def _shown(value: Any) -> str:
    """Return a value as a sentence shows it."""
    return repr(value.item() if isinstance(value, np.generic) else value)
