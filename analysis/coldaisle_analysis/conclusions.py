"""What the figures say in plain words, each sentence computed from the numbers it names."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from coldaisle_analysis.describe import Description
from coldaisle_analysis.evaluate import Scored
from coldaisle_analysis.models import BARS, MODELS, RULE, WITH_IDENTITY

NEARLY_ALONE = 0.99
"""AUC from which one column alone gives a kind away (Flood et al. 2024)."""
FEW_EPISODES = 10


@dataclass(frozen=True)
class Sentence:
    """A sentence of the report and where its numbers are.

    Attributes:
        topic: what it is about; sentences of a topic stand together.
        text: plain text.
        figure: anchor of the figure or table it speaks of.
    """

    topic: str
    text: str
    figure: str


def held_out_of(scored: Sequence[Scored]) -> str:
    """Return the honest split of the results: ``day``, ``block``, or empty when there is none."""
    splits = {result.row["split"] for result in scored}
    return next((name for name in ("day", "block") if name in splits), "")


def row_of(scored: Sequence[Scored], level: str, split: str, model: str) -> dict[str, Any] | None:
    """Return the metrics row of a model, ``None`` when it was not played."""
    wanted = (level, split, model)
    found = (one.row for one in scored if (one.row["level"], one.row["split"], one.row["model"]) == wanted)
    return next(found, None)


def best_row(scored: Sequence[Scored], level: str) -> dict[str, Any] | None:
    """Return the row with the best F1 under the honest split, the bars and identity aside."""
    split = held_out_of(scored)
    rows = [one.row for one in scored if one.row["level"] == level and one.row["split"] == split]
    rows = [row for row in rows if row["model"] not in BARS]
    return max(rows, key=lambda row: (row["f1"], row["average_precision"]), default=None)


def conclusions(scored: Sequence[Scored], description: Description, readings: pd.DataFrame) -> list[Sentence]:
    """Return what a reader should take away, in the order of the report's figures."""
    sentences: list[Sentence] = []
    for level in ("packets", "readings"):
        best = best_row(scored, level)
        if best:
            sentences += [
                *_best(best),
                *_over_the_rule(scored, best),
                *_kinds(best),
                *_leak(scored, best),
                *_identity(scored, level),
                *_early(best),
            ]
    sentences += [*_season(description), *_separation(description), *_caveats(scored, readings)]
    topics = list(dict.fromkeys(sentence.topic for sentence in sentences))
    return sorted(sentences, key=lambda sentence: topics.index(sentence.topic))


def _best(row: dict[str, Any]) -> Iterator[Sentence]:
    low, high = row["intervals"]["f1"]
    yield Sentence(
        "Detection",
        f"{row['level'].capitalize()}: with whole {row['split']}s held out {MODELS[row['model']].title} does best, "
        f"F1 {row['f1']:.2f} (95 % interval {low:.2f} to {high:.2f}): it catches {row['recall']:.0%} of the attack "
        f"rows, {row['precision']:.0%} of its alarms are right, and it raises {row['false_alarms_per_day']:.1f} "
        "false alarms a day.",
        "leak",
    )
    if row["f1"] < 0.5:  # noqa: PLR2004 - wrong more often than right
        yield Sentence(
            "Detection",
            f"{row['level'].capitalize()}: that is a poor detector, and no model here does better.",
            "leak",
        )


def _over_the_rule(scored: Sequence[Scored], best: dict[str, Any]) -> Iterator[Sentence]:
    """Say what learning gains over the rule that an operator would write down."""
    rule = row_of(scored, best["level"], best["split"], RULE)
    if rule is None:
        return
    low, _ = best["intervals"]["f1"]
    gain = best["f1"] - rule["f1"]
    verdict = (
        "more than chance explains"
        if low > rule["f1"]
        else "the rule lies within the model's interval, so the gain may be chance"
        if gain > 0
        else "nothing is gained by learning here"
    )
    yield Sentence(
        "Detection",
        f"{best['level'].capitalize()}: the operator's rule, limits on a few columns learned from clean days, reaches F1 "
        f"{rule['f1']:.2f} with {rule['false_alarms_per_day']:.1f} false alarms a day. {MODELS[best['model']].title} gains "
        f"{gain:+.2f}: {verdict}.",
        "leak",
    )


