"""What to audit, by where it lies: a run, a foreign table, or captures with label tables."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coldaisle_analysis import audit, dataset, ledger
from coldaisle_analysis.audit import Result, foreign
from coldaisle_analysis.audit.subject import of_level
from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.ledger import Account
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest


def path(place: Path, label: str = "label") -> tuple[str, list[Result]]:
    """Return name and audit of a run's folder, or of a table.

    Raises:
        InputError: if it is neither.
    """
    if place.is_file():
        return place.name, audit.audit([foreign.load(place, label)])
    if not place.exists():
        raise InputError(place, "name a run, or a CSV or Parquet table with labels")
    manifest = Manifest.load(place)
    built = dataset.load(place / "dataset")
    metrics = place / "models" / "metrics.json"
    rows = json.loads(metrics.read_text(encoding="utf-8")) if metrics.is_file() else []
    return manifest.id, of_dataset(manifest.id, built, rows, ledger.settled(place), manifest)


def captures(pcaps: Sequence[Path], labels: Sequence[Path]) -> tuple[str, list[Result]]:
    """Return name and audit of foreign captures with their label tables.

    Raises:
        InputError: if a capture or label table cannot be used.
    """
    name = f"{len(pcaps)} captures from {pcaps[0].name}"
    return name, of_dataset(name, dataset.from_captures(pcaps, labels))


def of_dataset(
    name: str,
    built: Dataset,
    metrics: Sequence[Mapping[str, Any]] = (),
    account: Account | None = None,
    manifest: Manifest | None = None,
) -> list[Result]:
    """Return the audit of a dataset of ours.

    Args:
        name: of the data set.
        built: its levels.
        metrics: rows of its ``metrics.json``.
        account: of a run, its settled ledger.
        manifest: of a run, its manifest so far.
    """
    return audit.audit(
        [
            of_level(name, getattr(built, level), level, account=account, manifest=manifest, metrics=metrics)
            for level in LEARNED
        ]
    )
