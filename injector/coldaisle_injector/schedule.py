"""The main loop of the injector: it plays the scripts of the episodes and handles the frames that arrive."""

import select
from collections.abc import Iterable
from pathlib import Path as FilePath

from coldaisle_contracts.addressing import BROKER, MQTT_PORTS
from coldaisle_contracts.clock import END, SECOND, Federate
from coldaisle_contracts.errors import RunError
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.plan import FIRST_READING, Episode, Plan
from coldaisle_contracts.plan_changes import LOOK_NS, PlanChanges
from coldaisle_contracts.shard import Shard
from coldaisle_injector import interlock
from coldaisle_injector.catalogue import Scene, attack_for
from coldaisle_injector.foothold import Foothold
from coldaisle_injector.notes import Notes
from coldaisle_injector.onpath import Path
from coldaisle_injector.script import ScriptRunner
from coldaisle_injector.segments import Segment, read_addresses, read_arp
from coldaisle_injector.stopwatch import Stopwatch
from coldaisle_injector.wire import BROADCAST, OURS, Wire

POLL_S = 0.05
BATCH = 16
"""Frames to handle between two reports to the timekeeper; they take a few milliseconds."""


class MissedError(RunError):
    """Frames came faster than the attacker could read them, so lines are missing in its journal."""

    def __init__(self, dropped: int) -> None:
        remedy = "end other programs on the machine, and make the run again"
        super().__init__(f"the attacker missed {dropped} frames of its own interface: {remedy}")


class Schedule:
    """Plays the episodes of a shard.

    Args:
        plan: the plan.
        shard: the days to play.
        wire: the attacker's socket.
        federate: its membership of the federation.
        journal: its journal.
        changes: follows the plan; ``None`` where nobody can add an episode to it.
        tls: folder of certificates, see :class:`~coldaisle_injector.catalogue.Scene`.
    """

    def __init__(
        self,
        plan: Plan,
        shard: Shard,
        wire: Wire,
        federate: Federate,
        journal: Journal,
        changes: PlanChanges | None = None,
        tls: FilePath = FilePath(),
    ) -> None:
        self._wire, self._federate, self._journal, self._tls = wire, federate, journal, tls
        self._days, self._changes, self._looked_ns = shard.days, changes, 0
        self._times = Stopwatch(federate)
        interval = plan.scenario.interval_s

        def slot_of(at_ns: int) -> int:
            return int((at_ns - plan.start_ns - FIRST_READING) / (interval * SECOND) + 0.5)

        self._paths: dict[str, Path] = {
            unit.host.ip: Path(
                unit, wire, Notes(unit.host, self._times, journal), slot_of, plan.bystanders(unit.name)
            )
            for unit in plan.units.values()
        }
        self._foothold, self._plan = Foothold(wire, self._times, plan.hosts), plan
        self._scripts = ScriptRunner(self._times)
        self._take_on(plan.episodes_on(shard.days))

    def _take_on(self, episodes: Iterable[Episode]) -> None:
        """Add the scripts of the episodes that the attacker plays."""
        for episode in episodes:
            if episode.row.actor == "injector":
                self._scripts.add(attack_for(episode).script(self._scene(episode)))

    def _take_in(self) -> bool:
        """Take in the episodes that were added to the plan meanwhile, and return whether there were any."""
        if self._changes is None or self._times.wall_ns() - self._looked_ns < LOOK_NS:
            return False
        self._looked_ns = self._times.wall_ns()
        added = self._changes.look(self._days)
        if added:
            interlock.refuse_targets(self._changes.plan)
            for path in self._paths.values():
                path.elsewhere = self._changes.plan.bystanders(path.unit.name)
            self._take_on(added)
        return bool(added)

    def _scene(self, episode: Episode) -> Scene:
        """Return the objects that an episode works with: a path and its journal, or a journal of its own."""
        target = self._plan.host_of(episode.unit)
        path = self._paths.get(target.ip) if episode.row.on_path else None
        notes = path.notes if path else Notes(target, self._times, self._journal)
        units = self._plan.units
        unit = units.get(episode.unit) or next(iter(units.values()))
        return Scene(path, self._foothold, notes, unit, self._plan.subscription, self._tls)

    def play(self) -> None:
        """Play until the timekeeper ends the run."""
        requested = over = False
        while True:
            paths_settled = [path.insist() for path in self._paths.values()]
            settled = all(paths_settled) and self._scripts.settled
            if settled and over:
                if dropped := self._wire.dropped():
                    raise MissedError(dropped)
                return
            changed = self._take_in()
            if settled and (changed or not requested):  # a new request replaces the one before
                self._journal.flush()
                self._federate.request(self._scripts.next_ns or END)
            elif requested and not settled:
                self._federate.withdraw()
            requested = settled
            granted = self._wait()
            self._times.look()
            if granted:
                now_ns = self._federate.granted()
                self._times.look()
                requested, over = False, self._scripts.next_ns is None
                self._scripts.run_due(now_ns)
            self._scripts.look()

    def _wait(self) -> bool:
        """Wait for frames and connections, handle them, and return whether the timekeeper has answered."""
        clients = {client.socket: client for client in self._foothold.clients}
        writers = [sock for sock, client in clients.items() if client.waits_to_write]
        ready, writable, _ = select.select(
            [self._wire.socket, self._federate.socket, *clients], writers, [], POLL_S
        )
        self._times.look()
        if self._wire.socket in ready:
            self._relay()
        for sock in writable:
            clients[sock].on_writable()
        for sock in ready:
            if sock in clients:
                clients[sock].on_readable()
        return self._federate.socket in ready

    def _relay(self) -> None:
        """Handle the frames that have arrived, and report to the timekeeper after every few of them."""
        handled = 0
        while (received := self._wire.receive()) is not None:
            frame, outgoing = received
            if outgoing or frame[:6] in (OURS, BROADCAST):
                self._times.look()
                self.handle(frame, outgoing=outgoing)
                self._scripts.look()  # a script that waits for this frame continues at once, however many frames follow
                handled += 1
                if handled % BATCH == 0:
                    self._federate.stir()
        if handled % BATCH:
            self._federate.stir()

    def handle(self, frame: bytes, *, outgoing: bool = False) -> None:
        """Pass a frame to its path, or to the tap where the attacker's own host sent or received it."""
        arp, addresses = read_arp(frame), read_addresses(frame)
        if self._foothold.concerns(arp, addresses):
            self._foothold.tap(frame, outgoing=outgoing)
        if outgoing:
            return
        if arp is not None:  # each path needs to know who asked, also for the attacker
            for path in self._paths.values():
                path.on_arp(arp, frame)
        elif frame[:6] == OURS and addresses is not None:
            upward = addresses[1] == BROKER.ip
            path_between = self._paths.get(addresses[0 if upward else 1])
            if path_between is None or BROKER.ip not in addresses:
                return
            segment = Segment.read(frame)
            if segment is not None and (segment.dport if upward else segment.sport) in MQTT_PORTS:
                path_between.on_segment(segment)
            else:
                path_between.on_other(frame, upward=upward)
