"""Checks of a run's folder against its manifest: files, hashes, links and analyses, and nothing else."""

import os
from collections.abc import Iterator
from pathlib import Path

from coldaisle_analysis.metadata import CROISSANT
from coldaisle_contracts.analyses import ANALYSES, EXPORT, LATEST, PARTS, AnalysisManifest, analyses_of
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST, Manifest, digest_of, sha256_of
from coldaisle_contracts.twins import TWINS, TwinManifest, twins_of
from coldaisle_testbed.signing import SIGNATURE

_BESIDE = (MANIFEST, SIGNATURE, CROISSANT)
"""Files that a manifest cannot list: itself, and those that state its sha256."""
_FREE = (ANALYSES, TWINS, EXPORT, f".{EXPORT}")
"""Folders that may grow after the sealing; analyses and twins have manifests of their own, exports are unchecked copies."""


def unsealed(run: Path, manifest: Manifest) -> list[str]:
    """Return one sentence per difference between a run's folder and its manifest."""
    linked = {part for part in PARTS if (run / part).is_symlink()}  # _links checks the targets
    problems = [*_differences(run, manifest.files, {*_BESIDE, *linked}, _FREE), *_links(run)]
    if (
        CROISSANT not in manifest.files
        and manifest.definition is not None
        and not (run / CROISSANT).is_file()
    ):
        problems.append(f"{CROISSANT}: is missing")
    for place, folders, what in (
        (ANALYSES, analyses_of(run), "analysis"),
        (TWINS, twins_of(run), "comparison with twins"),
    ):
        strays = [path for path in (run / place).glob("[!.]*") if path not in folders and path.name != LATEST]
        problems += [f"{path.relative_to(run)}: is no {what}: remove it" for path in sorted(strays)]
    problems += [
        sentence for folder in analyses_of(run) for sentence in _beside(run, folder, AnalysisManifest)
    ]
    return problems + [
        sentence for folder in twins_of(run) for sentence in _beside(run, folder, TwinManifest)
    ]


def _differences(
    folder: Path, listed: dict[str, str], beside: set[str], free: tuple[str, ...] = ()
) -> Iterator[str]:
    """Yield a sentence for each file that is missing, was added, is no regular file, or has another hash."""
    present = dict(_entries(folder, free))
    for name, digest in listed.items():
        path = folder / name
        if not present.get(name, False):
            yield f"{name}: {'is no file of the run itself' if os.path.lexists(path) else 'is missing'}"
        elif sha256_of(path) != digest:
            yield f"{name}: is not what the manifest says"
    for name, is_file in present.items():
        if name not in listed and name not in beside:
            problem = "was added: move it out of the folder" if is_file else "is a link or no file: remove it"
            yield f"{name}: {problem}"


def _entries(folder: Path, free: tuple[str, ...]) -> Iterator[tuple[str, bool]]:
    """Yield the relative path of each entry of a folder, and whether it is a regular file and no link."""
    for place, folders, files in os.walk(folder):
        here = Path(place)
        if here == folder:
            folders[:] = [name for name in folders if name not in free or (here / name).is_symlink()]
        for name in sorted(files + [name for name in folders if (here / name).is_symlink()]):
            path = here / name
            yield str(path.relative_to(folder)), path.is_file() and not path.is_symlink()


def _links(run: Path) -> Iterator[str]:
    """Yield a sentence for each link that does not lead to the newest analysis."""
    for part in PARTS:
        link, there = run / part, Path(ANALYSES, LATEST, part)
        if link.is_symlink() and link.readlink() != there:
            yield f"{part}: leads to {link.readlink()} instead of {there}"
    latest = run / ANALYSES / LATEST
    if latest.is_symlink() and run / ANALYSES / latest.readlink() not in analyses_of(run):
        yield f"{ANALYSES}/{LATEST}: leads to {latest.readlink()}, which is no analysis of this run"


def _beside(run: Path, folder: Path, kind: type[AnalysisManifest | TwinManifest]) -> Iterator[str]:
    """Yield a sentence for each difference between an analysis, or a comparison with twins, and its manifest, or its run."""
    name = folder.relative_to(run)
    try:
        manifest = kind.load(folder)
    except InputError as error:
        yield str(error)
        return
    if manifest.run_manifest != digest_of(run):
        yield f"{name}/{MANIFEST}: is of another run, or this run's {MANIFEST} was changed"
    for sentence in _differences(folder, manifest.files, {MANIFEST}):
        yield f"{name}/{sentence}"
