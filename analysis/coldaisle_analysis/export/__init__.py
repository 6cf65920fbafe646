"""Exporting a run to what other tools read. A format is a module and a row of :data:`FORMATS`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from coldaisle_analysis.export import csv_files, eve, parquet_files, pcapng, zeek
from coldaisle_analysis.export.source import Source
from coldaisle_analysis.staging import staged
from coldaisle_contracts.errors import InputError


@dataclass(frozen=True)
class Format:
    """One format.

    Attributes:
        what: what is written, and for which tools.
        write: writes a run into an empty folder.
    """

    what: str
    write: Callable[[Source, Path], None]


FORMATS = {
    "parquet": Format(
        "every level, zstd, a folder a day (Hive): DuckDB, Polars, pandas", parquet_files.write
    ),
    "csv": Format("every level as text: anything", csv_files.write),
    "pcapng": Format("the captures, each frame's label as its comment: Wireshark, tshark", pcapng.write),
    "zeek": Format("conn.log and labels.log with #fields and #types: Zeek's tools", zeek.write),
    "eve": Format("eve.json, an mqtt event a message, an alert an attack frame: Suricata's tools", eve.write),
}
"""Every format by its name on the command line, which is its folder's too."""


def export(run: Path, formats: Sequence[str], out: Path | None = None) -> list[Path]:
    """Write a finished run in other formats, a folder each; all of them or, when one fails, none.

    Args:
        run: the run's folder.
        formats: names in :data:`FORMATS`.
        out: where their folders go; ``export`` in the run when left out.

    Returns:
        The folders written.

    Raises:
        InputError: if a format does not exist, a folder is there already or cannot be written, or the run not be read.
    """
    names = _known(formats)
    folder = out or run / "export"
    for name in names:
        if (folder / name).exists():
            raise InputError(folder / name, "exists already: remove it, or name another folder with --out")
    source = Source.of(run)
    with staged(folder.parent / f".{folder.name}") as staging:
        for name in names:
            (staging / name).mkdir()
            FORMATS[name].write(source, staging / name)
        _publish(staging, folder, names)
    return [folder / name for name in names]


def _known(formats: Sequence[str]) -> list[str]:
    """Return the formats asked for, each once."""
    if not formats:
        raise InputError("--to", f"name one or more of {', '.join(FORMATS)}")
    for name in formats:
        if name not in FORMATS:
            raise InputError("--to", f"use one of {', '.join(FORMATS)}", name)
    return list(dict.fromkeys(formats))


def _publish(staging: Path, folder: Path, names: Sequence[str]) -> None:
    """Rename finished folders to where they belong; when one cannot be, none stays there."""
    folder.mkdir(exist_ok=True)
    done: list[str] = []
    try:
        for name in names:
            (staging / name).rename(folder / name)
            done.append(name)
    except OSError:
        for name in done:
            (folder / name).rename(staging / name)
        raise
