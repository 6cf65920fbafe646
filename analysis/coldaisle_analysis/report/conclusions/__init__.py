"""The conclusions of the report: sentences in plain words, each computed from the numbers it names."""

from collections.abc import Mapping, Sequence

import pandas as pd

from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.evaluation.metrics import Scored
from coldaisle_analysis.report.conclusions import advice, detection, leaks, surroundings
from coldaisle_analysis.report.conclusions.sentence import ANSWERS, Sentence
from coldaisle_analysis.report.kinds import Reach
from coldaisle_analysis.report.lookup import best_row
from coldaisle_analysis.report.statistics import Description

__all__ = ["ANSWERS", "Sentence", "conclusions"]


def conclusions(
    scored: Sequence[Scored],
    description: Description,
    readings: pd.DataFrame,
    reached: Mapping[str, Sequence[Reach]],
) -> list[Sentence]:
    """Return the sentences of the first screen, then those of the other topics.

    Args:
        scored: the results.
        description: statistics of the traffic.
        readings: level ``readings``.
        reached: by level the reach of detection, kind by kind.
    """
    bests = [best for level in LEARNED if (best := best_row(scored, level))]
    return [
        *(detection.answer(best) for best in bests),
        *detection.missed(reached),
        *surroundings.trust(scored, readings, reached, bests),
        *(sentence for best in bests for sentence in detection.details(scored, best)),
        *detection.early(bests),
        *leaks.leaks(scored, bests),
        *advice.operator(scored, reached),
        *advice.author(scored, reached, bests),
        *surroundings.season(description),
        *surroundings.separation(description),
        *surroundings.training_rows(scored),
    ]
