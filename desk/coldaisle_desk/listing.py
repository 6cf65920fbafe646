"""Runs and campaigns: what there is, in which state, and two runs side by side."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from coldaisle_contracts.analyses import analyses_of
from coldaisle_contracts.campaign import WEEKS, CampaignFolder
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST, Manifest, digest_of
from coldaisle_desk.shelf import Place, Shelf
from coldaisle_desk.watched import kind_of

MOST = 200
"""Most runs, and most weeks of a campaign, that are listed."""


def context(shelf: Shelf) -> dict[str, Any]:
    """Return the runs and campaigns of a folder, the newest first."""
    places, names = shelf.runs(), shelf.campaigns()
    return {
        "runs": [_row(shelf, place) for place in places[:MOST]],
        "left_out": max(0, len(places) - MOST),
        "campaigns": [_brief(shelf, name) for name in names[:MOST]],
    }


def version_of(values: Mapping[str, object]) -> dict[str, str]:
    """Return the version of a list: it changes with what the list shows."""
    listed = json.dumps(values, default=str, sort_keys=True)
    return {"list": hashlib.sha256(listed.encode()).hexdigest()[:16]}


def _row(shelf: Shelf, place: Place) -> dict[str, Any]:
    """Return a run in the list."""
    folder = place.folder
    row: dict[str, Any] = {
        "name": place.name,
        "state": "gone",
        "analyses": 0,
        "counts": {},
        "engine": "",
        "created": "",
    }
    if folder is None:
        return row
    if not (folder / MANIFEST).is_file():
        return row | {"state": "being made" if shelf.is_held(folder) else "left unfinished"}
    try:
        manifest = Manifest.load(folder)
    except InputError:
        return row | {"state": "broken"}
    analyses = analyses_of(folder)
    facts = {
        "engine": manifest.engine,
        "created": f"{manifest.created:%Y-%m-%d %H:%M}",
        "counts": manifest.counts,
    }
    return row | facts | {"state": kind_of(analyses[-1]) if analyses else "sealed", "analyses": len(analyses)}


def _brief(shelf: Shelf, name: str) -> dict[str, Any]:
    folder = shelf.campaign(name)
    return {
        "name": name,
        "done": len(folder.done()) if folder else None,
        "weeks": len(folder.weeks) if folder else None,
    }


def campaign(shelf: Shelf, name: str, folder: CampaignFolder) -> dict[str, Any]:
    """Return the weeks of a campaign with the state of each."""
    weeks = []
    for week in folder.weeks:
        place = Place(f"{name}:{week.digest}", shelf.folder / name / WEEKS / week.digest)
        there = place.folder
        state = "missing"
        if there is not None:
            state = (
                "done"
                if (there / MANIFEST).is_file()
                else "being made"
                if shelf.is_held(there)
                else "left unfinished"
            )
        weeks.append({"week": week, "name": place.name, "state": state})
    counts = {
        state: sum(row["state"] == state for row in weeks)
        for state in ("done", "being made", "left unfinished", "missing")
    }
    return {
        "file": folder.file,
        "weeks": weeks[:MOST],
        "left_out": max(0, len(weeks) - MOST),
        "counts": counts,
    }


def compared(shelf: Shelf, names: list[str]) -> dict[str, Any]:
    """Return two runs side by side: facts, and whether they differ."""
    facts = [_facts(shelf, name) for name in names]
    keys = list(dict.fromkeys(key for fact in facts for key in fact))
    rows = [{"key": key, "values": [str(fact.get(key, "none")) for fact in facts]} for key in keys]
    return {"names": names, "rows": rows, "found": [bool(fact) for fact in facts]}


def _facts(shelf: Shelf, name: str) -> dict[str, object]:
    """Return what a finished run is, for a comparison; nothing for a run that is not finished."""
    place = shelf.place(name)
    if place is None or place.folder is None:
        return {}
    try:
        manifest = Manifest.load(place.folder)
    except InputError:
        return {}
    counts = {name.replace("_", " "): f"{count:,}" for name, count in manifest.counts.items()}
    return {
        "scenario": manifest.scenario, "seed": manifest.seed, "engine": manifest.engine, "shards": manifest.shards,
        "created": f"{manifest.created:%Y-%m-%d %H:%M} UTC", "made by": manifest.made_by, **counts,
        "plan": manifest.plan_digest[:16], "semantic digest": manifest.semantic_digest[:16],
        "sha256 of the manifest": digest_of(place.folder)[:16],
        **{f"seconds: {step}": seconds for step, seconds in manifest.seconds.items()},
        **_best(place.folder),
    }  # fmt: skip


def _best(folder: Path) -> dict[str, object]:
    """Return the best F1 on packets of days held out."""
    try:
        rows = json.loads((folder / "models" / "metrics.json").read_text(encoding="utf-8"))
        scores = {
            row["model"]: float(row["f1"])
            for row in rows
            if (row["level"], row["split"]) == ("packets", "day")
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    best = max(scores, key=lambda name: scores[name], default=None)
    return {"best model, packets": best, "its F1": f"{scores[best]:.3f}"} if best is not None else {}
