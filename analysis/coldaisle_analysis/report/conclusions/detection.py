"""Sentences on the attacks that are detected, the time it takes, the false alarms, and the kinds that are missed."""

from collections.abc import Iterator, Mapping, Sequence
from math import isnan

from coldaisle_analysis.evaluation.metrics import MetricsRow, Scored
from coldaisle_analysis.evaluation.splits import OTHER_RUNS
from coldaisle_analysis.models import BASELINES, MODELS, RULE
from coldaisle_analysis.report.conclusions.sentence import FOUND, MISSED, Sentence, within
from coldaisle_analysis.report.kinds import Reach
from coldaisle_analysis.report.lookup import (
    BEST_F1,
    family,
    first_case,
    grouped_rows,
    results_of,
    row_of,
    title,
)

POOR = 0.5
"""F1 below which a detector is called poor."""


def answer(best: MetricsRow) -> Sentence:
    """Return the result of the best model of a level: its F1, the cases it catches, the time it takes and its false alarms."""
    low, high = best["intervals"]["f1"]
    models = len(MODELS) - len(BASELINES)
    text = (
        f"{best['level'].capitalize()}: with whole {best['split']}s held out, {title(best['model'])} is the best of {models} models: "
        f"F1 {best['f1']:.2f} (95 % interval {low:.2f} to {high:.2f})."
    )
    if pair := first_case(best):
        case, metrics = pair
        plain, budget = metrics[BEST_F1], metrics["1 a day"]
        time = f", half of them {within(plain['seconds_to_detect'])}" if plain["caught_cases"] else ""
        text += (
            f" It catches {plain['caught_cases']} of {plain['positive_cases']} attacked {case}s{time}, with "
            f"{plain['incidents_per_day']:.1f} false alarms a day. With a threshold set on training {best['split']}s for one false alarm a day, "
            f"it catches {budget['episodes_caught']} of {budget['episodes']} episodes, with {budget['incidents_per_day']:.1f} false alarms a day."
        )
    poor = " This is a poor detector, and no model here is better." if best["f1"] < POOR else ""
    return Sentence(FOUND, text + poor, "leak")


def details(scored: Sequence[Scored], best: MetricsRow) -> Iterator[Sentence]:
    """Yield the comparisons of the best model of a level: with other families, the rule, other runs and benign anomalies."""
    yield _about(
        best,
        f"{title(best['model'])}, of the family “{family(best['model'])}”, catches {best['recall']:.0%} of the attack rows, "
        f"and {best['precision']:.0%} of its alarms are right.",
    )
    yield from _similar(scored, best)
    yield from _over_the_rule(scored, best)
    yield from _other_weeks(scored, best)
    if not isnan(best["auc_against_benign"]):
        yield _about(
            best,
            f"{title(best['model'])} separates attacks from benign anomalies with an AUC of {best['auc_against_benign']:.2f}. "
            f"{best['false_alarms_on_benign']:.0%} of its false alarms are on benign anomalies.",
        )


def _about(best: MetricsRow, text: str) -> Sentence:
    """Return a sentence on the detection at the level of a row."""
    return Sentence("Detection", f"{best['level'].capitalize()}: {text}", "leak")


def _similar(scored: Sequence[Scored], best: MetricsRow) -> Iterator[Sentence]:
    """Yield the families whose best F1 lies within the interval of the best model, and the reason for its width."""
    low, high = best["intervals"]["f1"]
    highest: dict[str, float] = {}
    for row in grouped_rows(scored, best["level"]):
        name = family(row["model"])
        if row["model"] not in BASELINES and name != family(best["model"]):
            highest[name] = max(highest.get(name, 0.0), row["f1"])
    similar = sorted((name for name, f1 in highest.items() if f1 >= low), key=lambda name: -highest[name])
    if not similar:
        return
    names = ", ".join(f"{name} ({highest[name]:.2f})" for name in similar)
    text = f"these families may be as good, because their best F1 lies within the interval of the best model: {names}."
    if pair := first_case(best):
        text += f" The interval is {high - low:.2f} wide because it rests on {pair[1]['1 a day']['episodes']} episodes."
    yield _about(best, text)


