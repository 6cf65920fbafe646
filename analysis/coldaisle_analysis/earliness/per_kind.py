"""The earliness of detection for each kind of attack."""

from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import WithJsonSchema
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from coldaisle_analysis.earliness.outcomes import Outcomes

Number = Annotated[float, WithJsonSchema({"type": ["number", "null"]})]
"""A number that may not exist: NaN in memory, ``null`` in a file."""


class KindEarliness(TypedDict):
    """Earliness of detection for one kind of attack.

    Attributes:
        cases: positive cases of the kind.
        caught: positive cases that were caught.
        items: median item of the alarm over caught cases, counted from 1; NaN without any.
        seconds: median time from onset to alarm over caught cases, in s; NaN without any.
    """

    cases: int
    caught: int
    items: Number
    seconds: Number


def earliness_per_kind(outcomes: Outcomes, kinds: npt.NDArray[np.str_]) -> dict[str, KindEarliness]:
    """Return the earliness of detection by kind of attack; clean windows are left out.

    Args:
        outcomes: the outcomes of n cases.
        kinds: kind of attack of each positive case, see :attr:`cases.Cases.kinds`, shape (n,).
    """
    return {str(kind): _of_kind(outcomes, kinds == kind) for kind in np.unique(kinds[outcomes.attacked])}


def _of_kind(outcomes: Outcomes, of_kind: npt.NDArray[np.bool_]) -> KindEarliness:
    caught = outcomes.caught & of_kind
    return KindEarliness(
        cases=int((outcomes.attacked & of_kind).sum()),
        caught=int(caught.sum()),
        items=float(np.median(outcomes.alarm[caught])) if caught.any() else float("nan"),
        seconds=float(np.median(outcomes.seconds[caught])) if caught.any() else float("nan"),
    )
