"""A finished run made by hand, ways to tamper with it, and a forger's ways to adjust its hashes."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa  # type: ignore[import-untyped]
import pyarrow.parquet as pq  # type: ignore[import-untyped]
from tests.analysis import made_run

from coldaisle_analysis import metadata
from coldaisle_contracts.analyses import AnalysisManifest, analyses_of
from coldaisle_contracts.manifest import Manifest, digest_of, sha256_of
from coldaisle_testbed.conclude import conclude
from coldaisle_testbed.progress import Progress
from coldaisle_testbed.stage import Order

UNITS = ("inrow-13", "inrow-25")
CAPTURE, RAW = "capture/day-1-000.pcap", "capture/raw/day-1-000.pcap"
FILES = (
    "manifest.json",
    "croissant.json",
    "plan.json",
    *(f"journal/{name}.jsonl" for name in (*UNITS, "injector", "capture", "timeline")),
    CAPTURE,
    RAW,
    "software/machine.json",
    *(f"dataset/{level}.{form}" for level in ("packets", "messages", "readings", "flows", "windows")
      for form in ("parquet", "csv")),
    *(f"analyses/001/{name}" for name in ("manifest.json", "SCORECARD.json", "DATASHEET.md")),
)  # fmt: skip
"""Every file of the run."""
Line = dict[str, Any]


def make(folder: Path) -> Path:
    """Make the run in a folder and return the run's own folder: audited, without models."""
    made_run.make(folder / ".made")
    order = Order(engine="netns", shards=1, analyse=False, latest=False, csv=True)
    return conclude(folder / ".made", order, Progress())


def copy(run: Path, folder: Path) -> Path:
    """Return a copy of a run, with links kept."""
    return Path(shutil.copytree(run, folder / "made", symlinks=True))


def refit(run: Path, **facts: Any) -> None:
    """Adjust every hash to the present files, as a forger would: seals of captures, the manifest, and all files with its sha256.

    Args:
        run: the run's folder.
        facts: facts of the manifest to change at the same time.
    """
    lines = read(run / "journal" / "capture.jsonl")
    sealed = [
        {**line, "sha256": sha256_of(run / line["file"]), "raw_sha256": sha256_of(run / line["raw"])}
        for line in lines
    ]
    write(run / "journal" / "capture.jsonl", sealed)
    manifest = json.loads((run / "manifest.json").read_text())
    there = {name: sha256_of(run / name) for name in manifest["files"] if (run / name).is_file()}
    (run / "manifest.json").write_text(json.dumps({**manifest, "files": there, **facts}))
    settle(run)


def settle(run: Path) -> None:
    """Write the manifest's present sha256 into metadata and analyses."""
    (run / "croissant.json").write_text(metadata.metadata(run, Manifest.load(run)))
    for analysis in analyses_of(run):
        manifest = AnalysisManifest.load(analysis)
        manifest.model_copy(update={"run_manifest": digest_of(run)}).save(analysis)


def read(journal: Path) -> list[Line]:
    """Return the lines of a journal."""
    return [json.loads(line) for line in journal.read_text().splitlines()]


def write(journal: Path, lines: list[Line]) -> None:
    """Write a journal."""
    journal.write_text("".join(json.dumps(line) + "\n" for line in lines))


def edit(run: Path, name: str, change: Callable[[list[Line]], list[Line]]) -> None:
    """Change the lines of a journal."""
    path = run / "journal" / f"{name}.jsonl"
    write(path, change(read(path)))


def edit_plan(run: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the plan."""
    plan = json.loads((run / "plan.json").read_text())
    change(plan)
    (run / "plan.json").write_text(json.dumps(plan))


def edit_table(run: Path, level: str, column: str, value: object, row: int = 20) -> None:
    """Change a value of a Parquet table and keep its types."""
    path = run / "dataset" / f"{level}.parquet"
    schema = pq.read_schema(path)
    table = pd.read_parquet(path)
    values = table[column].tolist()
    values[row] = value
    table[column] = pd.Series(values, dtype=object)
    pq.write_table(pa.Table.from_pandas(table, schema, preserve_index=False), path, compression="zstd")


def edit_csv(run: Path, level: str, column: str, value: str, row: int = 20) -> None:
    """Change a value of a CSV table."""
    path = run / "dataset" / f"{level}.csv"
    lines = path.read_text().splitlines(keepends=True)
    at = lines[0].replace('"', "").strip().split(",").index(column)
    cells = lines[row + 1].split(",")
    cells[at] = value
    lines[row + 1] = ",".join(cells)
    path.write_text("".join(lines))


def flip(path: Path, at: int | None = None) -> None:
    """Flip one bit of a file, by default in its middle."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2 if at is None else at] ^= 1
    path.write_bytes(data)


def frames(path: Path) -> list[tuple[int, bytes]]:
    """Return stamp and bytes of every frame of a capture."""
    return made_run.captured(path)
