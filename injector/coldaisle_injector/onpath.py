"""Between one unit and the broker: getting on the path, relaying, leaving."""

from collections.abc import Callable

from coldaisle_contracts.addressing import INJECTOR, Host
from coldaisle_contracts.plan import Episode
from coldaisle_injector.arp_caches import LOCK_NS, Caches
from coldaisle_injector.editing import Editor
from coldaisle_injector.edits import Editing
from coldaisle_injector.notes import Notes
from coldaisle_injector.relaying import Relay
from coldaisle_injector.segments import Arp, Segment
from coldaisle_injector.spoofing import OffPathError, Spoofer
from coldaisle_injector.wire import Wire

__all__ = ["PATIENCE_NS", "OffPathError", "Path"]

PATIENCE_NS = 15_000_000_000
"""A claim, a copy or a FIN nobody answers for so long ends the run, ns."""


class Path:
    """The path between a unit and the broker, and what the attacker does on it.

    Args:
        unit: the victim.
        wire: the attacker's socket.
        notes: its journal; names the episode that holds the path, also after the end of it while connections
            need translation.
        slot_of: the plan's slot at a virtual time, ns.
        elsewhere: hosts that a frame can be sent to instead of the broker, such that the broker's wire does not carry it.

    Attributes:
        spoofer: says what is due between readings.
    """

    def __init__(
        self,
        unit: Host,
        wire: Wire,
        notes: Notes,
        slot_of: Callable[[int], int],
        elsewhere: tuple[Host, ...] = (INJECTOR,),
    ) -> None:
        self.unit, self.notes, self.elsewhere = unit, notes, elsewhere
        self._times = notes.times
        self._caches = Caches(unit, wire, notes)
        self.spoofer = Spoofer(unit, wire, notes)
        self._editor = Editor(notes, self.spoofer, slot_of)
        self._relay = Relay(unit, wire, notes, self.spoofer, self._editor)
        self._connections = self.spoofer.connections
        self._leaving = self._confirmed = self._up = self._down = False
        self._since_ns = 0

    # -- phases -------------------------------------------------------------------------------------------------

    def approach(self, episode: Episode, attack: Editing) -> None:
        """Claim the unit's place at the broker and the broker's at the unit."""
        self.notes.start(episode)
        self._editor.attack, self._editor.acting = attack, False
        self._leaving = self._confirmed = self._up = self._down = False
        if not self._caches.taken:
            self._connections.clear()  # kept until now for stragglers
        self._since_ns = self._times.wall_ns()
        self.notes.phase("approach")
        self._caches.take()

    def begin(self) -> None:
        """Start to act.

        Raises:
            OffPathError: if no traffic passed in both directions since the approach.
        """
        if not self._confirmed:
            raise self.spoofer.off_path("saw no traffic pass")
        self._editor.acting = True
        self.notes.phase("begin")

    def leave(self) -> None:
        """Stop acting; restore the caches as soon as no connection needs the attacker any more."""
        self._editor.acting, self._leaving = False, True
        self.notes.phase("end")
        self._restore_if_free()

    def _restore_if_free(self) -> None:
        """Restore both caches unless a connection would break."""
        if self.taken and self._leaving and not any(conn.translated for conn in self._connections.values()):
            self._leaving = False
            self._caches.restore()
            self.notes.phase("off_path")

    @property
    def taken(self) -> bool:
        """Whether the caches of unit and broker are poisoned."""
        return self._caches.taken

    @property
    def settled(self) -> bool:
        """Whether everything sent has been answered and no connection that runs through here is half closed."""
        closing = self.taken and any(conn.closing for conn in self._connections.values())
        return self._answered and not closing

    @property
    def _answered(self) -> bool:
        return not self._caches.unanswered and not any(conn.waits for conn in self._connections.values())

    def insist(self) -> None:
        """Repeat claims nobody answered, and those that a victim unlearned.

        A victim's own broadcast cures the other side; overtaken by the claim that follows it, it does so for good. Words
        that stay without an acknowledgement give that away.

        Raises:
            OffPathError: if there is still no answer after :data:`PATIENCE_NS`.
        """
        if self.taken and self._unheard:
            self._caches.renew()
        if self.settled:
            self._since_ns = self._times.wall_ns()
            return
        if self._times.wall_ns() - self._since_ns > PATIENCE_NS:
            raise self.spoofer.off_path("got no answer")
        self._caches.insist()

    @property
    def _unheard(self) -> bool:
        """Whether words passed on stay without an acknowledgement, but not for so long that nobody waits for it any more."""
        wall_ns = self._times.wall_ns()
        silences = (conn.unheard_ns(wall_ns) for conn in self._connections.values())
        return any(LOCK_NS < silence < PATIENCE_NS for silence in silences)

    # -- frames that arrive -------------------------------------------------------------------------------------

    def on_arp(self, arp: Arp, frame: bytes) -> None:
        """Take an answer to a claim, or answer a question about the other side."""
        self._caches.on_arp(arp, frame)

    def on_other(self, frame: bytes, *, upward: bool) -> None:
        """Pass on what is not MQTT."""
        self._relay.on_other(frame, upward=upward)

    def on_segment(self, segment: Segment) -> None:
        """Pass a segment on, edited where the attack says so."""
        editing = not (self._leaving and self._answered)
        if self._relay.on_segment(segment, editing=editing) and editing:
            self._confirm(upward=segment.source == self.unit.ip)
        self._restore_if_free()

    def _confirm(self, *, upward: bool) -> None:
        """Note that the attacker is on the path once both sides' words passed."""
        self._up, self._down = self._up or upward, self._down or not upward
        if self._up and self._down and not self._confirmed and self.taken and not self._leaving:
            self._confirmed = True
            self.notes.phase("on_path")
