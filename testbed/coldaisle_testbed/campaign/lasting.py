"""Children of a thread that lasts as long as this process.

The kernel kills a child when the *thread* that started it ends (PDEATHSIG), and a pool may end its threads at any time.
"""

import os
import subprocess
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import IO

from coldaisle_contracts.lifeline import die_with_parent

_Order = tuple[Sequence[str], Path, IO[bytes], "Future[subprocess.Popen[bytes]]"]
_orders: SimpleQueue[_Order] = SimpleQueue()
_lock = threading.Lock()
_starter: threading.Thread | None = None


def start(command: Sequence[str], folder: Path, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    """Start a program in a session of its own; it is killed when this process ends, however that ends.

    Args:
        command: its command line.
        folder: its working folder.
        log: gets what it prints.

    Raises:
        OSError: if it cannot be started.
    """
    global _starter  # noqa: PLW0603 - one thread per process
    with _lock:
        if _starter is None:
            _starter = threading.Thread(target=_serve, name="starter", daemon=True)
            _starter.start()
    started: Future[subprocess.Popen[bytes]] = Future()
    _orders.put((command, folder, log, started))
    return started.result()


def _serve() -> None:
    while True:
        command, folder, log, started = _orders.get()
        try:
            process = subprocess.Popen(  # noqa: S603 - our own command
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=partial(die_with_parent, os.getpid()),  # noqa: PLW1509 - one system call
            )
        except BaseException as error:  # noqa: BLE001 - raised where the program was ordered
            started.set_exception(error)
        else:
            started.set_result(process)
