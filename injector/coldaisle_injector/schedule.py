"""The schedule: the plan's episodes as timed calls, played between frames that arrive."""

import heapq
import itertools
import select
from collections.abc import Callable
from functools import partial

from coldaisle_contracts.addressing import BROKER, INJECTOR, UNITS
from coldaisle_contracts.clock import END, SECOND, Federate
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.plan import FIRST_READING, Episode, Plan
from coldaisle_contracts.shard import Shard
from coldaisle_injector.catalogue import attack_for
from coldaisle_injector.frames import Segment, read_addresses, read_arp
from coldaisle_injector.onpath import Path, is_between
from coldaisle_injector.stopwatch import Stopwatch
from coldaisle_injector.wire import Wire

POLL_S = 0.05
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
            unit: Path(UNITS[unit], wire, self._times, journal, slot_of) for unit in plan.scenario.units
        }
        self._order = itertools.count()
        self._calls: list[tuple[int, int, Callable[[], None]]] = []
        for episode in plan.episodes_on(shard.days):
            self._add(episode)

    def _add(self, episode: Episode) -> None:
        path, attack = self._paths[episode.unit], attack_for(episode)
        self._at(episode.approach_ns, partial(path.approach, episode.id, attack))
        self._at(episode.begin_ns, path.begin)
        for act in attack.copies():
            for copy_ns in act.copies_ns:
                self._at(copy_ns, partial(path.copy, act.slot, act.sensor))
        self._at(episode.end_ns, path.leave)

    def _at(self, when_ns: int, call: Callable[[], None]) -> None:
        heapq.heappush(self._calls, (when_ns, next(self._order), call))

    def play(self) -> None:
        """Play until the timekeeper ends the run."""
        self._federate.request(self._calls[0][0] if self._calls else END)
        asked = True
        while True:
            ready, _, _ = select.select([self._wire.socket, self._federate.socket], [], [], POLL_S)
            self._times.look()
            if self._wire.socket in ready:
                self._relay()
            if self._federate.socket in ready:
                if self._run_due(self._federate.granted()):
                    return
                asked = False
            for path in self._paths.values():
                path.insist()
            if not asked and all(path.settled for path in self._paths.values()):
                self._journal.flush()
                self._federate.request(self._calls[0][0] if self._calls else END)
                asked = True

    def _run_due(self, now_ns: int) -> bool:
        """Make every call that is due; tell whether there was none left and the run is over."""
        if not self._calls:
            return True
        while self._calls and self._calls[0][0] <= now_ns:
            heapq.heappop(self._calls)[2]()
        return False

    def _relay(self) -> None:
        while (frame := self._wire.receive()) is not None:
            if frame[:6] not in (_OURS, _BROADCAST):
                continue
            if (arp := read_arp(frame)) is not None:
                for path in self._paths.values():
                    path.on_arp(arp, frame)
            elif frame[:6] == _OURS:
                self._pass_on(frame)

    def _pass_on(self, frame: bytes) -> None:
        """Hand a frame that came to the attacker's MAC address to the path it belongs to."""
        segment, addresses = Segment.read(frame), read_addresses(frame)
        for path in self._paths.values():
            if segment is not None and is_between(segment, path.unit):
                path.on_segment(segment)
            elif addresses is not None and {*addresses} == {path.unit.ip, BROKER.ip}:
                path.on_other(frame, upward=addresses[1] == BROKER.ip)
