"""Measures the cost of the way through the attacker: the latency added to a packet, and packets/s.

A real broker, the attacker's own schedule and a client in a unit's place run in network namespaces of their own.
"""

import json
import os
import queue
import selectors
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from functools import partial
from pathlib import Path

from coldaisle_contracts.addressing import BROKER, INJECTOR, MQTT_PORT
from coldaisle_contracts.clock import SOCKET, Federate, SharedOffset
from coldaisle_contracts.journal import Journal
from coldaisle_contracts.plan import Plan
from coldaisle_contracts.planning import build_plan
from coldaisle_contracts.scenario import Scenario
from coldaisle_contracts.shard import Shard
from coldaisle_contracts.site_parameters import Site
from coldaisle_contracts.topics import SENSORS, TOPIC, encode_value
from coldaisle_injector import messages
from coldaisle_injector.schedule import Schedule
from coldaisle_injector.wire import Guard, Wire
from coldaisle_testbed import broker_accounts, broker_listeners, namespaces
from coldaisle_testbed.engines.netns import MOSQUITTO
from coldaisle_testbed.processes import fork, program

_PUBLISHED = Site().units["inrow-13"]
UNIT = _PUBLISHED.host
ROUND_TRIPS = 3_000
STREAM_S = 5.0
OUTSTANDING = 8
"""Most unacknowledged readings of a connection at full speed."""
PUBACK = 4
"""Length of a PUBACK, bytes."""
SETTLE_S = 0.5


class Seat(Federate):
    """The attacker's federate; its time is the plan's and continues from the last grant."""

    def __init__(self, folder: Path, start_ns: int) -> None:
        self._ahead_ns = start_ns - time.time_ns()
        super().__init__(folder, INJECTOR.name)

    def now_ns(self) -> int:
        """Return the plan's time, ns."""
        return time.time_ns() + self._ahead_ns

    def both_ns(self) -> tuple[int, int]:
        """Return both times, ns, at the same cost as in a run."""
        _, wall_ns = super().both_ns()
        return wall_ns + self._ahead_ns, wall_ns

    def granted(self) -> int:
        """Take a grant and continue from its time."""
        to_ns = super().granted()
        self._ahead_ns = to_ns - time.time_ns()
        return to_ns


class Keeper(threading.Thread):
    """Receives the attacker's requests, and grants them when the benchmark says so."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        SharedOffset(folder, makes=True)
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.bind(str(folder / SOCKET))
        self._server.listen()
        self._requests: queue.SimpleQueue[int] = queue.SimpleQueue()

    def run(self) -> None:
        """Receive requests; reports of moving frames are ignored."""
        self._seat, _ = self._server.accept()
        for line in self._seat.makefile("r", encoding="ascii"):
            if "advance" in (request := json.loads(line)):
                self._requests.put(request["advance"])

    def grant(self) -> None:
        """Grant the attacker's latest request, and give the attacker time to act."""
        to_ns = self._requests.get(timeout=10)
        while not self._requests.empty():
            to_ns = self._requests.get()
        self._seat.sendall(json.dumps({"grant": to_ns}).encode() + b"\n")
        time.sleep(SETTLE_S)


def planned(kind: str, **how: object) -> Plan:
    """Return the plan of an hour with one long episode."""
    episode = {"kind": kind, "unit": UNIT.name, "day": 1, "start": "00:30", "readings": 4, **how}
    hour = {"name": "relay", "seed": 1, "first_day": "2026-03-02", "time_zone": "UTC", "duration_h": 1}
    return build_plan(Scenario.model_validate({**hour, "units": [UNIT.name], "episodes": [episode]}))


def attack(plan: Plan, folder: Path) -> None:
    """Run the attacker: the schedule of a run, on the wire of this namespace."""
    journal = Journal(folder / "injector.jsonl", "day-1")
    Schedule(plan, Shard(range(1)), Wire(Guard(plan.hosts)), Seat(folder, plan.start_ns), journal).play()


def connected(sensor: int) -> socket.socket:
    """Return a sensor's connection to the broker."""
    until = time.monotonic() + 10
    while True:
        try:
            sock = socket.create_connection((BROKER.ip, MQTT_PORT), timeout=10)
            break
        except ConnectionRefusedError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)  # the broker is still starting
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.sendall(messages.connect(_PUBLISHED.client(sensor)))
    sock.recv(4)
    return sock


