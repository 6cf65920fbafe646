"""The schedule: the plan's episodes as timed calls, played between frames that arrive."""

import heapq
import itertools
import select
from collections.abc import Callable
from functools import partial

from coldaisle_contracts.addressing import BROKER, INJECTOR, MQTT_PORT, UNITS
from coldaisle_contracts.clock import END, SECOND, Federate
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.plan import FIRST_READING, Episode, Plan
from coldaisle_contracts.shard import Shard
from coldaisle_injector.catalogue import attack_for
from coldaisle_injector.notes import Notes
from coldaisle_injector.onpath import Path
from coldaisle_injector.segments import Segment, read_addresses, read_arp
from coldaisle_injector.stopwatch import Stopwatch
from coldaisle_injector.wire import Wire

POLL_S = 0.05
BATCH = 16
"""How many frames are handled before the timekeeper hears of it: a few milliseconds' worth."""
_BROADCAST = b"\xff" * 6
_OURS = bytes.fromhex(INJECTOR.mac.replace(":", ""))


class Schedule:
    """Plays the episodes of a shard.

    Args:
        plan: the plan.
        shard: the days to play.
        wire: the attacker's socket.
        federate: its seat in the federation.
        journal: its journal.
    """

    def __init__(self, plan: Plan, shard: Shard, wire: Wire, federate: Federate, journal: Journal) -> None:
        self._wire, self._federate, self._journal = wire, federate, journal
        self._times = Stopwatch(federate)
        interval = plan.scenario.interval_s

        def slot_of(at_ns: int) -> int:
            return int((at_ns - plan.start_ns - FIRST_READING) / (interval * SECOND) + 0.5)

        self._paths: dict[str, Path] = {
            UNITS[unit].ip: Path(UNITS[unit], wire, Notes(UNITS[unit], self._times, journal), slot_of)
            for unit in plan.scenario.units
        }
        self._order = itertools.count()
        self._calls: list[tuple[int, int, Callable[[], None]]] = []
        for episode in plan.episodes_on(shard.days):
            self._add(episode)

    def _add(self, episode: Episode) -> None:
        path, attack = self._paths[UNITS[episode.unit].ip], attack_for(episode)
        self._at(episode.approach_ns, partial(path.approach, episode.id, attack))
        self._at(episode.begin_ns, path.begin)
        for act in attack.copies():
            for number, copy_ns in enumerate(act.times_ns, 1):
                self._at(copy_ns, partial(path.copy, act.slot, act.sensor, number))
        self._at(episode.end_ns, path.leave)

    def _at(self, when_ns: int, call: Callable[[], None]) -> None:
        heapq.heappush(self._calls, (when_ns, next(self._order), call))

    def play(self) -> None:
        """Play until the timekeeper ends the run."""
        asked = over = False
        while True:
            settled = all(path.settled for path in self._paths.values())
            if settled and over:
                return
            if settled and not asked:
                self._journal.flush()
                self._federate.request(self._calls[0][0] if self._calls else END)
            elif asked and not settled:
                self._federate.withdraw()
            asked = settled
            ready, _, _ = select.select([self._wire.socket, self._federate.socket], [], [], POLL_S)
            self._times.look()
            if self._wire.socket in ready:
                self._relay()
            if self._federate.socket in ready:
                now_ns = self._federate.granted()
                asked, over = False, not self._calls
                self._run_due(now_ns)
            for path in self._paths.values():
                path.insist()

    def _run_due(self, now_ns: int) -> None:
        """Make every call that is due."""
        while self._calls and self._calls[0][0] <= now_ns:
            heapq.heappop(self._calls)[2]()

    def _relay(self) -> None:
        """Handle the frames that have come; have time rest a little after every few of them."""
        handled = 0
        while (frame := self._wire.receive()) is not None:
            if frame[:6] in (_OURS, _BROADCAST):
                self._times.look()
                self.handle(frame)
                handled += 1
                if handled % BATCH == 0:
                    self._federate.stir()
        if handled % BATCH:
            self._federate.stir()

    def handle(self, frame: bytes) -> None:
        """Hand a frame to the path it belongs to."""
        if (arp := read_arp(frame)) is not None:
            for path in self._paths.values():
                path.on_arp(arp, frame)
        elif frame[:6] == _OURS and (addresses := read_addresses(frame)) is not None:
            upward = addresses[1] == BROKER.ip
            path_between = self._paths.get(addresses[0 if upward else 1])
            if path_between is None or BROKER.ip not in addresses:
                return
            segment = Segment.read(frame)
            if segment is not None and (segment.dport if upward else segment.sport) == MQTT_PORT:
                path_between.on_segment(segment)
            else:
                path_between.on_other(frame, upward=upward)
