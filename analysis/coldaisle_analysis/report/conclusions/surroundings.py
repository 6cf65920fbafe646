"""Sentences on the traffic, and on the limits of the scores."""

from collections.abc import Iterator, Mapping, Sequence

import pandas as pd

from coldaisle_analysis.audit import Result, scorecard
from coldaisle_analysis.evaluation.metrics import MetricsRow, Scored
from coldaisle_analysis.models import BASELINES, MODELS
from coldaisle_analysis.models.model import EVERY_ROW
from coldaisle_analysis.report.conclusions.sentence import TRUST, Sentence
from coldaisle_analysis.report.kinds import Reach
from coldaisle_analysis.report.lookup import first_case, grouped_split
from coldaisle_analysis.report.statistics import Description

NEARLY_ALONE = 0.99
"""AUC from which one column alone identifies a kind (Flood et al. 2024)."""
FEW_EPISODES = 10


def season(description: Description) -> Iterator[Sentence]:
    """Yield the strength of the daily season, compared with chance."""
    table = description.seasonality.dropna()
    if len(table):
        daily, chance = table["daily"].median(), table["chance"].median()
        over = int((table["daily"] > table["chance"].max()).sum())
        yield Sentence(
            "Statistics",
            f"The daily season has a median strength of {daily:.2f} over {len(table)} sensors. With days shifted at random it is "
            f"{chance:.2f}. {over} of {len(table)} sensors exceed every value that chance gave.",
            "seasons",
        )


def separation(description: Description) -> Iterator[Sentence]:
    """Yield the single column of each level that separates a kind best."""
    table = description.separation
    if table.empty:
        return
    table = table.assign(apart=(table["auc"] - 0.5).abs() + 0.5)
    for level, rows in table.groupby("level", sort=False):
        best = rows.sort_values(["apart", "auc"]).iloc[-1]
        kinds = sorted(set(rows.loc[rows["apart"] >= NEARLY_ALONE, "kind"]))
        remark = "No column alone identifies a kind."
        if kinds:
            remark = f"One column alone nearly identifies these kinds: {', '.join(kinds)}."
        yield Sentence(
            "Statistics",
            f"{str(level).capitalize()}: the column {best['column']} separates best, {best['kind']} from normal traffic "
            f"(AUC {best['apart']:.2f}). {remark}",
            "separation",
        )


def trust(
    scored: Sequence[Scored],
    readings: pd.DataFrame,
    reached: Mapping[str, Sequence[Reach]],
    bests: Sequence[MetricsRow],
) -> Iterator[Sentence]:
    """Yield the limits of the scores: few episodes, a choice by the score itself, the base rate."""
    if not scored:
        return
    if grouped_split(scored) == "block":
        text = "All rows are of one day, so blocks of consecutive time are held out instead of days."
        yield Sentence(TRUST, text, "models")
    episodes = int(readings.loc[readings["episode"] != "", "episode"].nunique())
    if episodes < FEW_EPISODES:
        count = f"are only {episodes} episodes" if episodes != 1 else "is only one episode"
        text = f"There {count}: the intervals are wide, and each score depends on few."
        yield Sentence(TRUST, text, "models")
    pairs = [(row["level"], pair[1]) for row in bests if (pair := first_case(row))]
    if pairs:
        text = " and ".join(f"{metrics['1 a day']['episodes']} on {level}" for level, metrics in pairs)
        single, kinds = single_episodes(reached)
        if single:
            text += f"; {single} of {kinds} kinds have one episode, so no model is trained on them when they are tested"
        yield Sentence(TRUST, f"Attack episodes behind the scores: {text}.", "reach")
    text = f"The best of {len(MODELS) - len(BASELINES)} models is chosen by the score that is shown, so part of its lead is luck: look at the intervals."
    yield Sentence(TRUST, text, "leak")
    rates = " and ".join(f"{row['attack_rows'] / row['rows']:.2%} of {row['level']}" for row in bests)
    text = f"Attacks are {rates}. With another base rate, network or attacker, precision changes most."
    yield Sentence(TRUST, text, "models")


def single_episodes(reached: Mapping[str, Sequence[Reach]]) -> tuple[int, int]:
    """Return the number of kinds with a single episode, and of all kinds."""
    episodes: dict[str, int] = {}
    for reach in (reach for kinds in reached.values() for reach in kinds):
        episodes[reach.kind] = max(episodes.get(reach.kind, 0), reach.episodes)
    return sum(count == 1 for count in episodes.values()), len(episodes)


def audited(results: Sequence[Result]) -> Sentence:
    """Return the outcome of the audit in numbers of checks."""
    ok, look, bad, absent = scorecard.counts(results).values()
    text = f"Audit of the data: {ok} checks are ok, {look} ask for a look, {bad} are bad, and {absent} could not be made."
    return Sentence(TRUST, text, "audit")


def training_rows(scored: Sequence[Scored]) -> Iterator[Sentence]:
    """Yield the number of rows that models are trained on."""
    if scored:
        models = [model for name, model in MODELS.items() if name not in BASELINES]
        unlimited = sum(model.most_rows == EVERY_ROW for model in models)
        most = max(model.most_rows for model in models if model.most_rows < EVERY_ROW)
        yield Sentence(
            "Training rows",
            f"The rule and {unlimited} models learn from every row, the others from at most {most:,} rows a fold, and slow models from fewer "
            "(see the tables). These rows are all attack rows (or a draw of them, if they would fill more than half) and a draw of the others. "
            "With more rows the ranks of the models might change.",
            "models",
        )
