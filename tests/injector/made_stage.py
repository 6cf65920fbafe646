"""A stage for rogue clients: a real mosquitto on loopback, and virtual time that jumps when no script waits for the wire."""

import select
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tests.injector.made import VICTIM, episode
from tests.published import HOSTS, SITE

from coldaisle_contracts.addressing import Host
from coldaisle_contracts.clock import SECOND
from coldaisle_contracts.journal import Journal, read_journal
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.plan import Episode
from coldaisle_contracts.topics import TOPIC
from coldaisle_injector import client as client_module
from coldaisle_injector import messages
from coldaisle_injector.catalogue import Scene, attack_for
from coldaisle_injector.foothold import Foothold
from coldaisle_injector.notes import Notes
from coldaisle_injector.script import Script, ScriptRunner
from coldaisle_testbed import broker_accounts

HOUSE = Path(__file__).parents[2]
ACCOUNTS = {"operator": "coolant-7"}
NEAR = Host("broker", "broker", "127.0.0.1", "02:42:7f:00:00:01")
LONGEST_S, PATIENCE_S = 60.0, 60.0


class Clocks:
    """Virtual time that stands still until a test moves it, and real time."""

    def __init__(self, now_ns: int = 0) -> None:
        self.now = now_ns

    def now_ns(self) -> int:
        """Return the virtual time, ns."""
        return self.now

    def wall_ns(self) -> int:
        """Return the wall time, ns."""
        return time.monotonic_ns()


