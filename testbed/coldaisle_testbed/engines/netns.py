"""The engine in network namespaces: plays a shard with the daemons of the distribution."""

import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from coldaisle_contracts.addressing import BROKER, INJECTOR, NTP, NTP_PORT
from coldaisle_contracts.errors import BUSY, ColdaisleError, FederateError, InputError
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.shard import Shard
from coldaisle_testbed import broker_accounts, broker_listeners, namespaces, services
from coldaisle_testbed.nursery import NAME, Ward
from coldaisle_testbed.processes import Stops, accepts, ending, fork, last_words, module, program
from coldaisle_testbed.stillness import Stillness
from coldaisle_testbed.timekeeper import PATIENCE_S, faketime_env, keeper_of, shard_names

HOUSE = Path(__file__).resolve().parents[3]
"""The checkout, which holds the configuration of the daemons."""
HEALTHY_S = 15.0
"""Time in which a daemon has to answer, in s."""

_DAEMONS = (BROKER.name, NTP.name, *services.ANSWERS)
"""Programs that end with the shard, and not before."""
_REACT = (*_DAEMONS, INJECTOR.name)
"""Programs that act on what they hear, beside the companions; the units do so before they ask for time."""
MOSQUITTO = ["mosquitto", "-c", str(HOUSE / "broker" / "mosquitto.conf")]
CHRONYD = ["chronyd", "-x", "-d", "-u", "root"]
"""``-x``: chronyd never sets the clock of the machine."""


