"""Edits: the ways in which an attack changes a reading that passes."""

from dataclasses import dataclass

from coldaisle_injector.segments import Segment


@dataclass(frozen=True)
class Reading:
    """A reading as it passes the attacker.

    Attributes:
        slot: its slot in the plan.
        sensor: its sensor number.
        value: the number in its payload, text; empty where it is encrypted.
    """

    slot: int
    sensor: int
    value: str


@dataclass(frozen=True)
class Pass:
    """Let the reading pass."""


@dataclass(frozen=True)
class Deliver:
    """Deliver another value instead of the reading's own."""

    value: str


@dataclass(frozen=True)
class Swallow:
    """Remove the reading from the stream and acknowledge it in the broker's place."""


@dataclass(frozen=True)
class Hold:
    """Remove and acknowledge the reading, to deliver it later with :meth:`~coldaisle_injector.spoofing.Spoofer.release`."""


@dataclass(frozen=True)
class Lose:
    """Drop the segment that carries the reading, a number of times in a row."""

    times: int


@dataclass(frozen=True)
class Double:
    """Pass the segment that carries the reading on twice."""


@dataclass(frozen=True)
class Tamper:
    """Set one header field of the frame that carries the reading, such as ``ip.ttl`` or ``mqtt.topic``."""

    field: str
    value: int


Edit = Pass | Deliver | Swallow | Hold | Lose | Double | Tamper


class Editing:
    """The part of an attack that is asked about each frame on the path; by itself it changes none.

    Attributes:
        labels_relayed: whether a frame that is merely relayed is part of the anomaly.
    """

    labels_relayed = False

    def watch(self, reading: Reading) -> None:
        """Take note of a reading that passes before the episode begins."""

    def on_publish(self, reading: Reading) -> Edit:
        """Return the edit of a reading."""
        del reading
        return Pass()

    def refuses(self, port: int) -> bool:
        """Tell whether the unit's connections to a port of the broker are refused."""
        del port
        return False

    def impersonated(self, segment: Segment, *, begins: bool) -> list[bytes] | None:
        """Return the frames with which a segment of the unit is answered in the broker's name, ``None`` where it passes.

        Args:
            segment: the segment.
            begins: whether a connection may be taken over.
        """
        del segment, begins
        return None

    def on_answer(self, slot: int, datagram: bytes) -> bytes:
        """Return the NTP answer that the unit gets in a slot instead of the server's."""
        del slot
        return datagram
