"""Which classes of a label column are no attack: by their names, or as the user says."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from coldaisle_analysis.arrays import Mask
from coldaisle_analysis.audit.foreign.values import bare
from coldaisle_analysis.class_names import ATTACKED, is_benign
from coldaisle_contracts.errors import InputError

_MOST = 40
"""The most classes that a sentence lists."""


@dataclass(frozen=True)
class Classes:
    """The classes of a table's rows.

    Attributes:
        names: the classes, in alphabetical order.
        codes: the class of each row, shape (rows,).
        benign: which classes are no attack.
    """

    names: Sequence[str]
    codes: npt.NDArray[np.intp]
    benign: Mask

    @property
    def attack(self) -> Mask:
        """Which rows are attacks, shape (rows,)."""
        return ~self.benign[self.codes]

    @property
    def are_generic(self) -> bool:
        """Whether no class says which attack it is."""
        return all(
            benign or name.lower() in ATTACKED for name, benign in zip(self.names, self.benign, strict=True)
        )

    def sentence(self, column: str) -> str:
        """Return how many rows are no attack, and which classes these are."""
        counts = np.bincount(self.codes, minlength=len(self.names))
        rows = int(counts[self.benign].sum())
        names = [name or "(empty)" for name in self.names]
        benign = (
            _listed([name for name, is_benign in zip(names, self.benign, strict=True) if is_benign])
            or "no class"
        )
        attacks = (
            _listed([name for name, is_benign in zip(names, self.benign, strict=True) if not is_benign])
            or "no class"
        )
        return f"{column}: {benign} counts as no attack ({rows:,} of {len(self.codes):,} rows), {attacks} as attack."


def classes_of(column: pd.Series, place: str, benign: Sequence[str] = ()) -> Classes:
    """Return the classes of a label column.

    Args:
        column: the labels.
        place: the table and the column, for sentences.
        benign: classes that are no attack, beside those of :data:`~coldaisle_analysis.class_names.BENIGN`.

    Raises:
        InputError: if no class is known to be no attack, or a name in ``benign`` is no class.
    """
    codes, distinct = pd.factorize(column)
    texts = np.array([*(_class(value) for value in distinct), ""], dtype=object)
    names, places = np.unique(texts.astype(str), return_inverse=True)
    rows = places[codes]
    if names[0] == "" and not (rows == 0).any():
        names, rows = names[1:], rows - 1
    asked = {_class(name).lower() for name in benign}
    absent = sorted(asked - {name.lower() for name in names.tolist()})
    if absent:
        raise InputError(
            "--benign", f"is no class of {place}: name one of {_listed(names.tolist())}", absent[0]
        )
    mask = np.array([name.lower() in asked or is_benign(name) for name in names.tolist()], bool)
    if not mask.any() and not all(name.lower() in ATTACKED for name in names.tolist()):
        remedy = f"has no class that is known to be no attack: name those that are none with --benign NAME; there are {_listed(names.tolist())}"
        raise InputError(place, remedy)
    return Classes(names.tolist(), rows, mask)


def _class(value: object) -> str:
    """Return a label as the name of its class: without blanks around it, 0 for 0.0."""
    text = bare(value)
    return re.sub(r"^([-+]?\d+)\.0*$", r"\1", text) if text.lower() not in {"nan", "<na>"} else ""


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST} more" if len(names) > _MOST else ""
    return ", ".join((name or "(empty)")[:60] for name in names[:_MOST]) + more
