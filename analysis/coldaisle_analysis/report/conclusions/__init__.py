"""What the figures say in plain words, each sentence computed from the numbers it names."""

from collections.abc import Mapping, Sequence

import pandas as pd

from coldaisle_analysis.evaluation.metrics import Scored
from coldaisle_analysis.report.conclusions import advice, detection, leaks, surroundings
from coldaisle_analysis.report.conclusions.sentence import Sentence
from coldaisle_analysis.report.kinds import Reach
from coldaisle_analysis.report.lookup import LEVELS, best_row
from coldaisle_analysis.report.statistics import Description

__all__ = ["Sentence", "conclusions"]


def conclusions(
    scored: Sequence[Scored],
    description: Description,
    readings: pd.DataFrame,
    reached: Mapping[str, Sequence[Reach]],
) -> list[Sentence]:
    """Return what a reader should take away, topic by topic.

    Args:
        scored: what was scored.
        description: of the traffic.
        readings: level ``readings``.
        reached: by level how far detection reaches, kind by kind.
    """
    bests = [best for level in LEVELS if (best := best_row(scored, level))]
    return [
        *(sentence for best in bests for sentence in detection.found(scored, best)),
        *detection.kinds(reached),
        *detection.early(bests),
        *leaks.leaks(scored, bests),
        *advice.operator(scored, reached),
        *advice.author(scored, reached, bests),
        *surroundings.season(description),
        *surroundings.separation(description),
        *surroundings.caveats(scored, readings),
    ]
