"""The report's section on other detectors: their rows beside those of our models. It is put into a page that is finished already."""

from collections.abc import Mapping, Sequence
from typing import Any

from coldaisle_analysis.evaluation.alarms import BUDGETS
from coldaisle_analysis.evaluation.metrics import MetricsRow
from coldaisle_analysis.judging.scoring import JudgedRow
from coldaisle_analysis.models import BASELINES, MODELS
from coldaisle_analysis.report.page import environment

BEGIN, END = "<!-- other detectors -->", "<!-- end of other detectors -->"
"""What stands around the place of the section in a report."""
AUDIT = '<section id="audit">'
"""The beginning of the section that follows it."""
RULE_NAMES = {
    "frame": "frame number", "flow": "flow and time", "hosts": "hosts and time", "source": "sender and time",
}  # fmt: skip


def section(rows: Sequence[JudgedRow], ours: Sequence[MetricsRow]) -> str:
    """Return the section.

    Args:
        rows: the detectors.
        ours: rows of our models on the same packets, split by day or block; none where nothing was trained.
    """
    return environment().get_template("detectors.html.j2").render(_context(rows, ours))


def alone(name: str, rows: Sequence[JudgedRow]) -> str:
    """Return a page of the section alone, for captures that have no report."""
    return environment().get_template("detectors_alone.html.j2").render(_context(rows, []), name=name)


def put(page: str, text: str) -> str:
    """Return a report with a section in its place, instead of the one that it may have; one of an older version gets it before its audit."""
    if BEGIN not in page:
        page = page.replace(AUDIT, f"{BEGIN}{END}\n\n{AUDIT}", 1)
    head, _, rest = page.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{text}\n{END}{tail}"


def _context(rows: Sequence[JudgedRow], ours: Sequence[MetricsRow]) -> Mapping[str, Any]:
    candidates = [row for row in ours if row["model"] not in BASELINES]
    return {
        "rows": list(rows),
        "ours": list(ours),
        "best": max(candidates, key=lambda row: row["f1"], default=None),
        "budgets": list(BUDGETS),
        "baselines": BASELINES,
        "held_out": rows[0]["split"],
        "rule_names": RULE_NAMES,
        "title_of": lambda row: MODELS[row["model"]].title if row in ours else row["model"],
    }
