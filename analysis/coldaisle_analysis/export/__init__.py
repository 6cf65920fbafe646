"""Export of a run to formats of other tools. A format is a module and a row of :data:`FORMATS`."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from coldaisle_analysis.export import csv_files, eve, parquet_files, pcapng, zeek
from coldaisle_analysis.export.source import Source
from coldaisle_analysis.staging import staged
from coldaisle_contracts.errors import InputError


@dataclass(frozen=True)
class Format:
    """One format of the export.

    Attributes:
        title: content of the files, and the tools that read them.
        write: function that writes a run into an empty folder.
    """

    title: str
    write: Callable[[Source, Path], None]


FORMATS = {
    "parquet": Format(
        "every level, zstd, one folder per day (Hive): DuckDB, Polars, pandas", parquet_files.write
    ),
    "csv": Format("every level as text: any tool", csv_files.write),
    "pcapng": Format("the captures, each frame's label as its comment: Wireshark, tshark", pcapng.write),
    "zeek": Format("conn.log and labels.log with #fields and #types: Zeek's tools", zeek.write),
    "eve": Format(
        "eve.json, one mqtt event per transaction, one alert per attack frame: Suricata's tools", eve.write
    ),
}
"""Every format by its name on the command line, which is also the name of its folder."""


def export(run: Path, formats: Sequence[str], out: Path | None = None) -> list[Path]:
    """Write a finished run in other formats, one folder each; when one fails, none is written.

    Args:
        run: the run's folder.
        formats: names in :data:`FORMATS`.
        out: parent of their folders; by default ``export`` in the run.

    Returns:
        The folders written.

    Raises:
        InputError: if a format is unknown, a folder exists already or cannot be written, or the run cannot be read.
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
    """Return the formats, without repetitions."""
    if not formats:
        raise InputError("--to", f"name one or more of {', '.join(FORMATS)}")
    for name in formats:
        if name not in FORMATS:
            raise InputError("--to", f"use one of {', '.join(FORMATS)}", name)
    return list(dict.fromkeys(formats))


def _publish(staging: Path, folder: Path, names: Sequence[str]) -> None:
    """Rename finished folders to their places; when one rename fails, undo the others."""
    folder.mkdir(exist_ok=True)
    with ExitStack() as undo:
        for name in names:
            (staging / name).rename(folder / name)
            undo.callback((folder / name).rename, staging / name)
        undo.pop_all()
