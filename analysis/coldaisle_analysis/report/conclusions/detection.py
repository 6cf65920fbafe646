"""Sentences on what is detected, how early, and at which price in false alarms."""

from collections.abc import Iterator, Mapping, Sequence
from math import isnan

from coldaisle_analysis.evaluation.metrics import MetricsRow, Scored
from coldaisle_analysis.evaluation.splits import OTHER_RUNS
from coldaisle_analysis.models import BASELINES, MODELS, RULE
from coldaisle_analysis.report.conclusions.sentence import Sentence, within
from coldaisle_analysis.report.kinds import Reach
from coldaisle_analysis.report.lookup import PLAIN, family, honest, of, row_of

POOR = 0.5
"""F1 below which a detector is called poor."""


def found(scored: Sequence[Scored], best: MetricsRow) -> Iterator[Sentence]:
    """Say which family of models detects most at a level, from which it is not told apart, and what it gains over the rule."""
    low, high = best["intervals"]["f1"]
    poor = " That is a poor detector, and no model here does better." if best["f1"] < POOR else ""
    yield Sentence(
        "Detection",
        f"{best['level'].capitalize()}: with whole {best['split']}s held out the family {family(best['model'])} detects most, "
        f"with {MODELS[best['model']].title}: F1 {best['f1']:.2f} (95 % interval {low:.2f} to {high:.2f}), {best['recall']:.0%} "
        f"of the attack rows caught, {best['precision']:.0%} of its alarms right.{poor}",
        "leak",
    )
    yield from _alike(scored, best)
    yield from _over_the_rule(scored, best)
    yield from _other_weeks(scored, best)
    yield from _benign(best)


def _alike(scored: Sequence[Scored], best: MetricsRow) -> Iterator[Sentence]:
    """Say which families the interval does not tell from the best one, and why it is as wide."""
    low, high = best["intervals"]["f1"]
    tops: dict[str, float] = {}
    for row in honest(scored, best["level"]):
        if row["model"] not in BASELINES and family(row["model"]) != family(best["model"]):
            tops[family(row["model"])] = max(tops.get(family(row["model"]), 0.0), row["f1"])
    alike = sorted((name for name, top in tops.items() if top >= low), key=lambda name: -tops[name])
    if not alike:
        return
    first = next(iter(best["early"].values()), None)
    episodes = (
        f" The interval is {high - low:.2f} wide because it rests on {first['1 a day']['episodes']} episodes."
        if first
        else ""
    )
    yield Sentence(
        "Detection",
        f"{best['level'].capitalize()}: not told apart from it, as their best F1 lies within that interval: "
        f"{', '.join(f'{name} ({tops[name]:.2f})' for name in alike)}.{episodes}",
        "leak",
    )


def _other_weeks(scored: Sequence[Scored], best: MetricsRow) -> Iterator[Sentence]:
    """Say what the best model and the rule, learned from this run, score on others."""
    rows = of(scored, best["level"], OTHER_RUNS)
    own, rule = (
        [one.row["f1"] for one in rows if one.row["model"] == name] for name in (best["model"], RULE)
    )
    if own and rule:
        others = "another run, with a" if len(own) == 1 else f"{len(own)} other runs, each with a"
        yield Sentence(
            "Detection",
            f"{best['level'].capitalize()}: learned from this whole run and tried on {others} seed of its own, "
            f"{MODELS[best['model']].title} scores F1 {_span(own)}, the operator's rule {_span(rule)}.",
            "leak",
        )


def _span(values: Sequence[float]) -> str:
    """Return the least and the largest value, one value when they read alike."""
    least, most = f"{min(values):.2f}", f"{max(values):.2f}"
    return least if least == most else f"{least} to {most}"


def _benign(best: MetricsRow) -> Iterator[Sentence]:
    """Say how well attacks are told from anomalies that are none."""
    if not isnan(best["auc_against_benign"]):
        yield Sentence(
            "Detection",
            f"{best['level'].capitalize()}: {MODELS[best['model']].title} tells attacks from benign anomalies with an AUC of "
            f"{best['auc_against_benign']:.2f}; {best['false_alarms_on_benign']:.0%} of its false alarms are on benign anomalies.",
            "leak",
        )


def _over_the_rule(scored: Sequence[Scored], best: MetricsRow) -> Iterator[Sentence]:
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
        f"{best['level'].capitalize()}: the operator's rule, limits on a few columns learned from clean rows, reaches F1 "
        f"{rule['f1']:.2f}. {MODELS[best['model']].title} gains "
        f"{gain:+.2f}: {verdict}.",
        "leak",
    )


def kinds(reached: Mapping[str, Sequence[Reach]]) -> Iterator[Sentence]:
    """Say which kinds are missed, and what is left of recall when a kind was never trained on."""
    for level, own in reached.items():
        blind = [one for one in own if one.best and not one.best["caught"]]
        if blind:
            yield Sentence(
                "Detection",
                f"{level.capitalize()}: of {sum(bool(one.best) for one in own)} kinds with cases the best model misses "
                f"{len(blind)} altogether: {', '.join(one.kind for one in blind)}.",
                "reach",
            )
    lost = [text for level, own in reached.items() if (text := _unseen(level, own))]
    if lost:
        yield Sentence(
            "Detection",
            f"With a kind left out of training its recall, the mean over kinds with several episodes, comes to {'; '.join(lost)}.",
            "reach",
        )


def _unseen(level: str, own: Sequence[Reach]) -> str:
    """Return the recall, a mean over kinds of several episodes, with the kind trained on and without; empty where none was tried."""
    pairs = [
        (one.known, one.unseen)
        for one in own
        if one.episodes > 1 and one.known is not None and one.unseen is not None
    ]
    if not pairs:
        return ""
    known, unseen = (sum(side) / len(pairs) for side in zip(*pairs, strict=True))
    return f"{unseen:.0%} instead of {known:.0%} of the rows ({level}, {len(pairs)} kinds)"


def early(bests: Sequence[MetricsRow]) -> Iterator[Sentence]:
    """Say how early the best model of each level speaks, and at which price."""
    for row in bests:
        first = next(((case, metrics[PLAIN]) for case, metrics in row["early"].items()), None)
        if first is None:
            continue
        case, own = first
        best, never = own["erde_5_bounds"]
        waited = f", half of them {within(own['seconds_to_detect'])}," if own["caught_cases"] else ""
        yield Sentence(
            "Earliness",
            f"{row['level'].capitalize()}: {MODELS[row['model']].title} catches {own['caught_cases']} of {own['positive_cases']} "
            f"attacked {case}s{waited} at {own['incidents_per_day']:.1f} false alarms a day; ERDE_5 {own['erde_5']:.3f}, between "
            f"{best:.3f} (perfect) and {never:.3f} (never alarms), F_latency {own['f_latency']:.2f}.",
            "earliness",
        )
