"""Analyses of a finished run: each is made in a hidden folder and appears under the next number by rename, whole or not at all.

The run itself is never touched: it stays as it was sealed, even if the process is killed.
"""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from types import MappingProxyType

from coldaisle_contracts import texts
from coldaisle_contracts.analyses import ANALYSES, LATEST, PARTS, AnalysisManifest
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest, digest_of, sha256_of
from coldaisle_contracts.unforeseen import FULL, refused
from coldaisle_testbed import provenance
from coldaisle_testbed.holding import held, is_held
from coldaisle_testbed.stage import hand_over, point

_DIGITS = 3
"""Least number of digits in the name of an analysis."""
MAKING = ".making-"
"""Prefix of the name of the folder in which an analysis is made."""


@contextmanager
def making(run: Path, out: Path | None = None, kind: str = ANALYSES) -> Iterator[Path]:
    """Yield a hidden folder in which an analysis is made; it is removed if that fails.

    Args:
        run: the run that is analysed.
        out: the folder that the analysis becomes; by default a new one in the run.
        kind: folder in the run for what is made: its analyses or its comparisons with twins.

    Raises:
        InputError: if the folder cannot be written to.
    """
    parent = out.absolute().parent if out else run / kind
    elsewhere = (
        f"put the results elsewhere with `coldaisle analyse {run} --out DIR`"
        if kind == ANALYSES
        else "copy the run to a folder that you may write to"
    )
    remedy = "name another folder with --out" if out else elsewhere
    stage = parent / f"{MAKING}{secrets.token_hex(4)}"
    with ExitStack() as stack:
        with texts.writable(parent, remedy):
            if not parent.exists():
                parent.mkdir(parents=True)
                hand_over(parent)
            while not _begun(stage, stack, sweep=out is None):
                pass  # another process begins an analysis at this moment
        try:
            yield stage
        except OSError as error:
            place = error.filename or parent
            if error.errno in FULL:
                raise refused(error, place) from error
            raise InputError(
                place, f"it cannot be written ({error.strerror}): make room, or {remedy}"
            ) from error
        finally:
            shutil.rmtree(stage, ignore_errors=True)


def _begun(stage: Path, stack: ExitStack, *, sweep: bool) -> bool:
    """Make and lock a folder, and sweep beside it; return whether this process had the parent to itself.

    The parent is locked meanwhile, so that no other process sweeps the new folder before it is locked.
    """
    with held(stage.parent) as is_alone:
        if is_alone:
            if sweep:
                _sweep(stage.parent)
            stage.mkdir()
            stack.enter_context(held(stage))
        return is_alone


def _sweep(parent: Path) -> None:
    """Remove the folders of interrupted analyses: those that no process holds."""
    for path in parent.glob(f"{MAKING}*"):
        if not path.is_symlink() and not is_held(path):
            shutil.rmtree(path, ignore_errors=True)


def seal(
    stage: Path,
    run: Path,
    seconds: dict[str, float],
    *,
    tuned: bool,
    weeks: Mapping[str, str],
    packages: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Write the manifest of an analysis: its sources and the sha256 of its files.

    Args:
        stage: the folder in which it was made.
        run: the run that was analysed.
        seconds: wall time of each step, in s.
        tuned: whether the models were tuned.
        weeks: other runs on which the models were tested, see :class:`AnalysisManifest`.
        packages: version of each package that added models to it.
    """
    files = sorted(path for path in stage.rglob("*") if path.is_file())
    AnalysisManifest(
        run=Manifest.load(run).id,
        run_manifest=digest_of(run),
        created=datetime.now(UTC),
        seconds=seconds,
        versions=provenance.versions() | dict(packages),
        commit=provenance.commit(),
        tuned=tuned,
        weeks=dict(weeks),
        files={str(path.relative_to(stage)): sha256_of(path) for path in files},
    ).save(stage)


def place(stage: Path, run: Path, out: Path | None = None) -> Path:
    """Move a finished analysis to ``out``, or into its run under the next number, and point the run's links to it."""
    hand_over(stage)
    if out is not None:
        if out.is_dir():
            out.rmdir()
        return stage.rename(out)
    final = place_in(stage, run / ANALYSES)
    point(run / ANALYSES / LATEST, final.name)
    for part in PARTS:
        link = run / part
        if (final / part).exists() and not os.path.lexists(link):
            link.symlink_to(Path(ANALYSES, LATEST, part))
            hand_over(link)
    return final


def place_in(stage: Path, folder: Path) -> Path:
    """Move what was made in a stage into a folder under the next number, and return its place."""
    hand_over(stage)
    newest = max((int(path.name) for path in folder.iterdir() if path.name.isdigit()), default=0)
    for number in count(newest + 1):
        final = folder / f"{number:0{_DIGITS}d}"
        try:
            return stage.rename(final)
        except OSError:
            if not final.exists():
                raise  # else another process came first
    raise AssertionError  # the numbers do not end
