"""The nursery: a process under libfaketime with all imports done, which forks the Python programs of every shard.

Fifty interpreter starts would take longer than the week itself. The nursery imports the programs once. Each shard gets a ward: a child
of the nursery that starts programs in the shard's namespaces and reports their ends.
"""

import array
import gc
import importlib
import json
import os
import select
import selectors
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

from coldaisle_contracts import unforeseen
from coldaisle_contracts.errors import BUSY, FederateError
from coldaisle_contracts.lifeline import die_with_parent
from coldaisle_testbed.interrupts import hear_again, held_back
from coldaisle_testbed.processes import fork, last_words, module, own_shared_memory

WARM = (
    "coldaisle_sensors.controller",
    "coldaisle_sensors.devices.base",
    "coldaisle_sensors.temperature_model",
    "coldaisle_injector.schedule",
    "numpy",
)
"""Modules that the nursery imports before the first fork."""


GARBAGE = 50_000
"""Objects that a program makes before its collector looks for cycles among them: the programs make hardly any."""
_REAL_MONOTONIC = {"FAKETIME_DONT_FAKE_MONOTONIC": "1"}
"""The programs use the monotonic clock for durations only; a faked one would cost a file read per call."""

NAME = "the process that starts the programs"
"""The nursery and its wards in sentences for users."""
SOCKET, LOG = "nursery.sock", "nursery.log"
"""Names of the nursery's socket and of its log in its folder."""
START_S = 60.0
"""Time in which a ward has to start, in s: the nursery imports first. A nursery that died or was stopped is noticed earlier."""
ANSWER_S = 22.0
"""A ward that does not answer within this time has hung, in s."""


class Ward:
    """Client of a shard's ward; it connects when the first program is started.

    Args:
        address: the nursery's socket.

    Attributes:
        pid: process id of the ward, 0 before it has started.
    """

    def __init__(self, address: Path) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._ended: list[tuple[int, int]] = []
        self.pid = 0

    def start(self, package: str, namespace: int, env: dict[str, str], log: Path) -> int:
        """Start a package as a program in a namespace and return its process id.

        Raises:
            FederateError: if the nursery or the ward does not answer or has died.
        """
        if self._socket is None:
            self._socket = self._connected()
            self.pid = self._answer(self._socket, START_S)["ward"]
        request = json.dumps({"package": package, "env": env, "log": str(log)}).encode()
        fds = array.array("i", [namespace])
        with suppress(ConnectionError):  # then the answer reports the end
            self._socket.sendmsg([request], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])
        while "pid" not in (answer := self._answer(self._socket, ANSWER_S)):
            self._ended.append((answer["ended"], answer["code"]))
        return int(answer["pid"])

    def _connected(self) -> socket.socket:
        """Return a connection to the nursery, which may still be starting."""
        until = time.monotonic() + START_S
        connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        while True:
            try:
                connection.connect(str(self._address))
            except OSError as error:
                if time.monotonic() > until:
                    words = last_words(self._address.with_name(LOG))
                    raise FederateError(NAME, f"did not start within {START_S:g} s", words, BUSY) from error
                time.sleep(0.005)
            else:
                return connection

    @staticmethod
    def _answer(connection: socket.socket, patience_s: float) -> dict[str, int]:
        if not select.select([connection], [], [], patience_s)[0]:
            raise FederateError(NAME, f"did not answer for {patience_s:g} s", remedy=BUSY)
        data = b""
        with suppress(ConnectionError):
            data = connection.recv(4096)
        if not data:
            raise FederateError(NAME, "died")
        answer: dict[str, int] = json.loads(data)
        return answer

    def ended(self) -> list[tuple[int, int]]:
        """Return process id and exit code of each program that ended since the last call."""
        with suppress(BlockingIOError, ConnectionError):
            while self._socket and (data := self._socket.recv(4096, socket.MSG_DONTWAIT)):
                answer = json.loads(data)
                self._ended.append((answer["ended"], answer["code"]))
        ended, self._ended = self._ended, []
        return ended

    def close(self) -> None:
        """End the ward and every program that it started."""
        if self._socket:
            self._socket.close()


def open_nursery(folder: Path, env: dict[str, str]) -> "subprocess.Popen[bytes]":
    """Start the nursery under libfaketime; it ends with the calling process.

    Args:
        folder: folder of its socket ``nursery.sock`` and of its log.
        env: the environment that puts it into virtual time.
    """
    parent = os.getpid()

    def begin() -> None:
        hear_again()
        die_with_parent(parent)
        own_shared_memory()

    with (folder / LOG).open("ab") as log, held_back():
        return subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", "coldaisle_testbed.nursery", str(folder / SOCKET)],
            env={**os.environ, **env, **_REAL_MONOTONIC},
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the command line, which ends this process
            preexec_fn=begin,  # noqa: PLW1509 - before any other thread is there
        )


def _serve_ward(connection: socket.socket) -> None:
    """Serve a shard until it closes the connection or ends; the programs that were started end with this process."""
    with suppress(ConnectionError):
        _serve(connection)


def _serve(connection: socket.socket) -> None:
    """Start programs that the shard asks for and report their ends, until it closes the connection."""
    connection.send(json.dumps({"ward": os.getpid()}).encode())
    children: dict[int, int] = {}
    selector = selectors.DefaultSelector()
    selector.register(connection, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is connection:
                data, fds, _, _ = socket.recv_fds(connection, 65536, 1)
                if not data:
                    return
                request = json.loads(data)
                pid = fork(fds[0], request["env"], Path(request["log"]), module(request["package"]))
                os.close(fds[0])
                watch = os.pidfd_open(pid)
                children[watch] = pid
                selector.register(watch, selectors.EVENT_READ)
                connection.send(json.dumps({"pid": pid}).encode())
            else:
                pid = children.pop(key.fd)
                selector.unregister(key.fd)
                os.close(key.fd)
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
                connection.send(json.dumps({"ended": pid, "code": code}).encode())


def _reap(*_: object) -> None:
    """Take note of wards that have ended: only then does the kernel count their processor time as this process's."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def main(address: str) -> None:
    """Listen, import the modules, and fork a ward for every connection."""
    signal.signal(signal.SIGCHLD, _reap)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(address)
    listener.listen(64)
    gc.disable()
    for name in WARM:
        importlib.import_module(name)
    gc.freeze()  # no collector looks at these objects again, so children need not copy their pages
    gc.set_threshold(GARBAGE)
    gc.enable()
    while True:
        connection, _ = listener.accept()
        parent = os.getpid()
        if os.fork() == 0:
            die_with_parent(parent)
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            try:
                unforeseen.run(partial(_serve_ward, connection))
            finally:
                os._exit(0)
        connection.close()


if __name__ == "__main__":
    unforeseen.run(partial(main, sys.argv[1]))
