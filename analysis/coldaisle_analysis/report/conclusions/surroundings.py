"""Sentences on the traffic, and on what the scores hang on."""

from collections.abc import Iterator, Sequence

import pandas as pd

from coldaisle_analysis.evaluation.metrics import Scored
from coldaisle_analysis.models import BASELINES, EVERY_ROW, MODELS
from coldaisle_analysis.report.conclusions.sentence import Sentence
from coldaisle_analysis.report.lookup import held_out_of
from coldaisle_analysis.report.statistics import Description

NEARLY_ALONE = 0.99
"""AUC from which one column alone gives a kind away (Flood et al. 2024)."""
FEW_EPISODES = 10


def season(description: Description) -> Iterator[Sentence]:
    """Say how strong the daily season is, beside chance."""
    table = description.seasonality.dropna()
    if len(table):
        daily, chance = table["daily"].median(), table["chance"].median()
        over = int((table["daily"] > table["chance"].max()).sum())
        yield Sentence(
            "Statistics",
            f"The daily season has a median strength of {daily:.2f} over {len(table)} sensors; days turned at random "
            f"still show {chance:.2f}. {over} of {len(table)} sensors exceed anything chance gave.",
            "seasons",
        )


def separation(description: Description) -> Iterator[Sentence]:
    """Say which column tells most alone."""
    table = description.separation
    if table.empty:
        return
    table = table.assign(apart=(table["auc"] - 0.5).abs() + 0.5)
    for level, own in table.groupby("level", sort=False):
        row = own.sort_values(["apart", "auc"]).iloc[-1]
        alone = own[own["apart"] >= NEARLY_ALONE]
        remark = (
            f" A single column nearly gives away: {', '.join(sorted(set(alone['kind'])))}."
            if len(alone)
            else " No column gives a kind away alone."
        )
        yield Sentence(
            "Statistics",
            f"{str(level).capitalize()}: the column that tells most alone is {row['column']}, for {row['kind']} "
            f"(AUC {row['apart']:.2f}).{remark}",
            "separation",
        )


def caveats(scored: Sequence[Scored], readings: pd.DataFrame) -> Iterator[Sentence]:
    """Say what the scores hang on."""
    if not scored:
        return
    episodes = int(readings.loc[readings["episode"] != "", "episode"].nunique())
    if held_out_of(scored) == "block":
        yield Sentence(
            "Caveats",
            "All rows lie in one day, so blocks of consecutive time stand in for held-out days.",
            "models",
        )
    if episodes < FEW_EPISODES:
        yield Sentence(
            "Caveats",
            f"There are only {episodes} episodes: the intervals are wide, and each score hangs on few.",
            "models",
        )
    rates = " and ".join(
        f"{one['attack_rows'] / one['rows']:.2%} of {one['level']}"
        for level in ("packets", "readings")
        if (one := next((s.row for s in scored if s.row["level"] == level), None))
    )
    yield Sentence(
        "Caveats",
        f"Attacks are {rates}. Another base rate, another network or another attacker changes precision most.",
        "models",
    )
    models = [model for name, model in MODELS.items() if name not in BASELINES]
    yield Sentence(
        "Caveats",
        f"The best of {len(models)} models is named by the very score it is shown with, so part of its lead is luck: "
        "look at the intervals.",
        "leak",
    )
    every = sum(model.most_rows == EVERY_ROW for model in models)
    capped = max(model.most_rows for model in models if model.most_rows < EVERY_ROW)
    yield Sentence(
        "Caveats",
        f"The rule and {every} models learn from every row, the others from at most {capped:,} a fold, the slow ones from fewer, as the table says: "
        "the attacks (a draw of them where they would fill more than half) and a draw of the other rows. Their ranks might change with more.",
        "models",
    )
