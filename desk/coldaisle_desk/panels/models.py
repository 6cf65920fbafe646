"""Detectors: the models that learned from the run, and the detectors of others that were judged on it."""

import json
from pathlib import Path
from typing import Any

from coldaisle_desk.view import View

KEYS = ("average_precision", "precision", "recall", "f1", "erde_5", "incidents_per_day")
_GROUPED = ("day", "block", "week", "kind")
"""Splits that keep whole days or kinds on one side, the most telling first."""


def context(view: View) -> dict[str, Any]:
    """Return the values of the panel."""
    analysis = view.run.analysis
    own = _rows(analysis / "models" / "metrics.json") if analysis else []
    splits = {str(row.get("split")) for row in own}
    split = next((name for name in _GROUPED if name in splits), "")
    chosen = [row for row in own if row.get("split") == split]
    others = (
        [row for path in sorted((analysis / "judged").glob("*.json")) for row in _rows(path)]
        if analysis
        else []
    )
    levels = sorted({str(row.get("level")) for row in chosen})
    return {
        "analysis": analysis.name if analysis else "",
        "report": bool(analysis and (analysis / "report" / "index.html").is_file()),
        "split": split,
        "keys": [key for key in KEYS if any(_number(row, key) is not None for row in [*chosen, *others])],
        "tables": {
            level: _table(
                [row for row in chosen if row.get("level") == level], others if level == "packets" else []
            )
            for level in levels or (["packets"] if others else [])
        },
    }


def _rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a file of metrics; none where it cannot be read."""
    try:
        rows = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []


def _table(own: list[dict[str, Any]], others: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of a table, the best F1 first."""
    rows = [{"name": str(row.get("model")), "own": False, **_numbers(row)} for row in others]
    rows += [{"name": str(row.get("model")), "own": True, **_numbers(row)} for row in own]
    return sorted(rows, key=lambda row: row["f1"] if row["f1"] is not None else -1.0, reverse=True)


def _numbers(row: dict[str, Any]) -> dict[str, float | None]:
    return {key: _number(row, key) for key in KEYS}


def _number(row: dict[str, Any], key: str) -> float | None:
    value = row.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
