"""Audits of a run, of a foreign table, and of labelled captures."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coldaisle_analysis import audit, dataset
from coldaisle_analysis.audit import Result, tables
from coldaisle_analysis.audit.foreign import files
from coldaisle_analysis.audit.subject import of_level
from coldaisle_analysis.columns import LEARNED
from coldaisle_analysis.dataset import Dataset
from coldaisle_analysis.decoding import MqttOptions
from coldaisle_analysis.metadata.croissant import croissant
from coldaisle_analysis.metadata.datasheet import datasheet
from coldaisle_analysis.metadata.facts import Facts
from coldaisle_analysis.truth.readings import Account, settle
from coldaisle_contracts.manifest import MANIFEST, Manifest
from coldaisle_contracts.texts import read_json, refuse_odd


def path(place: Path, label: str = "label") -> tuple[str, list[Result]]:
    """Return the name and the audit of a run's folder or of a table.

    Raises:
        InputError: if it is neither.
    """
    if is_table([place]):
        return table([place], label)[:2]
    if not place.is_dir():
        refuse_odd(
            place,
            "name a run, or a table with labels (CSV, Parquet, Zeek log, ARFF), a folder or a pattern of them",
        )
    manifest, built = Manifest.load(place), dataset.load(place / "dataset")
    metrics = place / "models" / "metrics.json"
    rows = read_json(metrics, "analyse the run again") if metrics.is_file() else []
    return manifest.id, of_run(place, built, settle(place), manifest, rows)


def is_table(places: Sequence[Path]) -> bool:
    """Tell whether places hold a table, and no run: several of them, a file, a pattern of files, or a folder with tables."""
    return len(places) > 1 or (not (places[0] / MANIFEST).exists() and files.is_table(places[0]))


def table(
    places: Sequence[Path], label: str = "label", benign: Sequence[str] = ()
) -> tuple[str, list[Result], Sequence[str]]:
    """Return the name and the audit of a table, and what to know about how it was read, in sentences.

    Args:
        places: its files, folders with them, or patterns such as ``Day*.csv``.
        label: name of its label column.
        benign: classes that are no attack, beside those that are recognised.

    Raises:
        InputError: if it cannot be read, or its classes are not known.
    """
    subject = tables.load(places, label, benign)
    return subject.name, audit.audit([subject]), subject.remarks


def captures(
    pcaps: Sequence[Path],
    labels: Sequence[Path],
    series: Sequence[str] = (),
    mqtt: MqttOptions = MqttOptions(),  # noqa: B008 - frozen
) -> tuple[str, list[Result], tuple[str, ...]]:
    """Return the name and the audit of labelled foreign captures, and remarks on how they were read.

    Raises:
        InputError: if a capture or its labels cannot be used.
    """
    name = f"{len(pcaps)} captures from {pcaps[0].name}"
    built = dataset.from_captures(pcaps, labels, series=series, mqtt=mqtt)
    return name, of_dataset(name, built), built.remarks


def of_run(
    run: Path,
    built: Dataset,
    account: Account,
    manifest: Manifest,
    metrics: Sequence[Mapping[str, Any]] = (),
) -> list[Result]:
    """Return the audit of a run.

    Args:
        run: its folder.
        built: its dataset.
        account: its settled ledger.
        manifest: its manifest.
        metrics: rows of its ``metrics.json``.

    Raises:
        InputError: if the plan or a table cannot be read.
    """
    facts = Facts.of(run, manifest)
    descriptions = {"croissant": croissant(facts), "datasheet": datasheet(facts)}
    return of_dataset(manifest.id, built, account=account, manifest=manifest, metrics=metrics, **descriptions)


def of_dataset(name: str, built: Dataset, **extras: Any) -> list[Result]:
    """Return the audit of a dataset in our own levels.

    Args:
        name: name of the data set.
        built: its levels.
        extras: further facts, see :func:`coldaisle_analysis.audit.subject.of_level`.
    """
    return audit.audit([of_level(name, getattr(built, level), level, **extras) for level in LEARNED])
