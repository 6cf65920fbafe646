"""Describing a run for machines (Croissant 1.1) and for people (a datasheet), from its manifest, plan and columns."""

import json
from pathlib import Path

from coldaisle_analysis.description.croissant import croissant
from coldaisle_analysis.description.datasheet import datasheet
from coldaisle_analysis.description.facts import Facts
from coldaisle_contracts.manifest import Manifest

CROISSANT, DATASHEET = "croissant.json", "DATASHEET.md"


def write(run: Path, manifest: Manifest) -> list[Path]:
    """Write both descriptions into a run's folder and return them.

    Args:
        run: the folder, with plan and dataset.
        manifest: its manifest, which lists every file described.

    Raises:
        InputError: if plan, dataset or scorecard cannot be read.
    """
    facts = Facts.of(run, manifest)
    texts = {
        CROISSANT: json.dumps(croissant(facts), indent=1, ensure_ascii=False),
        DATASHEET: datasheet(facts),
    }
    for name, text in texts.items():
        (run / name).write_text(text + "\n", encoding="utf-8")
    return [run / name for name in texts]
