"""The earliness of detection for a chain of attacks as one incident: at which of its steps it is detected, and after what time."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd
from typing_extensions import TypedDict  # pydantic takes typing's own from Python 3.12 on

from coldaisle_analysis.arrays import Ints, Mask
from coldaisle_analysis.earliness.per_kind import Number
from coldaisle_contracts.clock import SECOND


class ChainEarliness(TypedDict):
    """Earliness of detection for a chain of attacks as one incident.

    Attributes:
        steps: steps of the chain that have an attack row of a stream among those tested; questions by ARP belong to no stream.
        steps_caught: steps with an alarming attack row.
        step: the first of these, counted in the whole chain from 1; NaN without any.
        seconds: time from the chain's first attack row to its first alarm, in s; NaN without any.
        lasts_s: time from the chain's first attack row to its last, in s.
    """

    steps: int
    steps_caught: int
    step: Number
    seconds: Number
    lasts_s: float


@dataclass(frozen=True)
class Chains:
    """The chains that the rows of a level belong to.

    Attributes:
        names: their names.
        chain: code of the chain of each row, its place in ``names``; -1 outside, shape (rows,).
        step: number of the step, from 1; 0 outside, shape (rows,).
        time_ns: time of each row, in ns since the epoch, shape (rows,).
        known_ns: when each row could be scored, in ns since the epoch, shape (rows,).
    """

    names: tuple[str, ...]
    chain: Ints
    step: Ints
    time_ns: Ints
    known_ns: Ints

    @classmethod
    def of(cls, frame: pd.DataFrame, known_ns: Ints) -> Self | None:
        """Return the chains of a level; ``None`` where it has no columns ``chain`` and ``step``.

        Args:
            frame: the rows of the level.
            known_ns: when each row could be scored, in ns since the epoch.
        """
        if "chain" not in frame:
            return None
        codes, names = pd.factorize(frame["chain"].astype("object"), sort=True)
        return cls(
            tuple(map(str, names)),
            codes.astype(np.int64),
            frame["step"].fillna(0).to_numpy(np.int64),
            np.asarray(frame["time"].astype("datetime64[ns, UTC]").astype("int64"), dtype=np.int64),
            known_ns,
        )


def earliness_per_chain(chains: Chains, attack: Mask, alarms: Mask) -> dict[str, ChainEarliness]:
    """Return the earliness of detection by name of the chain; a chain without an attack row is left out.

    Only alarms on attack rows of the chain count. An alarm may hit one of them by chance: read the result with the false alarms per day.

    Args:
        chains: the chains of n rows.
        attack: the attack rows among those tested, shape (n,).
        alarms: which rows alarm, shape (n,).
    """
    return {
        name: _of_chain(chains, rows, alarms)
        for code, name in enumerate(chains.names)
        if (rows := attack & (chains.chain == code)).any()
    }


def _of_chain(chains: Chains, rows: Mask, alarms: Mask) -> ChainEarliness:
    onset, caught = int(chains.time_ns[rows].min()), rows & alarms
    first = np.flatnonzero(caught)[chains.known_ns[caught].argmin()] if caught.any() else -1
    return ChainEarliness(
        steps=len(np.unique(chains.step[rows])),
        steps_caught=len(np.unique(chains.step[caught])),
        step=float(chains.step[first]) if caught.any() else float("nan"),
        seconds=(int(chains.known_ns[first]) - onset) / SECOND if caught.any() else float("nan"),
        lasts_s=(int(chains.time_ns[rows].max()) - onset) / SECOND,
    )