def _other_weeks(scored: Sequence[Scored], best: MetricsRow) -> Iterator[Sentence]:
    """Yield the scores of the best model and of the rule on other runs, trained on this one."""
    rows = [result.row for result in results_of(scored, best["level"], OTHER_RUNS)]
    model, rule = ([row["f1"] for row in rows if row["model"] == name] for name in (best["model"], RULE))
    if model and rule:
        runs = "another run, with a" if len(model) == 1 else f"{len(model)} other runs, each with a"
        yield _about(
            best,
            f"trained on this whole run and tested on {runs} seed of its own, {title(best['model'])} scores F1 {_span(model)}, "
            f"the operator's rule {_span(rule)}.",
        )


def _span(values: Sequence[float]) -> str:
    """Return the least and the largest value, one value if they read alike."""
    least, most = f"{min(values):.2f}", f"{max(values):.2f}"
    return least if least == most else f"{least} to {most}"


def _over_the_rule(scored: Sequence[Scored], best: MetricsRow) -> Iterator[Sentence]:
    """Yield the gain in F1 over the rule that an operator would write."""
    rule = row_of(scored, best["level"], best["split"], RULE)
    if rule is None:
        return
    gain = best["f1"] - rule["f1"]
    verdict = "a model is no better than the rule here"
    if best["intervals"]["f1"][0] > rule["f1"]:
        verdict = "more than chance explains"
    elif gain > 0:
        verdict = "the F1 of the rule lies within the model's interval, so the gain may be chance"
    yield _about(
        best,
        f"the operator's rule (limits on a few columns, learned from clean rows) has F1 {rule['f1']:.2f}. "
        f"{title(best['model'])} gains {gain:+.2f}: {verdict}.",
    )


def missed(reached: Mapping[str, Sequence[Reach]]) -> Iterator[Sentence]:
    """Yield the kinds of which no case is caught, and the recall of kinds left out of training."""
    for level, kinds in reached.items():
        caught = {kind.kind: kind.best["caught"] for kind in kinds if kind.best}
        if missed := [kind for kind, cases in caught.items() if not cases]:
            text = f"{level.capitalize()}: the best model catches no case of {len(missed)} of the {len(caught)} kinds with cases: {', '.join(missed)}."
            yield Sentence(MISSED, text, "reach")
    recalls = [text for level, kinds in reached.items() if (text := _unseen(level, kinds))]
    if recalls:
        text = f"Recall of kinds left out of training, a mean over kinds with several episodes: {'; '.join(recalls)}."
        yield Sentence(MISSED, text, "reach")


def _unseen(level: str, kinds: Sequence[Reach]) -> str:
    """Return the mean recall of kinds with several episodes, left out of training and in it; empty if none was tested."""
    pairs = [
        (kind.trained, kind.unseen)
        for kind in kinds
        if kind.episodes > 1 and kind.trained is not None and kind.unseen is not None
    ]
    if not pairs:
        return ""
    trained, unseen = (sum(recalls) / len(pairs) for recalls in zip(*pairs, strict=True))
    return f"{unseen:.0%} of the rows instead of {trained:.0%} ({level}, {len(pairs)} kinds)"


def early(bests: Sequence[MetricsRow]) -> Iterator[Sentence]:
    """Yield the earliness scores of the best model of each level."""
    for row in bests:
        if pair := first_case(row):
            metrics = pair[1][BEST_F1]
            perfect, silent = metrics["erde_5_bounds"]
            yield Sentence(
                "Earliness",
                f"{row['level'].capitalize()}: {title(row['model'])} has ERDE_5 {metrics['erde_5']:.3f}, between {perfect:.3f} (perfect) and "
                f"{silent:.3f} (never alarms), and F_latency {metrics['f_latency']:.2f}.",
                "earliness",
            )
