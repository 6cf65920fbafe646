"""Columns of a table as numbers: their order, their spread, and hashes of whole rows."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.arrays import Floats

MISSING = -1e18
"""The number for a missing value where values are ordered: less than any other."""
_ENDLESS, ENOUGH = 1e300, 1e100
"""The number for an infinite value where values are ordered, and the limit where they are multiplied."""
_ODD = 0x9E37_79B9_7F4A_7C15


def as_numbers(column: pd.Series) -> Floats:
    """Return a column as numbers, see :meth:`Subject.numbers <coldaisle_analysis.audit.subject.Subject.numbers>`."""
    kind = column.dtype
    if isinstance(kind, np.dtype | pd.DatetimeTZDtype) and kind.kind == "M":
        return np.asarray(column.astype("int64"), np.float64)
    if isinstance(kind, np.dtype) and kind.kind in "iub":
        return np.array(column, np.float64)
    if isinstance(kind, np.dtype) and kind.kind == "f":
        numbers = np.array(column, np.float64)
        np.nan_to_num(numbers, copy=False, nan=MISSING, posinf=_ENDLESS, neginf=-_ENDLESS)
        return numbers
    if pd.api.types.is_numeric_dtype(kind):
        numbers = np.asarray(column.astype("Float64").fillna(MISSING), np.float64)
        return np.nan_to_num(numbers, nan=MISSING, posinf=_ENDLESS, neginf=-_ENDLESS)
    codes = np.asarray(pd.factorize(column)[0], np.float64)
    return np.where(codes < 0, MISSING, codes)


def middle_and_spread(values: Floats) -> tuple[float, float]:
    """Return the median of a column and the distance from its 5 % to its 95 % quantile; where this is 0, its standard deviation, or 1."""
    present = values[~np.isnan(values)] if values.dtype.kind == "f" else values
    if not len(present):
        return 0.0, 1.0
    places = [int(share * (len(present) - 1)) for share in (0.05, 0.5, 0.95)]
    low, middle, high = np.partition(present, places)[places]
    with np.errstate(all="ignore"):
        spread = high - low if high > low else np.std(np.where(np.isnan(values), middle, values))
    return float(middle), float(spread) if spread > 0 else 1.0


def fingerprints(values: Iterable[Floats], rows: int) -> npt.NDArray[np.uint64]:
    """Return a hash of each row, shape (rows,); equal rows have equal hashes, missing values included.

    Args:
        values: the columns, each of shape (rows,).
        rows: number of rows.
    """
    mixed = np.zeros(rows, np.uint64)
    for column in values:
        filled = np.where(np.isnan(column), np.pi, column) if column.dtype.kind == "f" else column
        mixed ^= (filled + 0.0).view(np.uint64)  # 0.0 makes one zero of two
        mixed *= np.uint64(_ODD)
        mixed ^= mixed >> np.uint64(29)
    return mixed