def reading(number: int) -> bytes:
    """Return a sensor's PUBLISH."""
    return messages.publish(TOPIC, encode_value(15 + number % 700 / 100), mid=number % 65_535 + 1)


def round_trip_ms(sensors: list[socket.socket]) -> float:
    """Return the median time from PUBLISH to PUBACK, ms, with one reading at a time."""
    took = []
    for number in range(ROUND_TRIPS):
        sock, data = sensors[number % len(sensors)], reading(number)
        began = time.perf_counter()
        sock.sendall(data)
        sock.recv(PUBACK)
        took.append(time.perf_counter() - began)
    return statistics.median(took) * 1e3


def stream(sensors: list[socket.socket]) -> None:
    """Send readings on all connections as fast as they are acknowledged."""
    until, number = time.monotonic() + STREAM_S, 0
    waiting, by_file = dict.fromkeys(sensors, 0), {sock.fileno(): sock for sock in sensors}
    with selectors.DefaultSelector() as selector:
        for sock in sensors:
            selector.register(sock, selectors.EVENT_READ)
        while time.monotonic() < until:
            for sock in sensors:
                for _ in range(OUTSTANDING - waiting[sock]):
                    number += 1
                    sock.sendall(reading(number))
                waiting[sock] = OUTSTANDING
            for key, _ in selector.select(1):
                acknowledged = len(by_file[key.fd].recv(PUBACK * OUTSTANDING)) // PUBACK
                waiting[by_file[key.fd]] -= acknowledged
    for sock, left in waiting.items():
        sock.recv(PUBACK * left, socket.MSG_WAITALL)


def sent_by(namespace: int) -> int:
    """Return the number of packets that a host has sent."""
    with namespaces.inside(namespace):
        lines = Path("/proc/thread-self/net/dev").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[10]) for line in lines if line.strip().startswith("eth0:"))


def measured(plan: Plan) -> dict[str, float]:
    """Play an episode; return the round trip without and with the attacker, ms, and the packets that it passes on, 1/s."""
    spaces = namespaces.build((BROKER, INJECTOR, UNIT))
    with tempfile.TemporaryDirectory() as temporary:
        folder, pids = Path(temporary), []
        broker_accounts.write(folder, {})
        broker_listeners.write(folder, Site().broker, folder)
        keeper = Keeper(folder)
        try:
            for host, body in (
                (BROKER, program(MOSQUITTO, folder)),
                (INJECTOR, partial(attack, plan, folder)),
            ):
                pids.append(fork(spaces[host.name], {}, folder / f"{host.name}.log", body))
            keeper.start()
            with namespaces.inside(spaces[UNIT.name]):
                sensors = [connected(sensor) for sensor in SENSORS]
            figures = {"direct_ms": round_trip_ms(sensors)}
            keeper.grant()  # grants the approach
            round_trip_ms(sensors)
            keeper.grant()  # grants the act
            figures["through_ms"] = round_trip_ms(sensors)
            before, began = sent_by(spaces[INJECTOR.name]), time.monotonic()
            stream(sensors)
            passed = sent_by(spaces[INJECTOR.name]) - before
            return figures | {"packets_s": passed / (time.monotonic() - began)}
        except (OSError, queue.Empty):
            sys.stderr.write((folder / f"{INJECTOR.name}.log").read_text(encoding="utf-8"))
            raise
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            for space in spaces.values():
                os.close(space)


def main() -> None:
    """Measure a relay that passes readings unchanged, and one that rewrites every reading."""
    print(f"{ROUND_TRIPS:,} round trips, {STREAM_S:g} s at full speed, {os.cpu_count()} cores")
    for name, plan in {
        "passed on (interception)": planned("interception"),
        "rewritten (modification)": planned("modification", variant="shift", size=20.0),
    }.items():
        figures = measured(plan)
        added = (figures["through_ms"] - figures["direct_ms"]) / 2
        print(
            f"  {name:28} {added:6.3f} ms added to a packet (median; "
            f"round trip {figures['direct_ms']:.3f} → {figures['through_ms']:.3f} ms) "
            f"{figures['packets_s']:8,.0f} packets/s"
        )


if __name__ == "__main__":
    main()
