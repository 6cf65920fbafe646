"""MQTT broker of a watch: a mosquitto on loopback that accepts only clients with the password of this watch."""

import os
import pwd
import secrets
import shlex
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.lifeline import die_with_parent
from coldaisle_testbed import broker_accounts
from coldaisle_testbed.processes import accepts

TOPIC = "coldaisle/alarms"
"""Prefix of the topics of alarms, one topic per shard."""
USER = "coldaisle"
"""User name of publisher and subscribers."""
OPTIONS = "mosquitto_sub"
"""File with a subscriber's options; mosquitto_sub reads a file of this name in ``$XDG_CONFIG_HOME``."""
PATIENCE_S = 10.0
"""Time in which mosquitto has to listen, and to end, in s."""
_SYSTEM_USERS = ("mosquitto", "nobody")
"""Users as which mosquitto runs when root starts it: the first that exists."""
_PATH = "/usr/sbin:/sbin:/usr/local/sbin:/usr/bin:/bin:/usr/local/bin"


class Broker:
    """A mosquitto that runs as a system user, or as the caller where that is not root, and ends with this process.

    Its configuration and password file are in memory, so that none is left behind.

    Args:
        port: its TCP port on 127.0.0.1.

    Raises:
        InputError: if mosquitto is missing, or it cannot listen there.
    """

    def __init__(self, port: int) -> None:
        self.password = secrets.token_urlsafe(24)
        self._port = port
        self._options: Path | None = None
        passwords = _in_memory(broker_accounts.line(USER, self.password))
        conf = _in_memory(
            f"listener {port} 127.0.0.1\nallow_anonymous false\npassword_file /proc/self/fd/{passwords}\n"
            "log_dest stderr\nlog_type error\nconnection_messages false\n"
        )
        with tempfile.TemporaryFile("w+") as output:
            try:
                self._process = _started(f"/proc/self/fd/{conf}", (conf, passwords), output.fileno())
            finally:
                os.close(conf)
                os.close(passwords)
            if not self._listens():
                self.close()
                output.seek(0)
                reason = (
                    output.read().strip().rpartition("\n")[2].partition("Error: ")[2] or "no reason given"
                )
                remedy = f"mosquitto cannot listen there ({reason}): choose another port"
                raise InputError("--mqtt", remedy, f"127.0.0.1:{port}")

    def invite(self, folder: Path) -> str:
        """Write a subscriber's options into a file that only the folder's owner can read; it is removed when the broker ends.

        Args:
            folder: folder of the file; it must exist.

        Returns:
            The command that subscribes to all alarms.
        """
        self._options, owner = folder / OPTIONS, folder.stat()
        self._options.unlink(missing_ok=True)
        self._options.touch(0o600)
        if os.geteuid() == 0:
            os.chown(self._options, owner.st_uid, owner.st_gid)
        self._options.write_text(
            f"-h 127.0.0.1\n-p {self._port}\n-u {USER}\n-P {self.password}\n-t {TOPIC}/#\n", encoding="ascii"
        )
        return f"XDG_CONFIG_HOME={shlex.quote(str(folder.absolute()))} mosquitto_sub"

    def close(self) -> None:
        """End mosquitto and remove the file of the subscribers."""
        if self._options is not None:
            self._options.unlink(missing_ok=True)
        self._process.terminate()
        try:
            self._process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _listens(self) -> bool:
        """Wait until mosquitto listens, and tell whether it does."""
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until and self._process.poll() is None:
            if accepts("127.0.0.1", self._port, PATIENCE_S):
                return True
            time.sleep(0.05)
        return False


def _in_memory(text: str) -> int:
    """Return the descriptor of a nameless file with a text, which only its owner can read."""
    file = os.memfd_create("mosquitto")
    os.fchmod(file, 0o600)
    os.write(file, text.encode())
    return file


def _started(conf: str, files: tuple[int, int], error_output: int) -> "subprocess.Popen[bytes]":
    """Start mosquitto with a configuration and open files, never as root."""
    program = shutil.which("mosquitto", path=_PATH)
    if program is None:
        raise InputError(
            "--mqtt", "nothing listens there, and mosquitto is not installed: apt-get install mosquitto"
        )
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        user, group = _account()
        account = {"user": user, "group": group, "extra_groups": ()}
        for file in files:
            os.fchown(file, user, group)
    return subprocess.Popen(  # noqa: S603 - our own arguments
        [program, "-c", conf],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=error_output,
        pass_fds=files,
        # after the change of user, which would undo it
        preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - the child makes one system call
        **account,
    )


def _account() -> tuple[int, int]:
    """Return user and group of mosquitto's system account."""
    for name in _SYSTEM_USERS:
        with suppress(KeyError):
            account = pwd.getpwnam(name)
            return account.pw_uid, account.pw_gid
    raise InputError(
        "--mqtt", f"this machine has no user {' or '.join(_SYSTEM_USERS)} for the listener: make one"
    )
