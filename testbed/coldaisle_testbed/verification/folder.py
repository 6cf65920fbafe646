"""Whether a run's folder holds what its manifest lists, and nothing else: files, hashes, links, analyses."""

import os
from collections.abc import Iterator
from pathlib import Path

from coldaisle_analysis.metadata import CROISSANT
from coldaisle_contracts.analyses import ANALYSES, EXPORT, LATEST, PARTS, AnalysisManifest, analyses_of
from coldaisle_contracts.errors import InputError
from coldaisle_contracts.manifest import MANIFEST, Manifest, digest_of, sha256_of
from coldaisle_testbed.signing import SIGNATURE

_BESIDE = (MANIFEST, SIGNATURE, CROISSANT)
"""Files beside what a manifest lists: the manifest, and what names its sha256, so that neither can be in it."""
_FREE = (ANALYSES, EXPORT, f".{EXPORT}")
"""Folders that may grow after a run was sealed; analyses have manifests of their own, exports are copies that nobody checks."""


def unsealed(run: Path, manifest: Manifest) -> list[str]:
    """Return how a run's folder differs from its manifest, a sentence each; an empty list where it does not."""
    linked = {part for part in PARTS if (run / part).is_symlink()}  # where to, is looked at below
    problems = [*_differences(run, manifest.files, {*_BESIDE, *linked}, _FREE), *_links(run)]
    if (
        CROISSANT not in manifest.files
        and manifest.definition is not None
        and not (run / CROISSANT).is_file()
    ):
        problems.append(f"{CROISSANT}: is missing")
    analyses = analyses_of(run)
    strays = [path for path in (run / ANALYSES).glob("[!.]*") if path not in analyses and path.name != LATEST]
    problems += [f"{path.relative_to(run)}: is no analysis: remove it" for path in sorted(strays)]
    return problems + [sentence for analysis in analyses for sentence in _analysis(run, analysis)]


def _differences(
    folder: Path, listed: dict[str, str], beside: set[str], free: tuple[str, ...] = ()
) -> Iterator[str]:
    """Yield a sentence for each file that is missing, was added, is none, or has another hash."""
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
    """Yield what is in a folder by its path there, and whether it is a file of its own and no link."""
    for place, folders, files in os.walk(folder):
        here = Path(place)
        if here == folder:
            folders[:] = [name for name in folders if name not in free or (here / name).is_symlink()]
        for name in sorted(files + [name for name in folders if (here / name).is_symlink()]):
            path = here / name
            yield str(path.relative_to(folder)), path.is_file() and not path.is_symlink()


def _links(run: Path) -> Iterator[str]:
    """Yield a sentence for each link that leads anywhere but to the newest analysis."""
    for part in PARTS:
        link, there = run / part, Path(ANALYSES, LATEST, part)
        if link.is_symlink() and link.readlink() != there:
            yield f"{part}: leads to {link.readlink()} instead of {there}"
    latest = run / ANALYSES / LATEST
    if latest.is_symlink() and run / ANALYSES / latest.readlink() not in analyses_of(run):
        yield f"{ANALYSES}/{LATEST}: leads to {latest.readlink()}, which is no analysis of this run"


def _analysis(run: Path, analysis: Path) -> Iterator[str]:
    """Yield how an analysis differs from its own manifest, or from the run it is in."""
    name = analysis.relative_to(run)
    try:
        manifest = AnalysisManifest.load(analysis)
    except InputError as error:
        yield str(error)
        return
    if manifest.run_manifest != digest_of(run):
        yield f"{name}/{MANIFEST}: is of another run, or this run's {MANIFEST} was changed"
    for sentence in _differences(analysis, manifest.files, {MANIFEST}):
        yield f"{name}/{sentence}"
