"""Text of a column as numbers: decimal, hexadecimal, with commas; and codes for what is no number."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.arrays import Floats, Mask
from coldaisle_analysis.audit.foreign.layout import MISSING

_HALF = 0.5
"""From this share of numbers on a column is numeric with some texts, below it is text with some numbers."""
_HEXADECIMAL = re.compile(r"[-+]?0[xX][0-9a-fA-F]{1,16}")
_COMMA = re.compile(r"[-+]?\d+(?:\.\d{3})*,\d*(?:[eE][-+]?\d+)?|[-+]?\d{1,3}(?:,\d{3})+(?:\.\d*)?")
_GROUPS = re.compile(r"[-+]?[1-9]\d{0,2}(?:,\d{3})+(?:\.\d*)?")
_POINT_GROUPS = re.compile(r"[-+]?\d{1,3}(?:\.\d{3})+,\d*")
_MISSING = frozenset(text.lower() for text in MISSING)

Texts = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Encoded:
    """A column of text as numbers.

    Attributes:
        numbers: the number of each row; NaN where a number is missing.
        texts: the text behind each number that is a code.
        form: what the column holds, for a sentence.
    """

    numbers: Floats
    texts: Mapping[float, str] = field(default_factory=dict)
    form: str = "text"

    @property
    def is_text(self) -> bool:
        """Whether every number is a code."""
        return self.form == "text"


def encoded(column: pd.Series) -> Encoded:
    """Return a column of text as numbers.

    A text that is no number becomes a code by alphabetical order. Where most values are numbers, codes lie below all numbers.
    """
    codes, distinct = pd.factorize(column)
    texts = np.array([bare(text) for text in distinct], dtype=object)
    counts = np.bincount(codes[codes >= 0], minlength=len(texts))
    missing = np.array([text.lower() in _MISSING for text in texts], bool)
    values, form = _numbers(texts, missing)
    numeric = ~np.isnan(values)
    if counts[numeric].sum() < _HALF * counts[~missing].sum() or not numeric.any():
        names, places = np.unique(np.append(texts, "").astype(str), return_inverse=True)
        return Encoded(
            places.astype(np.float64)[codes], {float(place): str(name) for place, name in enumerate(names)}
        )
    odd = ~numeric & ~missing
    if not odd.any():
        return Encoded(np.append(values, np.nan)[codes], {}, form)
    finite = values[np.isfinite(values)]
    below = min(0.0, float(np.floor(finite.min(initial=0.0)))) - 1
    names, places = np.unique(texts[odd].astype(str), return_inverse=True)
    values[odd] = below - places
    texts_of = {below - place: str(name) for place, name in enumerate(names)}
    return Encoded(np.append(values, np.nan)[codes], texts_of, "numbers and text")


def bare(value: object) -> str:
    """Return a value as text without blanks or a pair of quotation marks around it."""
    text = str(value).strip()
    return text[1:-1].strip() if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text


def _numbers(texts: Texts, missing: Mask) -> tuple[Floats, str]:
    """Return the number of each text, NaN where there is none, and what form the numbers have."""
    series = pd.Series(texts, dtype=object).where(~missing)
    values = np.array(pd.to_numeric(series, errors="coerce"), np.float64)
    form = "numbers"
    left = np.flatnonzero(np.isnan(values) & ~missing)
    hexadecimal = [at for at in left if _HEXADECIMAL.fullmatch(texts[at])]
    if hexadecimal:
        values[hexadecimal] = [float(int(texts[at], 16)) for at in hexadecimal]
        form = "hexadecimal numbers"
    with_comma = [at for at in left if _COMMA.fullmatch(texts[at])]
    if with_comma:
        in_groups = all(_GROUPS.fullmatch(texts[at]) for at in with_comma)
        points = any(_POINT_GROUPS.fullmatch(texts[at]) for at in with_comma)
        values[with_comma] = [_with_comma(texts[at], in_groups) for at in with_comma]
        form = "numbers with commas between thousands" if in_groups else "numbers with decimal commas"
        if points:
            whole = [
                at for at, text in enumerate(texts) if "." in text and "," not in text and not missing[at]
            ]
            values[whole] = [
                values[at] if np.isnan(values[at]) else float(texts[at].replace(".", "")) for at in whole
            ]
    return values, form


def _with_comma(text: str, in_groups: bool) -> float:
    """Return a number that has commas between thousands, or a decimal comma with points between thousands."""
    try:
        return float(text.replace(",", "") if in_groups else text.replace(".", "").replace(",", "."))
    except ValueError:
        return float("nan")
