"""A controller with a simulated environment: clocks, links, cable and time server."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from coldaisle_contracts.clock import SECOND, Clock, ManualClock
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.kinds import KINDS
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.plan_changes import PlanChanges
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_sensors.connections import LinkMaker
from coldaisle_sensors.controller import Controller
from coldaisle_sensors.interface import Cable
from coldaisle_sensors.timesync import TimeSync

UNIT = "inrow-13"
CLIENTS = ("131", "132", "133", "134")
VALUES = [(10.0 + slot, 20.004, 30.0, 40.006) for slot in range(288)]

REST = 44_000_000
"""Shortest skip of time, ns; a nearer time is waited for."""


class TickingClock(ManualClock):
    """A clock that moves at every reading, as time passes while a program waits for a broker."""

    def now_ns(self) -> int:
        """Return the time, 0.2 s later than at the previous call."""
        self.advance(super().now_ns() + SECOND // 5)
        return super().now_ns()


class SkippingClock:
    """Real time that skips what no program waits for, as the timekeeper does."""

    def __init__(self, now_ns: int = 0) -> None:
        self._offset = now_ns - time.time_ns()

    def now_ns(self) -> int:
        """Return the time, ns."""
        return time.time_ns() + self._offset

    def advance(self, to_ns: int) -> None:
        """Skip to a time, or wait for it if it is nearer than the timekeeper's shortest skip."""
        ahead = max(0, to_ns - self.now_ns())
        if ahead < REST:
            time.sleep(ahead / SECOND)
        else:
            self._offset += ahead


@dataclass
class MadeCable:
    """A cable that records when it was pulled and plugged, and the links that wait for it."""

    clock: Clock
    out: bool = False
    moves: list[tuple[str, int]] = field(default_factory=list)
    waiting: list[Callable[[], None]] = field(default_factory=list)

    def pull(self) -> None:
        """Pull the cable."""
        self.moves.append(("pull", self.clock.now_ns()))
        self.out = True

    def plug(self) -> None:
        """Plug the cable in, and deliver the waiting readings."""
        self.moves.append(("plug", self.clock.now_ns()))
        self.out = False
        for deliver in self.waiting:
            deliver()
        self.waiting.clear()


class MadeServer:
    """A time server that is 7 ns ahead, counts its queries, and cannot be reached without a cable."""

    def __init__(self, cable: MadeCable) -> None:
        self.cable, self.queries, self.silent = cable, 0, False

    def answer(self, *_: object) -> tuple[float, float]:
        """Answer a query, or fail as a network without a route does."""
        self.queries += 1
        if self.cable.out or self.silent:
            raise OSError("no route")
        return 7e-9, 0.001


class MadeLink:
    """A connection that acknowledges at once, after it was lost and opened again, or when the cable is back."""

    def __init__(
        self,
        client: str,
        name: str,
        keepalive_s: int,
        on_open: Callable[[Any], None],
        cable: MadeCable,
        *,
        loses: int = 0,
        broker: bool = True,
    ) -> None:
        self.client, self.name, self.keepalive_s = client, name, keepalive_s
        self.port, self.connected, self.lost = 39_000 + int(client), False, False
        self.waits_for_tcp = self.fallen_back = self.distrusts = False
        self.acknowledged: set[int] = set()
        self.published: list[bytes] = []
        self.ending = ""
        self._cable, self._loses, self._broker, self._on_open = cable, loses, broker, on_open

    def open(self) -> None:
        """Connect from the next port."""
        self.port += 1000
        self._on_open(self)
        self.connected = self._broker or not self.published
        self.lost = not self.connected
        if self.connected:
            self.acknowledged.add(len(self.published))

    def publish(self, topic: str, payload: bytes) -> int:
        """Take a reading, and return its message id."""
        assert topic == "IoT"
        self.published.append(payload)
        mid = len(self.published)
        if mid == self._loses:
            self.connected, self.lost = False, True
        elif self._cable.out:
            self._cable.waiting.append(lambda: self.acknowledged.add(mid))
        else:
            self.acknowledged.add(mid)
        return mid

    def break_off(self) -> None:
        """Break the connection; its owner notices at the next look."""
        self.connected, self.lost = False, True

    def confirm(self) -> None:
        """Do nothing: a reading is acknowledged at once, or by the cable."""

    def drop(self) -> None:
        """Close the connection without DISCONNECT."""
        self.connected, self.ending = False, "dropped"

    def disconnect(self) -> None:
        """Disconnect and close."""
        self.connected, self.ending = False, "disconnected"


def plan_of(*episodes: dict[str, Any], **scenario: Any) -> Plan:
    """Return the plan of two hours of one day with these episodes on :data:`UNIT`, by default from 00:30."""
    usual = {"unit": UNIT, "day": 1, "start": "00:30"}
    specs = [usual | {"readings": 1 if KINDS[episode["kind"]].brief else 3} | episode for episode in episodes]
    defaults = {"name": "made", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 2}
    return build_plan(Scenario.model_validate(defaults | scenario | {"episodes": specs}))


class Scene:
    """A controller that plays a day, and its journal.

    Args:
        folder: where its journal goes.
        clock: clock of the controller.
        plan: plan that the controller plays.
        make_link: function that makes a connection; by default a simulated one.
        cable: cable of the unit; by default a simulated one.
        changes: follows the plan; by default nothing does.
        kinds: settings of a sensor's simulated link, such as ``sensor2={"loses": 5}``.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        plan: Plan | None = None,
        make_link: LinkMaker | None = None,
        cable: Cable | None = None,
        changes: PlanChanges | None = None,
        **kinds: dict[str, Any],
    ) -> None:
        self.plan, self.clock = plan or plan_of(), clock
        self.cable = MadeCable(clock)
        self.server = MadeServer(self.cable)
        self.links: list[MadeLink] = []
        self._file, self._kinds = folder / f"{len(list(folder.iterdir()))}.jsonl", kinds
        self.journal = Journal(self._file, "day-1")
        self.timesync = TimeSync("198.18.0.1", clock, self.journal, ask=self.server.answer)
        self._make_link: Any = make_link or self._made_link
        self._cable = cable or self.cable
        self._changes = changes

    def run(self) -> None:
        """Play the day."""
        parts = self.timesync, self.journal, self._make_link, self._cable, self._changes
        Controller(UNIT, self.plan, VALUES, self.clock, *parts).run_day(0)

    def lines(self, *events: str) -> list[dict[str, Any]]:
        """Return the journal's lines of these events, or all lines if none is named."""
        self.journal.flush()
        lines = [json.loads(text) for text in self._file.read_text().splitlines()]
        return [line for line in lines if not events or line["event"] in events]

    def link(self, client: str) -> MadeLink:
        """Return the last connection of a sensor."""
        return [link for link in self.links if link.client == client][-1]

    def _made_link(
        self, client: str, name: str, keepalive_s: int, on_open: Callable[[Any], None]
    ) -> MadeLink:
        special = self._kinds.get(f"sensor{client[-1]}", {})
        link = MadeLink(client, name, keepalive_s, on_open, self.cable, **special)
        self.links.append(link)
        return link