def _leak(scored: Sequence[Scored], best: dict[str, Any]) -> Iterator[Sentence]:
    random = row_of(scored, best["level"], "random", best["model"])
    if random is None:
        return
    gap = random["f1"] - best["f1"]
    verdict = (
        "rows of one episode on both sides of the split make it look better than it is"
        if gap > 0.02  # noqa: PLR2004 - two points of F1
        else "here the random split flatters it little, since each row carries its own evidence"
    )
    yield Sentence(
        "Leaks",
        f"{best['level'].capitalize()}: under random folds the same model scores F1 {random['f1']:.2f} "
        f"({gap:+.2f}): {verdict}.",
        "leak",
    )


def _identity(scored: Sequence[Scored], level: str) -> Iterator[Sentence]:
    split = held_out_of(scored)
    wanted = [
        row_of(scored, level, name, WITH_IDENTITY)
        for name in ("random", "random+identity", split, f"{split}+identity")
    ]
    rows = [row["f1"] for row in wanted if row]
    if len(rows) == len(wanted):
        yield Sentence(
            "Leaks",
            f"{level.capitalize()}: given addresses, ports and the other identity columns, the decision tree goes "
            f"from F1 {rows[0]:.2f} to {rows[1]:.2f} under random folds, and from {rows[2]:.2f} to {rows[3]:.2f} "
            f"with whole {split}s held out. Identity columns are out of all other rows.",
            "leak",
        )


def _kinds(row: dict[str, Any]) -> Iterator[Sentence]:
    recall = row["recall_per_kind"]
    if len(recall) > 1:
        easy, hard = max(recall, key=recall.get), min(recall, key=recall.get)
        silent = (row["level"], hard) == ("packets", "interception") and recall[hard] < 0.2  # noqa: PLR2004 - hardly seen
        remark = (
            " An eavesdropper alters nothing, and the relay's MAC address is an identity column."
            if silent
            else ""
        )
        yield Sentence(
            "Detection",
            f"{row['level'].capitalize()}: {MODELS[row['model']].title} catches {easy} best "
            f"({recall[easy]:.0%} of its rows) and {hard} worst ({recall[hard]:.0%}).{remark}",
            "kinds",
        )


def _early(row: dict[str, Any]) -> Iterator[Sentence]:
    if not row["positive_cases"]:
        return
    best, never = row["erde_5_bounds"]
    caught = f"It catches {row['caught_cases']} of {row['positive_cases']} cases"
    waited = f", half of them {_within(row['seconds_to_detect'])}" if row["caught_cases"] else ""
    yield Sentence(
        "Earliness",
        f"{row['level'].capitalize()}: {MODELS[row['model']].title} has ERDE_5 {row['erde_5']:.3f}, between "
        f"{best:.3f} (perfect) and {never:.3f} (never alarms), and F_latency {row['f_latency']:.2f}. {caught}{waited}.",
        "earliness",
    )


def _within(seconds: float) -> str:
    """Return how long something took as a person says it."""
    if seconds < 0.1:  # noqa: PLR2004 - a tenth of a second
        return "at once"
    if seconds < 120:  # noqa: PLR2004 - up to two minutes in seconds
        return f"within {seconds:.1f} s" if seconds < 10 else f"within {seconds:.0f} s"  # noqa: PLR2004
    return f"within {seconds / 60:.0f} min"


def _season(description: Description) -> Iterator[Sentence]:
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


def _separation(description: Description) -> Iterator[Sentence]:
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


def _caveats(scored: Sequence[Scored], readings: pd.DataFrame) -> Iterator[Sentence]:
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
    yield Sentence(
        "Caveats",
        f"The best of {len(MODELS) - len(BARS)} models is named by the very score it is shown with, so part of its lead is luck: "
        "look at the intervals.",
        "leak",
    )
    capped = int(np.max([s.row["train_rows"] for s in scored]))
    yield Sentence(
        "Caveats",
        f"Models learn from at most {capped:,} rows a fold, the slow ones from fewer, as the table says: the attacks (a "
        "draw of them where they would fill more than half) and a draw of the other rows. Their ranks might change with more.",
        "models",
    )
