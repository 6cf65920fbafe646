"""Lock files: each pins every distribution, with the sha256 of each file that may be installed for it."""

import re
from dataclasses import dataclass
from pathlib import Path

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.texts import read_text

LOCK = "requirements.lock"
"""File name of the lock of a checkout, and of an image in its folder."""
_PIN = re.compile(
    r"(?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)==(?P<version>[\w.+!]+)(?: ; [^\\\n]+)?"
    r"(?P<hashes>(?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n"
)
_COMMENT = re.compile(r"#.*\n")


@dataclass(frozen=True)
class Pin:
    """Pin of a distribution.

    Attributes:
        version: the one version that may be installed.
        sha256: hashes of its files, hex, sorted: the source and the wheels of every platform.
    """

    version: str
    sha256: tuple[str, ...]


def read(lock: Path) -> dict[str, Pin]:
    """Return the pins of a lock by the name of the distribution, in the order of the file.

    Args:
        lock: a requirements file in which every requirement is ``name==version`` with at least one sha256.

    Raises:
        InputError: if the lock is missing, or a requirement has no exact version or no hash.
    """
    text = read_text(lock, "it cannot be read: restore it from the repository")
    pins: dict[str, Pin] = {}
    at = 0
    while at < len(text):
        if comment := _COMMENT.match(text, at):
            at = comment.end()
            continue
        match = _PIN.match(text, at)
        if match is None:
            line = text.count("\n", 0, at) + 1
            remedy = "it pins no version with a sha256: make the locks again as CONTRIBUTING.md says"
            raise InputError(f"{lock}, line {line}", remedy, text[at:].partition("\n")[0])
        hashes = re.findall(r"[0-9a-f]{64}", match["hashes"])
        pins[match["name"]] = Pin(match["version"], tuple(sorted(hashes)))
        at = match.end()
    return pins
