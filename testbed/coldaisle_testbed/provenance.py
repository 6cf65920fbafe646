"""Provenance of a run: versions and commit of the software that made it, and the packages of its machine or images."""

import importlib.metadata
import platform
import re
import shutil
import subprocess
import tomllib
from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from functools import cache
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from coldaisle_contracts.extensions import Origin
from coldaisle_contracts.manifest import Manifest
from coldaisle_contracts.software import FOLDER, IMAGE, Software

_PLACES = (Path(__file__).resolve().parents[2], Path("/checkout"))
HOUSE = next((place for place in _PLACES if (place / "pyproject.toml").is_file()), _PLACES[0])
"""The checkout of this code, if there is one: around this file, or in a container at the place where the Compose file mounts it."""
_LIBRARIES = (
    "paho-mqtt",
    "scapy",
    "ntplib",
    "numpy",
    "numba",
    "pandas",
    "pyarrow",
    "scipy",
    "scikit-learn",
    "statsmodels",
)
DEBIAN = ("mosquitto", "chrony", "tcpdump", "tshark", "faketime", "libfaketime", "iproute2", "dnsmasq-base")
"""Debian packages that take part in a run."""
PACKAGE = "debian/"
"""Prefix of the names of Debian packages among versions."""
_MACHINE = "machine"
"""Name of the notes on a machine that concludes a run outside of containers."""
PROGRAMS = {
    "mosquitto": ("mosquitto", "-h"),
    "chronyd": ("chrony", "-v"),
    "tcpdump": ("tcpdump", "--version"),
    "tshark": ("tshark", "--version"),
    "dnsmasq": ("dnsmasq-base", "--version"),
}
"""Programs by name: the Debian package, and the option that prints the version."""
_PLAYING = ("mosquitto", "chronyd", "tcpdump")
"""Programs that play a run. The others are known by their packages: tshark takes fifteen times as long as these to say its version."""


def commit() -> str:
    """Return the commit of this source; empty where it is no checkout or git is missing."""
    head, changed = _git("rev-parse", "HEAD"), _git("status", "--porcelain")
    return f"{head}-dirty" if head and changed else head


def committed() -> datetime | None:
    """Return the time of that commit; ``None`` where there is none."""
    instant = _git("log", "-1", "--format=%cI")
    return datetime.fromisoformat(instant) if instant else None


def _git(*arguments: str) -> str:
    """Return the output of a git command on this checkout; empty where it is no checkout."""
    if not (HOUSE / ".git").exists():  # else git would use an outer checkout
        return ""
    ours = ("-c", f"safe.directory={HOUSE}", "-C", str(HOUSE))  # also in a checkout of another user
    done = _ran("git", "--no-optional-locks", *ours, *arguments)
    return done.stdout.strip() if done.returncode == 0 else ""


def _ran(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command; one that is missing or hangs has failed without output."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return subprocess.CompletedProcess(command, 1, "", "")


def version() -> str:
    """Return the version of coldaisle: the checkout's, else the installed package's, else nothing."""
    project = HOUSE / "pyproject.toml"
    if project.is_file():
        return str(tomllib.loads(project.read_text(encoding="utf-8"))["project"]["version"])
    return _installed("coldaisle")


def _installed(name: str) -> str:
    """Return the version of a package that is installed here, nothing where it is not."""
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


@cache
def versions() -> dict[str, str]:
    """Return the version of coldaisle, of Python and of each library that is installed here."""
    machine = {"python": platform.python_version(), "linux": platform.release()}
    packages = {"coldaisle": version(), **{name: _installed(name) for name in _LIBRARIES}}
    return machine | {name: text for name, text in packages.items() if text}


@cache
def here(*added: str) -> Software:
    """Return the packages of this machine that may take part in a run; they are looked for once.

    Args:
        added: names of the packages that added kinds to it.
    """
    held, needed = Software.of(HOUSE / "testbed" / "software", *DEBIAN), _needed(added)
    return held.model_copy(
        update={"python": {name: text for name, text in held.python.items() if name in needed}}
    )


def _needed(added: tuple[str, ...]) -> set[str]:
    """Return the normalised names of the distributions that coldaisle needs, directly or indirectly, without itself and tools for tests.

    Args:
        added: names of packages that count as needed, too.
    """
    needed: set[str] = set()
    queue = [Requirement(name) for name in ("coldaisle", *added)]
    while queue:
        requirement = queue.pop()
        name, extras = canonicalize_name(requirement.name), ("", *requirement.extras)
        names = {f"{name}[{extra}]" for extra in extras}
        if names <= needed:
            continue
        needed |= names
        with suppress(importlib.metadata.PackageNotFoundError):
            for dependency in map(Requirement, importlib.metadata.requires(name) or ()):
                marker = dependency.marker
                if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras):
                    queue.append(dependency)
    return {name.partition("[")[0] for name in needed} - {"coldaisle"}


def note(stage: Path, engine: str, added: Collection[Origin] = ()) -> dict[str, str]:
    """Write down the software of the machine or image that concludes a run, and return the versions of all software that took part.

    Args:
        stage: folder of the run, with the notes of the containers that played it.
        engine: the engine that played it; with containers, no Debian package of this machine took part.
        added: the packages that added kinds to it.
    """
    if IMAGE.is_dir():
        shutil.copytree(IMAGE, stage / FOLDER, dirs_exist_ok=True)
    else:
        held = here(*sorted({origin.package for origin in added}))
        unused: dict[str, dict[str, str]] = {} if engine == "netns" else {"debian": {}}
        held.model_copy(update=unused).save(stage / FOLDER / f"{_MACHINE}.json")
    programs = versions_of_programs() if engine == "netns" else {}
    packages = {origin.package: origin.version for origin in added}
    return versions() | summed(Software.of_run(stage)) | programs | packages


def summed(noted: dict[str, Software]) -> dict[str, str]:
    """Return the versions of bases, libraries, programs and Debian packages of machines and images; several are joined by ``;``."""
    versions_of: dict[str, set[str]] = {}
    for held in noted.values():
        day = f" of {held.made}" if held.made else ""
        stated = {"base": f"{held.base}{day}"}
        stated |= {f"{PACKAGE}{package}": held.debian.get(package, "") for package in DEBIAN}
        stated |= {name: _upstream(held.debian.get(package, "")) for name, (package, _) in PROGRAMS.items()}
        stated |= {library: held.python.get(library, "") for library in _LIBRARIES}
        for name, version in stated.items():
            if version:
                versions_of.setdefault(name, set()).add(version)
    return {name: "; ".join(sorted(texts)) for name, texts in sorted(versions_of.items())}


def _upstream(version: str) -> str:
    """Return the upstream part of a Debian version, ``[epoch:]upstream[-revision]`` (deb-version(7))."""
    return re.sub(r"^\d+:|-[^-]*$", "", version)


@cache
def versions_of_programs() -> dict[str, str]:
    """Return the version that each program on the PATH prints that plays a run; each is asked once."""
    versions_of = {}
    for name in _PLAYING:
        done = _ran(name, PROGRAMS[name][1])
        if version := re.search(r"\d+\.\d+(\.\d+)*", done.stdout + done.stderr):
            versions_of[name] = version[0]
    return versions_of


def made_here(manifest: Manifest) -> bool:
    """Tell whether a run was made by the version and commit of coldaisle that runs now."""
    return (manifest.versions.get("coldaisle"), manifest.commit) == (versions().get("coldaisle"), commit())