class ShardRun:
    """One shard on the netns engine, from empty namespaces to sealed captures.

    Args:
        plan: the plan to play.
        shard: the days to play.
        stage: the shard's own run folder, with ``plan.json``, ``journal/`` and ``capture/raw/``.
        folder: the shard's own temporary folder for socket, offset and logs.
        nursery: socket of the nursery.
        library: path of libfaketime.
    """

    def __init__(
        self, plan: Plan, shard: Shard, stage: Path, folder: Path, nursery: Path, library: str
    ) -> None:
        self._plan, self._shard, self._stage, self._folder = plan, shard, stage, folder
        self._library = library
        self._ward = Ward(nursery)
        self._names: dict[int, str] = {}
        self._children: dict[int, str] = {}
        self._codes: dict[str, int] = {}
        self._stops = Stops(PATIENCE_S)

    def play(self) -> None:
        """Play the shard.

        Raises:
            FederateError: if a program dies or hangs, with its last words.
            InputError: if the machine refuses something to a program, such as space on the disk.
        """
        hosts = self._plan.hosts
        spaces = namespaces.build(hosts)
        broker_accounts.write(self._folder, self._plan.scenario.accounts)
        services.write(self._folder, self._plan)
        broker_listeners.write(self._folder, self._plan.scenario.site.broker, self._stage / "capture")
        stillness = Stillness([spaces[host.name] for host in hosts])
        keeper = keeper_of(self._plan, self._shard, self._folder, self._stage, self._supervise, stillness)
        try:
            self._start_daemons(spaces)
            self._start_programs(spaces)
            for pid, name in {**self._children, **self._names}.items():
                if name in _REACT or name in self._plan.companions:
                    stillness.watch(pid)
            keeper.serve()
            self._await_programs(shard_names(self._plan.devices))
        except FederateError as error:
            raise self._explained(error) from error
        finally:
            stillness.close()
            self._end(spaces)

    def _log(self, name: str) -> Path:
        return self._folder / f"{name}.log"

    def _start_daemons(self, spaces: dict[str, int]) -> None:
        env = faketime_env(self._folder, self._library)
        chronyd = [*CHRONYD, *_chrony_directives(), f"pidfile {self._folder / 'chronyd.pid'}"]
        background = self._plan.scenario.site.background
        wanted = background.services if background else ()
        serving = {name: command for name, command in services.commands(HOUSE).items() if name in wanted}
        for name, command in {BROKER.name: MOSQUITTO, NTP.name: chronyd, **serving}.items():
            pid = fork(spaces[BROKER.name], env, self._log(name), program(command, self._folder))
            self._children[pid] = name
        with namespaces.inside(spaces[BROKER.name]):
            for port in broker_listeners.ports(self._plan.scenario.site.broker):
                self._await_healthy(BROKER.name, partial(accepts, "127.0.0.1", port, 0.2))
            self._await_healthy(NTP.name, _ntp_answers)
            for name in serving:
                self._await_healthy(name, services.ANSWERS[name])

    def _await_healthy(self, name: str, answers: Callable[[], bool]) -> None:
        until = time.monotonic() + HEALTHY_S
        while not answers():
            self._supervise()
            if time.monotonic() > until:
                raise FederateError(name, f"did not answer within {HEALTHY_S:g} s", remedy=BUSY)
            time.sleep(0.02)

    def _start_programs(self, spaces: dict[str, int]) -> None:
        env = {
            "COLDAISLE_RUN": str(self._stage),
            "COLDAISLE_FEDERATION": str(self._folder),
            "COLDAISLE_SHARD": str(self._shard),
            "COLDAISLE_OUTSIDE": str(Path("/proc/thread-self/ns/net").stat().st_ino),
        }
        capture = fork(spaces[BROKER.name], env, self._log("capture"), module("coldaisle_capture"))
        self._children[capture] = "capture"
        env |= faketime_env(self._folder, self._library)
        pid = self._ward.start("coldaisle_injector", spaces[INJECTOR.name], env, self._log("injector"))
        self._names[pid] = "injector"
        for name in self._plan.devices:
            own_env = env | {"COLDAISLE_UNIT": name}
            self._names[self._ward.start("coldaisle_sensors", spaces[name], own_env, self._log(name))] = name

    def _supervise(self) -> None:
        """Raise when a program ended with an error or was stopped for too long, or a daemon ended."""
        for name, code in self._ended().items():
            if code != 0 or name in _DAEMONS:
                raise FederateError(name, ending(code))
        self._stops.look({**self._children, self._ward.pid: NAME})

    def _ended(self) -> dict[str, int]:
        """Return the exit codes, by name, of the programs that ended since the last call."""
        fresh = {self._names.get(pid, str(pid)): code for pid, code in self._ward.ended()}
        for pid, name in list(self._children.items()):
            ended_pid, status = os.waitpid(pid, os.WNOHANG)
            if ended_pid:
                del self._children[pid]
                fresh[name] = os.waitstatus_to_exitcode(status)
        self._codes |= fresh
        return fresh

    def _await_programs(self, names: set[str]) -> None:
        until = time.monotonic() + HEALTHY_S
        while missing := names - self._codes.keys():
            self._supervise()
            if time.monotonic() > until:
                raise FederateError(
                    ", ".join(sorted(missing)), "did not end when all was played", remedy=BUSY
                )
            time.sleep(0.005)

    def _explained(self, error: FederateError) -> ColdaisleError:
        """Return the error of a shard: what the machine refused to a program, else the end of the failed program with its last words."""
        time.sleep(0.1)  # its last words and exit code may not have arrived
        self._ended()
        for name, code in self._codes.items():
            if code == InputError.exit_code and (words := last_words(self._log(name), 1)):
                place, _, remedy = words.removeprefix("coldaisle: ").partition(": ")
                return InputError(place, remedy)
        event = ending(self._codes[error.name]) if error.name in self._codes else error.what
        return FederateError(error.name, event, last_words(self._log(error.name)), error.remedy)

    def _end(self, spaces: dict[str, int]) -> None:
        self._ward.close()
        for pid in self._children:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
        for namespace in spaces.values():
            os.close(namespace)


def _chrony_directives() -> list[str]:
    """Return the directives of ``ntp/chrony.conf``; the file itself cannot give each shard its own pidfile."""
    lines = (HOUSE / "ntp" / "chrony.conf").read_text(encoding="utf-8").splitlines()
    directives = [line.strip() for line in lines if line.strip() and line.strip()[0] not in "#!;%"]
    return [line for line in directives if not line.startswith("pidfile")]


def _ntp_answers() -> bool:
    """Tell whether the NTP server answers a client's request (mode 3, version 4)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(0.2)
        with suppress(OSError):
            sock.connect(("127.0.0.1", NTP_PORT))
            sock.send(bytes([0x23]) + bytes(47))
            answer = sock.recv(512)
            return answer[0] & 7 == 4 and answer[1] not in (0, 16)  # noqa: PLR2004 - server mode, stratum known
    return False
