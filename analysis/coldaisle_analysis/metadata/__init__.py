"""Descriptions of a run for machines (Croissant 1.1) and for people (a datasheet), from its manifest, plan and columns.

The metadata describe sealed files, so they lie beside the manifest. The datasheet quotes an audit, so it belongs to an analysis.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coldaisle_analysis.metadata.croissant import croissant
from coldaisle_analysis.metadata.datasheet import datasheet
from coldaisle_analysis.metadata.facts import Facts
from coldaisle_contracts.manifest import Manifest

CROISSANT, DATASHEET = "croissant.json", "DATASHEET.md"


def metadata(run: Path, manifest: Manifest) -> str:
    """Return the Croissant metadata of a run as text.

    Args:
        run: its folder, with plan, dataset and manifest.
        manifest: its manifest, which lists every file described.

    Raises:
        InputError: if plan, dataset or manifest cannot be read.
    """
    return json.dumps(croissant(Facts.of(run, manifest)), indent=1, ensure_ascii=False) + "\n"


def write_metadata(run: Path, manifest: Manifest) -> None:
    """Write the metadata into the run's folder, see :func:`metadata`."""
    (run / CROISSANT).write_text(metadata(run, manifest), encoding="utf-8")


def write_datasheet(run: Path, manifest: Manifest, checks: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """Write the datasheet of a run into a folder.

    Args:
        run: the run's folder, with plan, dataset and manifest.
        manifest: its manifest.
        checks: the checks of its audit, each a row of the scorecard.
        folder: folder of the datasheet.

    Raises:
        InputError: if plan, dataset or manifest cannot be read.
    """
    (folder / DATASHEET).write_text(datasheet(Facts.of(run, manifest, checks)) + "\n", encoding="utf-8")
