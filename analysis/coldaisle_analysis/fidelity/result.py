"""The result of a comparison: as sentences, as JSON and as a Markdown page."""

import math
from collections.abc import Iterator, Sequence
from typing import Any

from coldaisle_analysis.fidelity import Fidelity
from coldaisle_analysis.fidelity.distances import USUAL, Compared, Distance
from coldaisle_analysis.fidelity.reasons import REASONS
from coldaisle_analysis.fidelity.two_samples import BOTH, DAYS, PLAYS, Told
from coldaisle_analysis.fidelity.wording import apart, middle, share

HEAD = (
    "measure",
    "ours",
    "published",
    "shift",
    "within ours",
    "within published",
    "KS",
    "KS ours",
    "KS published",
)
TOLD_HEAD = ("level", "columns", "AUC", "folds", "our plays", "published days", "columns used (fall of AUC)")
HOW = (
    f"A day is compared with a day. Shift is Wasserstein's distance (for a share, the total variation distance), KS the statistic of Kolmogorov and Smirnov; "
    f"each is the median over pairs of one of our days and a published one. Beside each stands the {USUAL:.0%} quantile of the same distance within our "
    "plays and within the published days. A difference is large if shift or KS exceeds both."
)
TOLD = "AUC of a classifier on plays and days that it was not trained on: 0.5 is no difference, 1 is complete. Beside it stand the AUC of one half of our plays from the other, and of the published days."


def large(result: Fidelity) -> list[Compared]:
    """Return the measures that differ by more than either side differs from itself."""
    return [row for row in result.rows if row.large]


def sentences(result: Fidelity) -> list[str]:
    """Return what a comparison says in sentences."""
    differing, judged = large(result), [row for row in result.rows if row.large is not None]
    missing = [row for row in result.rows if row.large is None]
    out = [
        f"{len(result.plays)} plays ({result.ours} days) against {len(result.captures)} captures, seed {result.seed}",
        f"{len(differing)} of {len(judged)} measures differ by more than plays among themselves and published days among themselves",
        *result.remarks,
    ]
    if missing:
        out.append(
            f"not judged: {', '.join(row.measure.name + (f' ({row.note})' if row.note else '') for row in missing)}"
        )
    return out


def cells(row: Compared, most: int | None = None) -> tuple[str, ...]:
    """Return the cells of a measure below :data:`HEAD`, of a mix with ``most`` of its classes."""
    shift, shape = row.shift, row.shape
    shifts = (apart(row.measure, value) for value in (shift.between, shift.own, shift.published))
    shapes = (share(value) for value in (shape.between, shape.own, shape.published))
    return (row.measure.name, middle(row, row.ours, most), middle(row, row.theirs, most), *shifts, *shapes)


def told_cells(result: Fidelity) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each level and topic below :data:`TOLD_HEAD`: the sides told apart, then the halves of either side."""
    of = {(row.level, row.topic, row.sides): row for row in result.told}
    for (level, topic, sides), row in of.items():
        if sides != BOTH:
            continue
        used = ", ".join(f"{name} ({drop:.3f})" for name, drop in row.used)
        folds = f"{share(row.low)} to {share(row.high)}" if math.isfinite(row.auc) else "no two sources"
        within = (share(of[level, topic, half].auc) for half in (PLAYS, DAYS))
        yield level, topic, share(row.auc), folds, *within, used


def reasons(rows: Sequence[Compared]) -> Iterator[tuple[str, str]]:
    """Yield the names of measures and the reason that they share, in the order of :data:`REASONS`; without a known reason last."""
    names = {text: list[str]() for text in [*REASONS.values(), ""]}
    for row in rows:
        names[REASONS.get(row.measure.name, "")].append(row.measure.name)
    for text in filter(names.get, names):
        yield ", ".join(names[text]), text or "the reason is not known"


def facts(result: Fidelity) -> dict[str, Any]:
    """Return a comparison for scripts; a number that does not exist is null."""
    return {
        "plays": list(result.plays),
        "captures": list(result.captures),
        "days": result.ours,
        "dates": [day.isoformat() for day in result.dates],
        "seed": result.seed,
        "remarks": list(result.remarks),
        "large": [row.measure.name for row in large(result)],
        "measures": [_measure(row) for row in result.rows],
        "classifiers": [_classifier(row) for row in result.told],
    }


def _measure(row: Compared) -> dict[str, Any]:
    about = {
        "name": row.measure.name,
        "topic": row.measure.topic,
        "unit": row.measure.unit,
        "meaning": row.measure.meaning,
    }
    distances = {"shift": _distance(row.shift), "ks": _distance(row.shape)}
    reason = REASONS.get(row.measure.name, "") if row.large else ""
    return {
        **about,
        "large": row.large,
        **distances,
        "ours": row.ours,
        "published": row.theirs,
        "note": row.note,
        "reason": reason,
    }


def _distance(distance: Distance) -> dict[str, float | None]:
    values = {"between": distance.between, "own": distance.own, "published": distance.published}
    return {name: _number(value) for name, value in values.items()}


def _classifier(row: Told) -> dict[str, Any]:
    scores = {"auc": _number(row.auc), "low": _number(row.low), "high": _number(row.high)}
    return {
        "level": row.level,
        "columns": row.topic,
        "sides": row.sides,
        **scores,
        "rows": row.rows,
        "used": dict(row.used),
    }


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None


def markdown(result: Fidelity) -> str:
    """Return a comparison as a Markdown page of its own."""
    differing = large(result)
    like = [row for row in result.rows if row.large is False]
    parts = ["# How like the published captures", *(f"* {_cell(line)}" for line in sentences(result)), ""]
    parts += [
        HOW,
        "",
        "## Large differences",
        "",
        _table(HEAD, map(cells, differing)) if differing else "None.",
        "",
    ]
    parts += [f"* **{names}**: {reason}." for names, reason in reasons(differing)]
    parts += ["", "## No large difference", "", _table(HEAD, map(cells, like)) if like else "None.", ""]
    parts += [
        "## What a classifier tells apart",
        "",
        TOLD,
        "",
        _table(TOLD_HEAD, told_cells(result)),
        "",
    ]
    parts += [
        "## What is measured",
        "",
        _table(("measure", "topic", "unit", "meaning"), map(_about, result.rows)),
        "",
    ]
    return "\n".join(parts)


def _about(row: Compared) -> tuple[str, ...]:
    return (row.measure.name, row.measure.topic, row.measure.unit, row.measure.meaning)


def _table(head: Sequence[str], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    """Return a text that stays one cell: names in it come from foreign captures."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "\\`")
