"""The columns ``chain`` and ``step``: which step of which chain the episode of a row is. Only a run with a chain has them."""

from collections.abc import Mapping

import pandas as pd

from coldaisle_analysis.columns import CHAINED

Steps = Mapping[str, tuple[str, int]]
"""The name of the chain and the step, from 1, by the id of an episode."""


def with_steps(rows: pd.DataFrame, steps: Steps) -> pd.DataFrame:
    """Return the rows of a level with the columns :data:`~coldaisle_analysis.columns.CHAINED`; without steps, the rows themselves.

    Args:
        rows: a level with its column ``episode``.
        steps: the steps of the run's chains.
    """
    if not steps:
        return rows
    episode = rows["episode"].astype("object")
    columns = {
        column.name: episode.map({name: step[place] for name, step in steps.items()})
        for place, column in enumerate(CHAINED)
    }
    return rows.assign(**columns).astype({column.name: column.dtype for column in CHAINED})


def steps_of(rows: pd.DataFrame) -> dict[str, tuple[str, int]]:
    """Return the steps that the rows of a level name; none where it has no such columns."""
    if "chain" not in rows:
        return {}
    steps = rows.loc[rows["chain"].notna(), ["episode", "chain", "step"]].drop_duplicates()
    return {str(episode): (str(chain), int(step)) for episode, chain, step in steps.itertuples(index=False)}
