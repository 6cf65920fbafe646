"""Making an analysis of a finished run: in a hidden folder, which appears under the next number by rename, whole or not at all.

The run itself is never touched: a kill at any instant leaves it as it was sealed.
"""

import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from coldaisle_contracts.analyses import ANALYSES, LATEST, PARTS, AnalysisManifest, analyses_of
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import Manifest, digest_of, sha256_of
from coldaisle_contracts.unforeseen import FULL, refused
from coldaisle_testbed import provenance
from coldaisle_testbed.holding import held, is_held
from coldaisle_testbed.stage import hand_over, point

_DIGITS = 3
"""Digits in the name of an analysis, at least."""
MAKING = ".making-"
"""Begins the name of the folder an analysis is made in."""


@contextmanager
def making(run: Path, out: Path | None = None) -> Iterator[Path]:
    """Give a hidden folder to make an analysis in; it is gone again if that fails.

    Args:
        run: the run that is analysed.
        out: the folder the analysis becomes; a new one of the run when left out.

    Raises:
        InputError: if the folder cannot be written to.
    """
    parent = out.absolute().parent if out else run / ANALYSES
    remedy = (
        "name another folder with --out"
        if out
        else f"put the results elsewhere with `coldaisle analyse {run} --out DIR`"
    )
    stage = parent / f"{MAKING}{secrets.token_hex(4)}"
    with ExitStack() as stack:
        try:
            if not parent.exists():
                parent.mkdir(parents=True)
                hand_over(parent)
            while not _begun(stage, stack, sweep=out is None):
                pass  # somebody else begins an analysis this instant
        except OSError as error:
            raise InputError(parent, f"cannot be written ({error.strerror}): {remedy}") from error
        try:
            yield stage
        except OSError as error:
            place = error.filename or parent
            if error.errno in FULL:
                raise refused(error, place) from error
            raise InputError(
                place, f"cannot be written ({error.strerror}): make room, or {remedy}"
            ) from error
        finally:
            shutil.rmtree(stage, ignore_errors=True)


def _begun(stage: Path, stack: ExitStack, *, sweep: bool) -> bool:
    """Make and hold a folder, and sweep beside it; both while nobody else does, who might sweep it before it is held."""
    with held(stage.parent) as is_alone:
        if is_alone:
            if sweep:
                _sweep(stage.parent)
            stage.mkdir()
            stack.enter_context(held(stage))
        return is_alone


def _sweep(parent: Path) -> None:
    """Remove the folders of a run's analyses whose making was cut short: nobody holds them any more."""
    for path in parent.glob(f"{MAKING}*"):
        if not path.is_symlink() and not is_held(path):
            shutil.rmtree(path, ignore_errors=True)


def seal(stage: Path, run: Path, seconds: dict[str, float], *, tuned: bool, weeks: Mapping[str, str]) -> None:
    """Write the manifest of an analysis: what it was made from, and the sha256 of its files.

    Args:
        stage: the folder it was made in.
        run: the run that was analysed.
        seconds: wall time each stage took, s.
        tuned: whether models were tuned first.
        weeks: other runs that models were tried on, see :class:`AnalysisManifest`.
    """
    files = sorted(path for path in stage.rglob("*") if path.is_file())
    AnalysisManifest(
        run=Manifest.load(run).id,
        run_manifest=digest_of(run),
        created=datetime.now(UTC),
        seconds=seconds,
        versions=provenance.versions(),
        commit=provenance.commit(),
        tuned=tuned,
        weeks=dict(weeks),
        files={str(path.relative_to(stage)): sha256_of(path) for path in files},
    ).save(stage)


def place(stage: Path, run: Path, out: Path | None = None) -> Path:
    """Let a finished analysis appear: as ``out``, or in its run under the next number, where the known paths then lead to it."""
    hand_over(stage)
    if out is not None:
        if out.is_dir():
            out.rmdir()
        return stage.rename(out)
    analyses = analyses_of(run)
    number = max([0, *(int(path.name) for path in analyses if path.name.isdigit())]) + 1
    while True:
        final = run / ANALYSES / f"{number:0{_DIGITS}d}"
        try:
            stage.rename(final)
            break
        except OSError:
            if not final.exists():
                raise
            number += 1  # another analysis of this run came first
    point(run / ANALYSES / LATEST, final.name)
    for part in PARTS:
        link = run / part
        if (final / part).exists() and not os.path.lexists(link):
            link.symlink_to(Path(ANALYSES, LATEST, part))
            hand_over(link)
    return final
