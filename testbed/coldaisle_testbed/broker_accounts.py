"""The broker's password file, in mosquitto's own format."""

import base64
import hashlib
import os
from pathlib import Path

FILE = "passwords"
"""Name of the file in the timekeeper's folder, in which mosquitto runs; ``broker/mosquitto.conf`` states the same name."""
ROUNDS = 101
"""Iterations of PBKDF2: the default of mosquitto_passwd; nothing here has to be kept secret."""


def write(folder: Path, accounts: dict[str, str]) -> None:
    """Write the password file; without accounts it is empty, and all clients are anonymous.

    Args:
        folder: where it goes; readable by its owner and the group of the daemons.
        accounts: names and passwords.
    """
    path = folder / FILE
    path.unlink(missing_ok=True)
    path.touch(0o640)
    path.write_text("".join(line(*account) for account in accounts.items()), encoding="ascii")


def line(name: str, password: str) -> str:
    """Return the line of a password file that lets an account in: ``name:$7$rounds$salt$hash``, with PBKDF2 (RFC 8018) and SHA-512."""
    salt = os.urandom(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return f"{name}:$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}\n"
