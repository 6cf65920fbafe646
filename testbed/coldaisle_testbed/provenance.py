"""Where a run comes from: the versions and commit of what made it."""

import importlib.metadata
import platform
import re
import subprocess
from functools import cache
from pathlib import Path

from coldaisle_contracts.manifest import Manifest

HOUSE = Path(__file__).resolve().parents[2]
"""The checkout this runs from, where there is one."""
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
_TOOLS = {
    "mosquitto": ["mosquitto", "-h"],
    "chronyd": ["chronyd", "-v"],
    "tcpdump": ["tcpdump", "--version"],
    "tshark": ["tshark", "--version"],
}


def commit() -> str:
    """Return the commit this source is of, empty where it is no checkout or there is no git."""
    if not (HOUSE / ".git").exists():  # or git would name the checkout around it
        return ""
    git = ["git", "-c", f"safe.directory={HOUSE}", "-C", str(HOUSE)]  # whoever owns it
    head, changed = _said([*git, "rev-parse", "HEAD"]), _said([*git, "status", "--porcelain"])
    return f"{head}-dirty" if head and changed else head


def _said(command: list[str]) -> str:
    """Return what a command says, nothing where it fails or is not there."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


@cache
def versions() -> dict[str, str]:
    """Return the version of coldaisle and of each library and tool found here."""
    found = {"python": platform.python_version(), "linux": platform.release()}
    for name in ("coldaisle", *_LIBRARIES):
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    for name, command in _TOOLS.items():
        try:
            said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            continue
        if version := re.search(r"\d+\.\d+(\.\d+)*", said.stdout + said.stderr):
            found[name] = version[0]
    return found


def made_here(manifest: Manifest) -> bool:
    """Tell whether the coldaisle that runs now made a run."""
    return (manifest.versions.get("coldaisle"), manifest.commit) == (versions().get("coldaisle"), commit())
