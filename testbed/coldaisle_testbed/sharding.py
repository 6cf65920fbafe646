"""Player of shards: plays the shards of a run side by side, as many as the machine can hold, and joins them in order."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from subprocess import Popen

from coldaisle_contracts.errors import BUSY, ColdaisleError, FederateError, InputError
from coldaisle_contracts.lifeline import die_with_parent
from coldaisle_contracts.listeners import TLS
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.shard import Shard
from coldaisle_contracts.unforeseen import FULL, as_known
from coldaisle_testbed import broker_listeners, namespaces, shard_folders
from coldaisle_testbed.capacity import side_by_side, slots_here
from coldaisle_testbed.engines.netns import ShardRun
from coldaisle_testbed.interrupts import hear_again, held_back
from coldaisle_testbed.limits import raise_open_files
from coldaisle_testbed.nursery import LOG, NAME, SOCKET, open_nursery
from coldaisle_testbed.processes import Stops, ending, last_words
from coldaisle_testbed.slots import Slots
from coldaisle_testbed.temporary import temporary_folder
from coldaisle_testbed.timekeeper import PATIENCE_S, faketime_env

BEAT_S = 1.0
"""Interval at which the process of a shard sends a heartbeat, in s."""
SLOT_S = 0.1
"""Interval at which a run that has no slot for its next shard asks for one, in s."""
BEAT = "well"
"""The heartbeat; the last message is the error, or ``None``."""
_FORK = multiprocessing.get_context("fork")


def faketime_library() -> str:
    """Return the path of libfaketime.

    Raises:
        InputError: if it is not installed.
    """
    libraries = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
    if not libraries:
        raise InputError("libfaketime", "it is not installed: apt-get install faketime")
    return str(libraries[0])


def play(
    plan: Plan,
    stage: Path,
    shards: int,
    progress: Callable[[str], None],
    meanwhile: Callable[[], None] = lambda: None,
) -> list[Shard]:
    """Play a plan on the netns engine, its shards side by side, into ``stage``; sealed shards are kept.

    Args:
        plan: the plan to play.
        stage: folder made by :func:`~coldaisle_testbed.shard_folders.prepare`.
        shards: greatest number of shards.
        progress: called with one line per step.
        meanwhile: called in a thread of its own once the first shard is done and leaves a processor free.

    Returns:
        The shards, in order.

    Raises:
        ColdaisleError: the first failure; everything that was started has ended by then.
    """
    namespaces.settle()
    all_shards = Shard.split(plan.scenario.days, shards)
    if not shard_folders.are_joined(stage):
        sealed = shard_folders.drop_unsealed(stage)
        missing = [shard for shard in all_shards if str(shard) not in sealed]
        if missing:
            _play_all(plan, stage, missing, progress, meanwhile)
        shard_folders.join(stage, all_shards)
    return all_shards


def _play_all(
    plan: Plan,
    stage: Path,
    shards: list[Shard],
    progress: Callable[[str], None],
    meanwhile: Callable[[], None],
) -> None:
    with temporary_folder(stage) as folder:
        library = faketime_library()
        (folder / "offset").write_text("+0.000000000s", encoding="ascii")
        broker_listeners.certify(folder, plan)
        nursery = open_nursery(folder, faketime_env(folder, library))
        playing = _Player(plan, stage, folder, library, nursery)
        thread = threading.Thread(target=meanwhile, daemon=True)  # so that failures are noticed meanwhile
        try:
            for shard in playing.play(shards):
                progress(f"{shard} played and sealed")
                if thread.ident is None and not playing.waiting:  # a process with threads must not fork
                    thread.start()
            thread.join()
        finally:
            playing.end()


@dataclass
class _PlayedShard:
    """A shard that is being played.

    Attributes:
        shard: the shard.
        process: the process that plays it.
        heard_s: when its last message came, in s of the monotonic clock.
    """

    shard: Shard
    process: multiprocessing.context.ForkProcess
    heard_s: float


class _Player:
    """Player of shards, each in a process of its own; it watches these processes and the nursery.

    Args:
        plan: the plan to play.
        stage: folder of the run.
        folder: temporary folder of the run.
        library: path of libfaketime.
        nursery: the process that starts the programs.

    Attributes:
        waiting: shards that have not started yet.
    """

    def __init__(self, plan: Plan, stage: Path, folder: Path, library: str, nursery: Popen[bytes]) -> None:
        self._plan, self._stage, self._folder, self._library = plan, stage, folder, library
        self._nursery, self._stops = nursery, Stops(PATIENCE_S)
        self._slots = Slots(None, slots_here(len(plan.devices)))
        self._running: dict[Connection, _PlayedShard] = {}
        self.waiting: list[Shard] = []

    def play(self, shards: list[Shard]) -> Iterator[Shard]:
        """Yield each shard when it is played; run as many at a time as the machine can hold, together with other runs.

        Raises:
            ColdaisleError: for the first shard that fails or hangs.
        """
        self.waiting, most = list(shards), side_by_side(len(self._plan.devices))
        while self.waiting or self._running:
            while self.waiting and len(self._running) < most and (slot := self._slots.take()) is not None:
                self._begin(self.waiting.pop(0), slot)
            for ready in wait(list(self._running), SLOT_S if self.waiting else BEAT_S):
                assert isinstance(ready, Connection)  # noqa: S101 - nothing else is waited for
                if shard := self._receive(ready):
                    yield shard
            self._check()

    def end(self) -> None:
        """End every process that was started."""
        for running in self._running.values():
            running.process.kill()
        self._nursery.kill()
        for running in self._running.values():
            running.process.join()
        self._nursery.wait()

    def _begin(self, shard: Shard, slot: int) -> None:
        """Start the process of a shard, which holds the slot until it ends."""
        receiver, sender = _FORK.Pipe(duplex=False)
        arguments = (self._plan, shard, self._stage, self._folder, self._library, os.getpid(), sender)
        process = _FORK.Process(target=_play_one, args=arguments)
        with held_back():
            process.start()
        sender.close()
        os.close(slot)
        self._running[receiver] = _PlayedShard(shard, process, time.monotonic())

    def _receive(self, pipe: Connection) -> Shard | None:
        """Receive a message of a shard; return the shard when it is done."""
        running = self._running[pipe]
        try:
            message: str | ColdaisleError | None = pipe.recv()
        except EOFError:
            running.process.join()
            message = FederateError(f"the process of {running.shard}", ending(running.process.exitcode or 0))
        running.heard_s = time.monotonic()
        if message == BEAT:
            return None
        del self._running[pipe]
        running.process.join()
        if isinstance(message, ColdaisleError):
            self._check_nursery()  # if it died, so did the programs that it started
            raise message
        return running.shard

    def _check(self) -> None:
        """Raise when a shard has sent no heartbeat for too long, or the nursery has ended or was stopped."""
        for running in self._running.values():
            if time.monotonic() - running.heard_s > PATIENCE_S:
                raise FederateError(
                    f"the process of {running.shard}",
                    f"gave no sign of life for {PATIENCE_S:g} s",
                    remedy=BUSY,
                )
        if self._running:
            self._check_nursery()

    def _check_nursery(self) -> None:
        log = self._folder / LOG
        if (code := self._nursery.poll()) is not None:
            raise FederateError(NAME, ending(code), last_words(log))
        self._stops.look({self._nursery.pid: NAME})


def _play_one(
    plan: Plan, shard: Shard, stage: Path, folder: Path, library: str, parent: int, result: Connection
) -> None:
    die_with_parent(parent)
    os.setsid()  # signals of the terminal are for the command line, which ends this process
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    hear_again()
    raise_open_files(len(plan.devices))
    signal.signal(signal.SIGALRM, lambda *_: result.send(BEAT))
    signal.setitimer(signal.ITIMER_REAL, BEAT_S, BEAT_S)
    shard_stage, federation = shard_folders.folder_of(stage, shard), folder / str(shard)
    failure: ColdaisleError | None = None
    try:
        shard_folders.prepare(shard_stage, plan)
        federation.mkdir(0o700)
        (federation / TLS).symlink_to(folder / TLS)
        ShardRun(plan, shard, shard_stage, federation, folder / SOCKET, library).play()
        shard_folders.seal(shard_stage)
    except ColdaisleError as error:
        failure = error
    except OSError as error:
        failure = as_known(error)
        if error.errno not in FULL:
            remedy = f"{failure}, and run `coldaisle doctor` to see what this machine lacks"
            failure = InputError(str(shard), remedy)
    except Exception as error:  # noqa: BLE001 - report the place of an unforeseen error before this process ends
        failure = FederateError(str(shard), "failed", str(as_known(error)))
    signal.setitimer(signal.ITIMER_REAL, 0)
    result.send(failure)
