"""Ledger and audit: what became of the readings, and the lights of the scorecard."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

from coldaisle_contracts.twins import twins_of
from coldaisle_desk.view import View

_FATES = {
    "modify": "altered",
    "swallow": "removed",
    "hold": "held back",
    "tamper": "header changed",
    "lose": "segment lost",
    "double": "segment doubled",
}
"""What an act on a reading makes of it, by operation."""


def context(view: View) -> dict[str, Any]:
    """Return the values of the panel."""
    run = view.run
    planned = view.plan.readings_on(range(view.plan.scenario.days))
    sent = sum(map(len, run.record.sent.values()))
    fates, forged, acts = _fates(view)
    return {
        "planned": planned,
        "sent": sent,
        "share": round(100 * sent / max(1, planned), 1),
        "fates": fates,
        "forged": forged,
        "acts": acts,
        "settled": run.manifest is not None,
        "manifest": run.manifest,
        "card": _card(run.analysis) if run.analysis else None,
        "analysis": run.analysis,
        "twins": [folder.name for folder in twins_of(run.folder)] if run.folder else [],
    }


def _fates(view: View) -> tuple[Counter[str], int, int]:
    """Return the readings by what was done to them, the values of others that were delivered, and the number of acts."""
    touched: dict[tuple[str, int, int], str] = {}
    forged = acts = 0
    for deed in view.run.record.deeds:
        if deed.at_ns > view.until_ns:
            continue
        acts += 1
        if deed.before is None:
            forged += deed.after is not None
        elif deed.operation in _FATES:
            touched.setdefault((deed.unit, deed.slot, deed.sensor), _FATES[deed.operation])
    return Counter(touched.values()), forged, acts


def _card(analysis: Path) -> dict[str, Any] | None:
    """Return the scorecard of an analysis; ``None`` where it has none that can be read."""
    try:
        card = json.loads((analysis / "SCORECARD.json").read_text(encoding="utf-8"))
        order = {"bad": 0, "look": 1, "ok": 2, "n/a": 3}
        lights = [
            {key: str(row[key]) for key in ("id", "level", "name", "status", "sentence")}
            for row in card["checks"]
        ]
        counts = {str(key): int(value) for key, value in card["counts"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    return {"counts": counts, "lights": sorted(lights, key=lambda row: order.get(row["status"], 4))}
