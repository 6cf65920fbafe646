"""The broker's password file, in mosquitto's own format."""

import base64
import hashlib
import os
from pathlib import Path

FILE = "passwords"
"""Its name in the timekeeper's folder, where mosquitto runs: ``broker/mosquitto.conf`` names it the same."""
ROUNDS = 101
"""Iterations of PBKDF2, mosquitto_passwd's default; the testbed guards nothing."""


def write(folder: Path, accounts: dict[str, str]) -> None:
    """Write the password file; without accounts it is empty, and everybody stays anonymous.

    Args:
        folder: where it goes; readable by its owner, the broker, alone.
        accounts: names and passwords.
    """
    lines = [f"{name}:{_hashed(password, os.urandom(12))}\n" for name, password in accounts.items()]
    path = folder / FILE
    path.write_text("".join(lines), encoding="ascii")
    path.chmod(0o600)


def _hashed(password: str, salt: bytes) -> str:
    """Return ``$7$rounds$salt$hash``, as mosquitto reads it: PBKDF2 (RFC 8018) with SHA-512."""
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return f"$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"
