"""Names in the folder of a campaign, beside those of :mod:`coldaisle_contracts.campaign`, and the name of this process among runners."""

import hashlib
import os
import re
import socket
from pathlib import Path

LOG, OUTCOMES = "campaign.log", "outcomes"
"""The log with one line for each attempt, and the folder with the outcomes of all attempts as JSON."""
CLAIMS, LOG_OF_WEEK = ".claims", "log"
"""The hidden folder of the claims, and the log of a week that is being played, in its folder."""


def digest_of_week(plan_digest: str, version: str) -> str:
    """Return the name of a week, 16 hexadecimal digits.

    Args:
        plan_digest: sha256 of its plan, hex.
        version: version of the coldaisle that plays it.
    """
    return hashlib.sha256(f"{plan_digest} {version}".encode()).hexdigest()[:16]


def host() -> str:
    """Return the name of this machine, as a part of a file's name."""
    return re.sub(r"[^A-Za-z0-9-]", "-", socket.gethostname())[:40] or "host"


def runner() -> str:
    """Return the name of this process among all runners: machine, namespace of processes, and process.

    Containers may share a host name, and their processes have the same few numbers.
    """
    return f"{host()}.{Path('/proc/self/ns/pid').stat().st_ino}.{os.getpid()}"
