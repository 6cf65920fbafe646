"""The report: one self-contained HTML file, computed from the dataset and the metrics."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from coldaisle_analysis.audit import Result, Status, scorecard
from coldaisle_analysis.audit.scorecard import by_group
from coldaisle_analysis.columns import LEARNED, LEVELS
from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.evaluation.alarms import BUDGETS
from coldaisle_analysis.evaluation.metrics import Scored
from coldaisle_analysis.models import BASELINES, MODELS, WITHOUT_KIND
from coldaisle_analysis.report import chains, decision_rules, kinds, numbers
from coldaisle_analysis.report.conclusions import ANSWERS, Sentence, conclusions
from coldaisle_analysis.report.conclusions.gains import gains, headline
from coldaisle_analysis.report.conclusions.surroundings import audited
from coldaisle_analysis.report.figures import earliness, models, traffic
from coldaisle_analysis.report.figures.style import FEW, grouped, in_order, kind_colour
from coldaisle_analysis.report.lookup import best_row, grouped_split, title
from coldaisle_analysis.report.statistics import Description
from coldaisle_analysis.report.subject import Subject
from coldaisle_analysis.workers import parallel_map

TEMPLATES = Path(__file__).parent / "templates"
FIGURES = (
    "delay", "week", "traffic", "spread", "seasons", "separation", "leak", "curves", "kinds", "earliness",
)  # fmt: skip
"""The figures in the order of the page, by which they are numbered."""
ANCHORS = {
    "gains": "Early alarms", "budgets": "Budgets", "reach": "Kind by kind", "models": "Models", "audit": "Audit",
}  # fmt: skip
"""The places that a sentence can refer to other than figures, with the text of the link."""


def write(
    subject: Subject,
    dataset: Dataset,
    description: Description,
    scored: Sequence[Scored],
    results: Sequence[Result],
    path: Path,
    drawn: Mapping[str, str] | None = None,
) -> None:
    """Write the report to a file; make its folder if it does not exist.

    Args:
        subject: the run or the captures.
        dataset: the dataset.
        description: its statistics.
        scored: the results of the models.
        results: the results of the audit.
        path: the file.
        drawn: the figures of :func:`draw` and :func:`begin`, where they are drawn already.
    """
    figures = {**draw(dataset, description), **begin(scored)()} if drawn is None else drawn
    context = _context(subject, dataset, description, scored, audited(results), figures)
    context["audit"] = _audit(results)
    page = environment().get_template("report.html.j2").render(context)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")


def environment() -> Environment:
    """Return what renders the templates of the report."""
    rendering = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    rendering.filters |= {"score": numbers.score, "number": numbers.number, "seconds": numbers.seconds}
    return rendering


def _context(
    subject: Subject,
    dataset: Dataset,
    description: Description,
    scored: Sequence[Scored],
    audit_sentence: Sentence,
    figures: Mapping[str, str],
) -> dict[str, object]:
    """Return the values that the template shows."""
    split, earliest = grouped_split(scored), decision_rules.earliest(scored)
    policy_results = decision_rules.policy_results(scored)
    reached = kinds.reach(scored, dataset, description)
    topics: dict[str, list[Sentence]] = {topic: [] for topic in ANSWERS}
    for sentence in (*conclusions(scored, description, dataset.readings, reached), audit_sentence):
        topics.setdefault(sentence.topic, []).append(sentence)
    return {
        "subject": subject,
        "answers": {topic: topics.pop(topic) for topic in ANSWERS},
        "sentences": topics,
        "anchors": ANCHORS,
        "facts": _facts(subject, dataset),
        "kinds": {kind: kind_colour(kind) for kind in in_order(set(grouped(description.counts["kind"])))},
        "figures": figures,
        "numbers": {name: place for place, name in enumerate(filter(figures.get, FIGURES), 1)},
        "earliest": earliest,
        "rule_names": decision_rules.DECISION_RULES,
        "budgets": decision_rules.budgets(scored),
        "budget_names": list(BUDGETS),
        "reached": reached,
        "chained": chains.rows(scored),
        "without_kind": WITHOUT_KIND if any(result.row["split"] == "kind" for result in scored) else "",
        "policy_results": policy_results,
        "headline": headline(policy_results),
        "gains": list(gains(earliest)),
        "counts": numbers.counts(description),
        "spreads": {level: numbers.spreads(description, level) for level in numbers.SPREAD},
        "held_out": split,
        "models": {level: numbers.models(scored, level, split) for level in LEARNED},
        "best": {level: best_row(scored, level) for level in LEARNED},
        "title_of": title,
        "baselines": BASELINES,
        "unsupervised": [name for name, model in MODELS.items() if not model.supervised],
        "few": FEW,
        "levels": LEVELS,
        "attacks": bool((dataset.packets["label"] == 1).any() or (dataset.readings["label"] == 1).any()),
    }


def _audit(results: Sequence[Result]) -> dict[str, object]:
    """Return the number of checks by status, and the results of each group, the worst status first."""
    order = (Status.BAD, Status.LOOK, Status.OK, Status.ABSENT)
    groups = {
        name: sorted(group, key=lambda result: order.index(result.status))
        for name, group in by_group(results).items()
    }
    return {"counts": scorecard.counts(results), "groups": groups, "note": scorecard.NOTE}


def _facts(subject: Subject, dataset: Dataset) -> dict[str, str]:
    """Return the key figures of the dataset, then those of the subject."""
    packets, readings = dataset.packets, dataset.readings
    rows = pd.concat(
        [frame[["episode", "label"]].astype({"episode": "object"}) for frame in (packets, readings)]
    )
    rows = rows[rows["episode"].fillna("") != ""]
    episodes, attacked = rows["episode"].nunique(), rows.loc[rows["label"] == 1, "episode"].nunique()
    span = (packets["time"].max() - packets["time"].min()) / pd.Timedelta(days=1) if len(packets) else 0.0
    return {
        "packets": f"{len(packets):,}",
        "readings": f"{len(readings):,}",
        "episodes": f"{episodes} ({attacked} attacks)" if attacked < episodes else str(episodes),
        "attack packets": _attacks(packets),
        "attack readings": _attacks(readings),
        "length": f"{span:.1f} days" if span >= 1 else f"{span * 24:.1f} h",
        **subject.facts,
    }


def _attacks(rows: pd.DataFrame) -> str:
    attacks = int((rows["label"] == 1).sum())
    return f"{attacks:,} ({attacks / max(len(rows), 1):.2%})"


def draw(dataset: Dataset, description: Description) -> dict[str, str]:
    """Return the inline SVG of every figure of the data itself that the data allow."""
    figures = {
        "week": traffic.week(dataset.readings) if len(dataset.readings) else "",
        "traffic": traffic.traffic(description),
        "spread": traffic.distributions(dataset.packets),
        "seasons": traffic.seasons(description),
    }
    if len(description.separation):
        figures["separation"] = traffic.separation(description)
    return {name: svg for name, svg in figures.items() if svg}


def begin(scored: Sequence[Scored]) -> Callable[[], dict[str, str]]:
    """Begin to draw the models' scores in other processes, and return the function that waits for the inline SVG of every figure."""
    split, earliest = grouped_split(scored), decision_rules.earliest(scored)
    jobs: dict[str, tuple[object, ...]] = {}
    if split:
        for name, figure in (
            ("kinds", models.kinds), ("leak", models.leak), ("earliness", models.earliness), ("curves", models.curves),
        ):  # fmt: skip
            jobs[name] = figure, scored, split
    if earliest:
        jobs["delay"] = earliness.delay, earliest
    drawn = parallel_map(_draw, list(jobs.values()))
    return lambda: {name: svg for name, svg in zip(jobs, drawn, strict=True) if svg}


def _draw(figure: Callable[..., str], *arguments: object) -> str:
    return figure(*arguments)