class Wire:
    """Keeps the raw frames that were sent."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, frame: bytes) -> None:
        """Keep a frame."""
        self.sent.append(frame)


class Mosquitto:
    """The broker as the testbed configures it, but on loopback and with a complete log.

    Args:
        folder: where it runs.
    """

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind((NEAR.ip, 0))
            self.port = int(probe.getsockname()[1])
        conf = (HOUSE / "broker" / "mosquitto.conf").read_text()
        near = conf.replace("include_dir listeners", f"listener {self.port} {NEAR.ip}")
        folder.mkdir()
        (folder / "near.conf").write_text(near.replace("connection_messages false", "log_type all"))
        broker_accounts.write(folder, ACCOUNTS)
        self._log = folder / "log"
        program = shutil.which("mosquitto")
        assert program is not None
        with self._log.open("wb") as log:
            self._process = subprocess.Popen([program, "-c", "near.conf"], cwd=folder, stdout=log, stderr=log)
        for _ in range(200):
            with suppress(OSError), socket.create_connection((NEAR.ip, self.port), timeout=0.2):
                return
            time.sleep(0.02)
        self.kill()
        raise AssertionError(self._log.read_text())

    def log(self) -> list[str]:
        """Return the lines of its log without their times. The broker is ended first: only then are all lines written."""
        self._process.terminate()
        self._process.wait()
        return [line.partition(": ")[2] for line in self._log.read_text().splitlines()]

    def kill(self) -> None:
        """End the broker."""
        self._process.kill()
        self._process.wait()


class Theatre:
    """Plays rogue episodes.

    Args:
        folder: where the journal goes.
        clocks: time.
    """

    def __init__(self, folder: Path, clocks: Clocks) -> None:
        self.clocks, self.wire = clocks, Wire()
        self._path = folder / "injector.jsonl"
        self._journal = Journal(self._path, "day-1")
        self.foothold = Foothold(self.wire, clocks, HOSTS)  # type: ignore[arg-type]
        self.stage = ScriptRunner(clocks)

    def notes(self) -> Notes:
        """Return a journal for an episode on the broker."""
        return Notes(NEAR, self.clocks, self._journal)

    def lines(self, event: str) -> list[dict[str, Any]]:
        """Return the lines of an event written so far."""
        self._journal.flush()
        return [line for line in read_journal(self._path) if line["event"] == event]

    def play(self, episode: Episode) -> None:
        """Play an episode to its end."""
        over = list[bool]()

        def whole() -> Script:
            yield from attack_for(episode).script(
                Scene(None, self.foothold, self.notes(), SITE.units.get(episode.unit, VICTIM), TOPIC)
            )
            over.append(True)

        self.perform(whole(), over)

    def perform(self, script: Script, over: list[bool]) -> None:
        """Run a script until its last step is done."""
        self.stage.add(script)
        until = time.monotonic() + LONGEST_S
        while not over:
            assert time.monotonic() < until, "the script did not end in time"
            self.listen()
            self.stage.look()
            due = self.stage.next_ns
            if due is not None and self.stage.settled:
                self.clocks.now = max(self.clocks.now, due)
                self.stage.run_due(self.clocks.now)

    def listen(self, patience_s: float = 0.001) -> None:
        """Handle the messages that arrived, as the schedule does."""
        clients = {client.socket: client for client in self.foothold.clients}
        writers = [sock for sock, client in clients.items() if client.waits_to_write]
        ready, writable, _ = select.select([*clients], writers, [], patience_s)
        for sock in writable:
            clients[sock].on_writable()
        for sock in ready:
            clients[sock].on_readable()


def draw_near(patch: pytest.MonkeyPatch, port: int) -> None:
    """Let clients connect to a port of this machine."""

    class _Anybody:
        def __init__(self, hosts: Iterable[Host]) -> None:
            del hosts

        def check_target(self, address: str) -> None:
            assert address == NEAR.ip

    patch.setattr(client_module, "BROKER", NEAR)
    patch.setattr(client_module, "INJECTOR", NEAR)
    patch.setattr(client_module, "MQTT_PORT", port)
    patch.setattr(client_module, "Guard", _Anybody)


class Run:
    """A broker with a stage beside it."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        folder.mkdir()
        self.broker = Mosquitto(folder / "broker")
        self.theatre = Theatre(folder, Clocks())
        draw_near(patch, self.broker.port)

    def play(self, played: Episode) -> list[dict[str, Any]]:
        """Play an episode from its beginning and return its acts."""
        self.theatre.clocks.now = played.begin_ns - SECOND
        self.theatre.play(played)
        return self.theatre.lines("act")

    def begin(self, played: Episode) -> None:
        """Start an episode before its time."""
        self.theatre.clocks.now = played.begin_ns - SECOND
        scene = Scene(
            None,
            self.theatre.foothold,
            self.theatre.notes(),
            SITE.units.get(played.unit, VICTIM),
            TOPIC,
        )
        self.theatre.stage.add(attack_for(played).script(scene))

    def until(self, met: Callable[[], bool], *, jump: bool = False) -> None:
        """Run the scripts until a condition holds; time stands still unless it may jump."""
        limit = time.monotonic() + PATIENCE_S
        stage, clocks = self.theatre.stage, self.theatre.clocks
        while not met():
            assert time.monotonic() < limit
            self.theatre.listen(0.01)
            stage.look()
            if jump and not met() and stage.settled and stage.next_ns is not None:
                clocks.now = stage.next_ns
                stage.run_due(clocks.now)

    def connect(self, client: str, *sent: bytes) -> socket.socket:
        """Return an accepted connection of another client that has sent these messages."""
        sock = socket.create_connection((NEAR.ip, self.broker.port), timeout=PATIENCE_S)
        sock.sendall(messages.connect(client))
        assert sock.recv(4) == b"\x20\x02\x00\x00"
        for message in sent:
            sock.sendall(message)
        return sock

    def kept(self) -> bytes:
        """Return what the broker sends to a new subscriber to `IoT` before it answers a ping."""
        with self.connect("judge", messages.subscribe("IoT", 1), messages.PINGREQ) as sock:
            received = b""
            while not received.endswith(b"\xd0\x00"):
                received += sock.recv(1024)
            sock.sendall(messages.DISCONNECT)
        return received


def rogue(kind: str, **keys: object) -> Episode:
    """Return a short episode of a rogue kind."""
    few = {message.name: 12 for message in KINDS[kind].parameters if message.name == "count"}
    return episode(kind=kind, **{**few, **keys})
